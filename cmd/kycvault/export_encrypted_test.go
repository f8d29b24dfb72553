package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
)

// pairOf makes a key pair, and its secret key's file.
func pairOf(t *testing.T) (to agekey.Recipients, file string) {
	t.Helper()
	pair, err := agekey.NewPair(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if to, err = agekey.ParseRecipients(pair.Public); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "key.txt")
	if err := os.WriteFile(file, pair.File, 0o600); err != nil {
		t.Fatal(err)
	}
	return to, file
}

// TestExportEncrypted: encrypted evidence comes as it is stored, or decrypted for who has a key. Either bag is good by its
// README, and not when a file of it was changed.
func TestExportEncrypted(t *testing.T) {
	t.Parallel()
	to, key := pairOf(t)
	dir, env := sealedTo(t, to)
	closed, open := filepath.Join(dir, "closed"), filepath.Join(dir, "open")
	if said := mustEnd(t, exitDone, env, "export", "order3", "--json", "-o", closed); !strings.Contains(said, `"encrypted": 2`) {
		t.Errorf("said %s", said)
	}
	if said := mustEnd(t, exitDone, env, "export", "order3", "--identity", key, "--json", "-o", open); !strings.Contains(said, `"encrypted": 0`) {
		t.Errorf("said %s", said)
	}
	for bag, pattern := range map[string]string{closed: photo3 + ".age", open: photo3} {
		out, err := follow(t, bag)
		if err != nil || !strings.Contains(out, "\nGOOD\n") || !strings.Contains(out, "Verification: OK") {
			t.Errorf("%s: %v\n%s", bag, err, out)
		}
		isReadable(t, bag)
		photos, err := filepath.Glob(filepath.Join(bag, "data/orders/order3/photo.*"))
		if err != nil || len(photos) != 2 {
			t.Errorf("%s holds %q, %v", bag, photos, err)
		}
		b := forged{t, bag}
		shown, err := os.ReadFile(b.file(pattern))
		if err != nil || bytes.Contains(shown, []byte("of order3")) != (bag == open) {
			t.Errorf("%s: a photo is %q, %v", bag, shown, err)
		}
		b.edit(pattern, flip)
		b.relist()
		if out, err := follow(t, bag); err == nil || !strings.Contains(out, "is not what the manifest says") {
			t.Errorf("%s, changed: %v\n%s", bag, err, out)
		}
		names(t, bag, "changed data/orders/order3/photo.*")
		if err := os.Remove(b.file(pattern)); err != nil {
			t.Fatal(err)
		}
		b.relist()
		if out, err := follow(t, bag); err == nil || !strings.Contains(out, "is not there") {
			t.Errorf("%s, without a photo: %v\n%s", bag, err, out)
		}
		names(t, bag, "missing data/orders/order3/photo.*")
	}
}

// isReadable: in both languages the README has the command as it is typed, and the seal's key where it belongs alone.
func isReadable(t *testing.T, bag string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(bag, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("`age -d -i IDENTITY FILE`")); n != 2 {
		t.Errorf("%s: age's command stands %d times in the README, not once in each language", bag, n)
	}
	if n := bytes.Count(text, []byte("test.example/vault+")); n != 1 {
		t.Errorf("%s: the seal's key stands %d times in the README, not once", bag, n)
	}
}

// TestExportEncryptedRefuses: no bag without the key that was asked to be used, or of what is not what was stored.
func TestExportEncryptedRefuses(t *testing.T) {
	t.Parallel()
	to, key := pairOf(t)
	_, other := pairOf(t)
	dir, env := sealedTo(t, to)
	out := filepath.Join(dir, "bag.zip")
	if said := mustEnd(t, exitNotDone, env, "export", "order3", "--identity", other, "-o", out); !strings.Contains(said, agekey.ErrOtherKey.Error()) {
		t.Errorf("with another key: %s", said)
	}
	mustEnd(t, exitUsage, env, "export", "order3", "--identity", filepath.Join(dir, "nosuch"), "-o", out)
	stored, err := filepath.Glob(filepath.Join(dir, "vault/orders/order3/photo.*"))
	if err != nil || len(stored) != 2 {
		t.Fatal(stored, err)
	}
	data, err := os.ReadFile(stored[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stored[0], flip(data), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{}, {"--identity", key}} {
		if said := mustEnd(t, exitNotDone, env, append([]string{"export", "order3", "-o", out}, args...)...); !strings.Contains(said, "damaged") {
			t.Errorf("changed in the vault, %q: %s", args, said)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*bag*"))
	hidden, err2 := filepath.Glob(filepath.Join(dir, ".kycvault*"))
	if len(left)+len(hidden) > 0 || err != nil || err2 != nil {
		t.Errorf("left behind: %q %q", left, hidden)
	}
	mustEnd(t, exitDone, env, "export", "order4", "--identity", other, "--identity", key, "-o", out)
}
