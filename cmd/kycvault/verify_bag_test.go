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

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// checked runs verify --bag, without any setting, and gives what it found and what it told people.
func checked(t *testing.T, want int, bag string, args ...string) (v verdict, told string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"verify", "--json", "--bag", bag}, args...)
	if code := run(t.Context(), args, nil, &stdout, &stderr, nil); code != want {
		t.Fatalf("%q: exit code %d, want %d:\n%s%s", args, code, want, &stdout, &stderr)
	}
	if want == exitUsage {
		return v, stderr.String()
	}
	if err := json.Unmarshal(stdout.Bytes(), &v); err != nil {
		t.Fatalf("%v:\n%s%s", err, &stdout, &stderr)
	}
	return v, stderr.String()
}

// named tells whether a damage of this kind at a key like this is in the verdict.
func named(v verdict, kindAndKey string) bool {
	kind, key, _ := strings.Cut(kindAndKey, " ")
	return slices.ContainsFunc(v.Damage, func(d archive.Damage) bool {
		is, err := path.Match(key, d.Key)
		return d.Kind == kind && is && err == nil && d.What != ""
	})
}

// names checks that verify --bag finds a bag bad, and names what is wrong.
func names(t *testing.T, bag, kindAndKey string) {
	t.Helper()
	if v, _ := checked(t, exitNotDone, bag); !named(v, kindAndKey) {
		t.Errorf("not told: %s; but:", kindAndKey)
		for _, d := range v.Damage {
			t.Errorf("  %s %s: %s", d.Kind, d.Key, d.What)
		}
	}
}

// namedBy is what verify --bag says of each of the tamperings, whether or not the bag's lists were made anew.
var namedBy = map[string]string{
	"a photo":               "changed data/orders/order3/photo.*.jpg",
	"a photo is gone":       "missing data/orders/order3/photo.*.jpg",
	"another photo":         "unsealed data/orders/order3/manifest.json",
	"a manifest":            "unsealed data/orders/order3/manifest.2.json",
	"a manifest is gone":    "unknown data/orders/order3/photo.*.jpg",
	"a proof":               "unsealed data/orders/order3/manifest.2.json",
	"swapped manifests":     "bad-manifest data/orders/order3/manifest.2.json",
	"the root":              "bad-seal data/seals/*/checkpoint",
	"the window":            "bad-seal data/seals/*/checkpoint",
	"the timestamp":         "bad-timestamp data/seals/*/checkpoint.tsr",
	"the timestamp is gone": "missing data/seals/*/checkpoint.tsr",
	"one file more":         "unknown data/orders/order3/photo.more.jpg",
	"a photo, and a module of Python that says GOOD": "unknown json.py",
	"signed anew": "bad-timestamp data/seals/*/checkpoint.tsr",
}

