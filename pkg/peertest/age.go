package peertest

import (
	"bytes"
	"os/exec"
	"testing"
)

// AgeVersion is the pinned version of age's own command, as `make peers` installs it.
const AgeVersion = "v1.1.1"

// Age decrypts a file with age's own command and a file of secret keys.
func Age(t testing.TB, identity, file string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(tool(t, "bin", "age-"+AgeVersion), "--decrypt", "--identity", identity, file)
	cmd.Stderr = &stderr
	plain, err := cmd.Output()
	if err != nil {
		t.Fatalf("age -d %s: %v: %s", file, err, &stderr)
	}
	return plain
}
