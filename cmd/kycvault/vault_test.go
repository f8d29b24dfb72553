package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestAgesOwnCommandOpensTheVault: whoever has a key and none of our programs reads the evidence, and finds the digest of the name.
func TestAgesOwnCommandOpensTheVault(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var public []string
	var keys [2]string
	for i := range keys {
		pair, err := agekey.NewPair(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(keys[i], pair.File, 0o600); err != nil {
			t.Fatal(err)
		}
		public = append(public, pair.Public)
	}
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	v.sim.EndCheck("oddjpeg1", time.Now().Add(-time.Minute))
	cmd := exec.Command(program, "pull", "oddjpeg1")
	cmd.Env = v.env("KYC_RECIPIENTS=" + strings.Join(public, ","))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(v.dir, "orders", "oddjpeg1", "*.age"))
	if err != nil || len(files) != 3 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		digest := strings.Split(filepath.Base(file), ".")[1]
		for _, key := range keys {
			sum := sha256.Sum256(peertest.Age(t, key, file))
			if hex.EncodeToString(sum[:]) != digest {
				t.Errorf("%s holds other bytes", filepath.Base(file))
			}
		}
	}
}
