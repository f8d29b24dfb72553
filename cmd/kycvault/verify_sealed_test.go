package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// insider is someone with all rights at a vault, but for its keys. Each test gets the vault as it was.
type insider struct {
	t     *testing.T
	vault string
	env   []string
	to    agekey.Recipients
}

// found checks the vault and gives what is wrong: "kind how: the order, or the seal's object".
func found(t *testing.T, env []string, args ...string) []string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), append([]string{"verify", "--read-only", "--json"}, args...), nil, &stdout, &stderr, env)
	var said verdict
	if err := json.Unmarshal(stdout.Bytes(), &said); err != nil || said.Stopped != "" || (code == exitDone) != (len(said.Damage) == 0) {
		t.Fatalf("exit code %d, %v:\n%s%s", code, err, &stdout, &stderr)
	}
	all := []string{}
	for _, d := range said.Damage {
		where := string(d.Order)
		if where == "" {
			where = path.Base(d.Key)
		}
		all = append(all, strings.TrimSpace(d.Kind+" "+d.How)+": "+where)
	}
	slices.Sort(all)
	return all
}

// file finds the first file of a pattern in the vault.
func (i insider) file(pattern string) string {
	i.t.Helper()
	files, err := filepath.Glob(filepath.Join(i.vault, pattern))
	if err != nil || len(files) == 0 {
		i.t.Fatalf("no %s: %v", pattern, err)
	}
	return files[0]
}

func (i insider) read(file string) []byte {
	i.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		i.t.Fatal(err)
	}
	return data
}

func (i insider) write(file string, data []byte) {
	i.t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		i.t.Fatal(err)
	}
}

// open opens the vault as the functions do.
func (i insider) open() *archive.Archive {
	b, err := dirbucket.Open(i.vault)
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = b.Close() })
	return archive.New(b)
}

// remove takes away all that there is of an order.
func (i insider) remove(order string) {
	for _, pattern := range []string{"orders/" + order, "journal/*/*." + order + ".*"} {
		files, err := filepath.Glob(filepath.Join(i.vault, pattern))
		if err != nil || len(files) == 0 {
			i.t.Fatalf("%s: %q, %v", pattern, files, err)
		}
		for _, f := range files {
			if err := os.RemoveAll(f); err != nil {
				i.t.Fatal(err)
			}
		}
	}
}

// forge archives an order whose photo is another one than its name says, with all that can be made without a key: ciphertext for the
// right recipients, a manifest with its right digest, a journal entry.
func (i insider) forge(order string, at time.Time) {
	a := i.open()
	f := keepPhoto(i.t, a, archive.Order(order), []byte("photo of "+order), i.to)
	file := i.file("orders/" + order + "/" + f.Name)
	var other bytes.Buffer
	w, err := i.to.Encrypt(&other, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	if _, err := w.Write([]byte("PHOTO OF " + order)); err != nil {
		i.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		i.t.Fatal(err)
	}
	i.write(file, other.Bytes())
	f.Stored.SHA256 = seal.Digest(other.Bytes())
	s, err := a.CreateManifest(i.t.Context(), 1, archive.Manifest{
		Order: archive.Order(order), AppID: "IDAXXXXX", State: archive.Archived, FirstSeen: at, ArchivedAt: at, Files: []archive.File{f},
	})
	if err == nil {
		err = a.Journal(i.t.Context(), s)
	}
	if err != nil {
		i.t.Fatal(err)
	}
}

// TestVerifyEncryptedAndSealed: what an insider does to a vault that is encrypted and sealed is named, by whoever has the secret key and
// by whoever has none; the seals need no key to be checked, and a forged face shows to the key alone.
func TestVerifyEncryptedAndSealed(t *testing.T) {
	t.Parallel()
	to, key := pairOf(t)
	_, stranger := pairOf(t)
	dir, env := sealedTo(t, to)
	before := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -2).Add(3 * time.Hour)
	for name, c := range map[string]struct {
		do           func(i insider)
		closed, open []string // what is found without the key, and with it
	}{
		"nothing": {func(insider) {}, nil, nil},
		"encrypted anew": {func(i insider) { // the same face, other ciphertext
			file, other := i.file("orders/order3/photo.*"), i.open()
			if err := os.Remove(file); err != nil {
				i.t.Fatal(err)
			}
			keepPhoto(i.t, other, "order3", []byte("photo 1 of order3"), to)
		}, []string{"changed altered: order3"}, []string{"changed altered: order3"}},
		"two faces change places": {func(i insider) {
			one, two := i.file("orders/order3/photo.*"), i.file("orders/order4/photo.*")
			a, b := i.read(one), i.read(two)
			i.write(one, b)
			i.write(two, a)
		}, []string{"changed swapped: order3", "changed swapped: order4"}, []string{"changed swapped: order3", "changed swapped: order4"}},
		"another face, with a manifest and a journal entry that fit": {func(i insider) {
			i.remove("order3")
			i.forge("order3", before)
		}, []string{"removed: order3", "removed: order3", "unsealed: order3"}, []string{"changed forged: order3", "removed: order3", "removed: order3", "unsealed: order3"}},
		"another face from the beginning, sealed": {func(i insider) {
			if err := os.RemoveAll(filepath.Join(i.vault, "seals")); err != nil {
				i.t.Fatal(err)
			}
			i.forge("order9", before)
			mustEnd(i.t, exitDone, i.env, "seal")
		}, nil, []string{"changed forged: order9"}},
		"an order slipped in": {func(i insider) { archiveOrder(i.t, i.open(), "order9", before, to) }, []string{"unsealed: order9", "unsealed: order9"}, []string{"unsealed: order9", "unsealed: order9"}},
		"an order gone":       {func(i insider) { i.remove("order3") }, []string{"removed: order3", "removed: order3"}, []string{"removed: order3", "removed: order3"}},
		"a timestamp changed": {func(i insider) {
			token := i.file("seals/*/checkpoint.tsr")
			data := i.read(token)
			data[len(data)/2] ^= 1
			i.write(token, data)
		}, []string{"bad-timestamp: checkpoint.tsr"}, []string{"bad-timestamp: checkpoint.tsr"}},
	} {
		t.Run(name, func(t *testing.T) {
			vault := filepath.Join(t.TempDir(), "vault")
			i := insider{t, vault, append([]string{"KYC_ARCHIVE=file://" + vault}, env...), to}
			if err := os.CopyFS(i.vault, os.DirFS(filepath.Join(dir, "vault"))); err != nil {
				t.Fatal(err)
			}
			c.do(i)
			for args, want := range map[string][]string{"": c.closed, key: c.open} {
				identity := []string{"--identity", args}
				if args == "" {
					identity = nil
				}
				if diff := cmp.Diff(append([]string{}, want...), found(t, i.env, identity...)); diff != "" {
					t.Errorf("with key %t: -want +found:\n%s", args != "", diff)
				}
			}
		})
	}
	// Who has another key can say nothing of the faces, and all of the seals.
	got := found(t, env, "--identity", stranger)
	if len(got) != 18 || got[0] != "locked: order0" || got[17] != "locked: order8" {
		t.Errorf("with another key: %q", got)
	}
}