// keyOf writes the public key of a vault's environment into a file.
func keyOf(t *testing.T, env []string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "seal-key.pub")
	if err := os.WriteFile(file, []byte(mustEnd(t, exitDone, env, "seal", "public")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestVerifyBag: what export makes is good, as a folder and as a ZIP file, of one order and of several; each thing that was not
// given is warned of, and nothing when all was.
func TestVerifyBag(t *testing.T) {
	t.Parallel()
	dir, env := sealedDir(t)
	key, ca := keyOf(t, env), filepath.Join(dir, "tsa-ca.pem")
	for name, orders := range map[string][]string{"one": {"order3"}, "one.zip": {"order3"}, "three.zip": {"order1", "order3", "order5"}, "two": {"order8", "order0"}} {
		bag := filepath.Join(dir, name)
		mustEnd(t, exitDone, env, append([]string{"export", "-o", bag}, orders...)...)
		v, told := checked(t, exitDone, bag, "--seal-key", key, "--tsa-ca", ca)
		if v.Orders != len(orders) || v.Files != 2*len(orders) || v.Bytes == 0 || len(v.Bag.Seals) != 1 || !v.Bag.KeyGiven || !v.Bag.CAGiven || told != "" {
			t.Errorf("%s: %+v, %+v; told %q", name, v, v.Bag, told)
		}
		s := v.Bag.Seals[0]
		if public, err := os.ReadFile(key); err != nil || s.Key != strings.TrimSpace(string(public)) || s.Timestamp.IsZero() || archive.SealName(s.Until.AddDate(0, 0, -1)) != s.Name {
			t.Errorf("%s: %+v", name, s)
		}
		_, told = checked(t, exitDone, bag)
		if !strings.Contains(told, "--seal-key: "+s.Key) || !strings.Contains(told, "--tsa-ca") {
			t.Errorf("%s: not warned: %s", name, told)
		}
	}
}

// TestVerifyBagOfAnother: the key and the authority that are given count, whatever is in the bag.
func TestVerifyBagOfAnother(t *testing.T) {
	t.Parallel()
	dir, env := sealedDir(t)
	bag := filepath.Join(dir, "bag")
	mustEnd(t, exitDone, env, "export", "order3", "-o", bag)
	otherDir, otherEnv := sealedDir(t)
	if v, _ := checked(t, exitNotDone, bag, "--seal-key", keyOf(t, otherEnv)); len(v.Damage) != 1 || v.Orders != 0 || !named(v, "bad-seal data/seals/*/checkpoint") {
		t.Errorf("of another key: %+v", v.Damage)
	}
	if v, _ := checked(t, exitNotDone, bag, "--tsa-ca", filepath.Join(otherDir, "tsa-ca.pem")); len(v.Damage) != 1 || !named(v, "bad-timestamp data/seals/*/checkpoint.tsr") {
		t.Errorf("of another authority: %+v", v.Damage)
	}
	tamperings["signed anew"](forged{t, bag})
	forged{t, bag}.relist()
	if v, _ := checked(t, exitNotDone, bag, "--seal-key", keyOf(t, env)); !named(v, "bad-seal data/seals/*/checkpoint") {
		t.Errorf("signed anew: %+v", v.Damage)
	}
}

// TestVerifyBagEncrypted: stored bytes without a key, plain bytes with one.
func TestVerifyBagEncrypted(t *testing.T) {
	t.Parallel()
	to, key := pairOf(t)
	_, other := pairOf(t)
	dir, env := sealedTo(t, to)
	closed, open := filepath.Join(dir, "closed.zip"), filepath.Join(dir, "open")
	mustEnd(t, exitDone, env, "export", "order3", "order4", "-o", closed)
	mustEnd(t, exitDone, env, "export", "order3", "--identity", key, "-o", open)
	if v, told := checked(t, exitDone, closed); v.Files != 4 || v.Bag.Encrypted != 4 || !strings.Contains(told, "--identity FILE") {
		t.Errorf("closed: %+v, %+v: %s", v, v.Bag, told)
	}
	if v, told := checked(t, exitDone, closed, "--identity", other, "--identity", key); v.Files != 4 || v.Bag.Encrypted != 0 || strings.Contains(told, "--identity") {
		t.Errorf("closed, with its key: %+v, %+v: %s", v, v.Bag, told)
	}
	if v, _ := checked(t, exitNotDone, closed, "--identity", other); len(v.Damage) != 4 || v.Files != 0 || !named(v, "locked data/orders/order4/photo.*.jpg.age") {
		t.Errorf("closed, with another key: %+v", v)
	}
	if v, _ := checked(t, exitDone, open); v.Files != 2 || v.Bag.Encrypted != 0 {
		t.Errorf("open: %+v, %+v", v, v.Bag)
	}
}

// TestVerifyBagLate: an order whose journal entry came after its window was sealed is in a later seal.
func TestVerifyBagLate(t *testing.T) {
	t.Parallel()
	dir, env := sealedDir(t)
	vault := filepath.Join(dir, "vault")
	yesterday := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	if err := os.RemoveAll(filepath.Join(vault, "seals", archive.SealName(yesterday))); err != nil { // as if it were not over
		t.Fatal(err)
	}
	b, err := dirbucket.Open(vault)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	archiveOrder(t, archive.New(b), "late1", yesterday.Add(-time.Hour), nil)
	mustEnd(t, exitDone, env, "seal")
	bag := filepath.Join(dir, "bag.zip")
	mustEnd(t, exitDone, env, "export", "late1", "order1", "-o", bag)
	v, _ := checked(t, exitDone, bag, "--seal-key", keyOf(t, env))
	if v.Orders != 2 || len(v.Bag.Seals) != 2 || v.Bag.Seals[1].Name != archive.SealName(yesterday) {
		t.Errorf("%+v, %+v", v, v.Bag)
	}
}

// TestVerifyBagUnstamped: without an authority a bag is good, and the warning says what that leaves open.
func TestVerifyBagUnstamped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := dirbucket.Open(filepath.Join(dir, "vault"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	archiveOrder(t, archive.New(b), "order1", time.Now().UTC().AddDate(0, 0, -2), nil)
	private, _, err := seal.NewKey("test.example/vault")
	if err != nil {
		t.Fatal(err)
	}
	env := []string{"KYC_ARCHIVE=file://" + filepath.Join(dir, "vault"), "KYC_SEAL_KEY=" + private.Reveal()}
	mustEnd(t, exitDone, env, "seal")
	bag := filepath.Join(dir, "bag")
	mustEnd(t, exitDone, env, "export", "order1", "-o", bag)
	if v, told := checked(t, exitDone, bag, "--seal-key", keyOf(t, env)); v.Orders != 1 || !v.Bag.Seals[0].Timestamp.IsZero() || !strings.Contains(told, "of 1 seals have no good timestamp") {
		t.Errorf("%+v, %+v: %s", v, v.Bag, told)
	}
	said := mustEnd(t, exitDone, env, "verify", "--bag", bag) // the key of the environment
	if !strings.Contains(said, "\n1 orders, 2 files, ") || !strings.Contains(said, "0 damaged") || strings.Contains(said, "compare") {
		t.Errorf("said %s", said)
	}
}

// TestVerifyBagUsage: no archive is checked by mistake, and none is no bag.
func TestVerifyBagUsage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{{"order1"}, {"--since", "1h"}, {"--day", "today"}, {"--checkpoint", "x"}, {"--archive", "file:///x"}, {"--seal-key", "nothing"}, {"--identity", filepath.Join(dir, "nosuch")}, {"--tsa-ca", filepath.Join(dir, "nosuch")}} {
		checked(t, exitUsage, dir, args...)
	}
	for _, path := range []string{dir, filepath.Join(dir, "nosuch")} {
		if said := mustEnd(t, exitNotDone, nil, "verify", "--bag", path); !strings.Contains(said, "open bag: ") {
			t.Errorf("%s: %s", path, said)
		}
	}
}

// TestVerifyBagShows: a name in a bag can not write to the terminal what it likes, and everything that is wrong is told at once.
func TestVerifyBagShows(t *testing.T) {
	t.Parallel()
	dir, env := sealedDir(t)
	bag := filepath.Join(dir, "bag")
	mustEnd(t, exitDone, env, "export", "order3", "order5", "-o", bag)
	b := forged{t, bag}
	for _, name := range []string{"a photo", "the timestamp", "one file more"} {
		tamperings[name](b)
	}
	b.write(filepath.Join(bag, "data", "\x1b[2Jmore"), []byte("more"))
	if err := os.Symlink("/etc/passwd", filepath.Join(bag, "data", "orders", "order5", "link")); err != nil {
		t.Fatal(err)
	}
	said := mustEnd(t, exitNotDone, nil, "verify", "--bag", bag)
	for _, want := range []string{
		"damaged changed: data/orders/order3/photo.", "damaged bad-timestamp: data/seals/", "damaged unlisted: data/orders/order3/photo.more.jpg",
		"damaged unknown: " + `"data/\x1b[2Jmore"`, "damaged refused: data/orders/order5/link",
		"0 orders, 3 files, 51 bytes read: 9 damaged", "kycvault: damaged: 9; ",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("not told: %s", want)
		}
	}
	if strings.Contains(said, "\x1b") || t.Failed() {
		t.Errorf("said:\n%q", said)
	}
}
