package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestVerifyTellsWhatItDidNotCheck: whoever makes all seals anew, with the key and without an authority, makes a chain that fits
// together. What was not given, or is not there, is told.
func TestVerifyTellsWhatItDidNotCheck(t *testing.T) {
	t.Parallel()
	peertest.Program(t, "openssl")
	dir, env := sealedDir(t)
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	const noKey, noCA, noStamp = "the signatures of the seals are not checked", "anyone can make such: --tsa-ca", "no seal has a timestamp"
	tells := func(env []string, what string) {
		t.Helper()
		said := mustEnd(t, exitDone, env, "verify", "--read-only")
		for _, warning := range []string{noKey, noCA, noStamp} {
			if strings.Contains(said, warning) != (warning == what) {
				t.Errorf("want %q and nothing else:\n%s", what, said)
			}
		}
	}
	tells(env, "")
	tells(without("KYC_SEAL_KEY"), noKey)
	tells(without("KYC_TSA_CA"), noCA)
	if err := os.RemoveAll(filepath.Join(dir, "vault", "seals")); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, exitDone, without("KYC_TSA_URL"), "seal")
	tells(env, noStamp)
}
