package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// elsewhere makes another photo of order3, and a tree of one leaf for each of its manifests, whose unsigned checkpoint lies where
// the loops of the README do not come by. folder is that of the checkpoint, below data/seals, as the proof names it.
func elsewhere(folder string) func(b forged) {
	return func(b forged) {
		another(b)
		_ = os.Remove(b.file(manifest3)) // one manifest, for one tree
		_ = os.Remove(b.file(proof3))
		at := filepath.Join(b.dir, "data/seals", folder)
		if err := os.MkdirAll(at, 0o700); err != nil {
			b.t.Fatal(err)
		}
		b.edit("data/orders/order3/manifest.json.proof", func(text []byte) []byte {
			leaf := regexp.MustCompile(`"leaf": "([^"]*)"`).FindSubmatch(text)[1]
			root := sha256.Sum256(append([]byte{0}, leaf...))
			b.write(filepath.Join(at, "checkpoint"), fmt.Appendf(nil, "x\n1\n%s\nx\nwindow %s 20991231T000000Z\n\n", base64.StdEncoding.EncodeToString(root[:]), folder))
			return fmt.Appendf(nil, `{"version":1,"seal":%q,"leaf":%q,"index":0,"size":1,"path":[]}`, folder, leaf)
		})
		for _, photo := range b.others() {
			_ = os.Remove(photo)
		}
	}
}

// others are the photos of order3 that its first manifest does not name.
func (b forged) others() (files []string) {
	b.t.Helper()
	first, err := os.ReadFile(b.file("data/orders/order3/manifest.json"))
	if err != nil {
		b.t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(b.dir, photo3))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, file := range found {
		if !bytes.Contains(first, []byte(filepath.Base(file))) {
			files = append(files, file)
		}
	}
	return files
}

// terminal is a name that would make a terminal show GOOD and nothing before it.
const terminal = "photo.\x1b[2K\rGOOD"

// TestForgedBags: bags whose maker knows the README's steps, and has made all lists anew. Each must fail at one of them.
func TestForgedBags(t *testing.T) {
	t.Parallel()
	peertest.Program(t, "openssl")
	dir, env := sealedDir(t)
	good := filepath.Join(dir, "bag")
	mustEnd(t, exitDone, env, "export", "order3", "-o", good)
	for name, c := range map[string]struct {
		forge func(b forged)
		named string // by verify --bag
		says  string // what check.py says
	}{
		"a seal in a hidden folder":  {elsewhere(".hidden"), "unsealed data/orders/order3/manifest.json*", "NOT GOOD"},
		"a seal above the seals":     {elsewhere(".."), "unsealed data/orders/order3/manifest.json*", "NOT GOOD"},
		"a seal without a signature": {elsewhere("20200101T000000Z"), "bad-seal data/seals/20200101T000000Z/checkpoint", ""},
		"a photo beside the orders": {func(b forged) {
			b.write(filepath.Join(b.dir, "data", "photo.of.another.jpg"), []byte("another"))
		}, "unknown data/photo.of.another.jpg", "NOT GOOD"},
		"no order": {func(b forged) {
			_ = os.RemoveAll(b.file("data/orders/order3"))
			_ = os.MkdirAll(filepath.Join(b.dir, "data/orders"), 0o700)
		}, "missing data/orders", "NOT GOOD"},
		"a name that a terminal obeys": {func(b forged) {
			b.write(filepath.Join(b.dir, "data/orders/order3", terminal), []byte("x"))
		}, "unknown */*/*/photo*GOOD*", "NOT GOOD"},
		"a name of a manifest that a terminal obeys": {func(b forged) {
			for _, proof := range []string{"", ".proof"} {
				old := b.file(manifest3 + proof)
				if err := os.Rename(old, filepath.Join(filepath.Dir(old), "manifest.\x1b[2K\rGOOD.json"+proof)); err != nil {
					b.t.Fatal(err)
				}
			}
		}, "unknown */*/*/manifest*GOOD*", "NOT GOOD"},
		"a link": {func(b forged) {
			photo := b.file(photo3)
			if err := os.Rename(photo, filepath.Join(b.dir, "photo")); err != nil {
				b.t.Fatal(err)
			}
			if err := os.Symlink("../../../photo", photo); err != nil {
				b.t.Fatal(err)
			}
		}, "refused data/orders/order3/photo.*.jpg", "NOT GOOD"},
	} {
		t.Run(name, func(t *testing.T) {
			bag := filepath.Join(t.TempDir(), "bag")
			if err := os.CopyFS(bag, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			b := forged{t, bag}
			c.forge(b)
			b.relist()
			out, err := follow(t, bag)
			if err == nil || !strings.Contains(out, c.says) || strings.ContainsAny(out, "\x1b\r") {
				t.Errorf("%v: %q", err, out)
			}
			names(t, bag, c.named)
		})
	}
}

// TestForgersKeyShows: where there is no timestamp, a forger's own key in the bag is all that gives him away. The README's steps
// show it in a form that can be compared with the published key, whatever the README says that it is.
func TestForgersKeyShows(t *testing.T) {
	t.Parallel()
	peertest.Program(t, "openssl")
	dir, env := sealedDir(t)
	good := filepath.Join(dir, "bag")
	mustEnd(t, exitDone, env, "export", "order3", "-o", good)
	published := lastPart(strings.TrimSpace(mustEnd(t, exitDone, env, "seal", "public")))
	out, err := follow(t, good)
	if err != nil || !strings.Contains(out, published+"\n") {
		t.Fatalf("the key is not shown: %v\n%s", err, out)
	}
	b := forged{t, good}
	public := b.signAnew()
	b.relist()
	if out, _ = follow(t, good); strings.Contains(out, published) || !strings.Contains(out, lastPart(public)+"\n") {
		t.Errorf("the forger's key is not shown, or the published one is:\n%s", out)
	}
}

// lastPart is the part of a public key's text that is the key.
func lastPart(public string) string { return strings.SplitN(public, "+", 3)[2] }
