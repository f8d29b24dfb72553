package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/seal"
)

// sealedDir is a folder with orders of the day before yesterday, sealed and stamped by a real authority.
func sealedDir(t *testing.T) (dir string, env []string) { return sealedTo(t, nil) }

// sealedTo is sealedDir with evidence that is encrypted to the recipients.
func sealedTo(t *testing.T, to agekey.Recipients) (dir string, env []string) {
	t.Helper()
	dir = t.TempDir()
	tsa := peertest.StartTSA(t)
	ca := filepath.Join(dir, "tsa-ca.pem")
	if err := os.WriteFile(ca, tsa.Chain, 0o600); err != nil {
		t.Fatal(err)
	}
	vault := filepath.Join(dir, "vault")
	b, err := dirbucket.Open(vault)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	at := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -2)
	for i := range 9 {
		archiveOrder(t, archive.New(b), fmt.Sprintf("order%d", i), at.Add(time.Duration(i)*time.Hour), to)
	}
	private, _, err := seal.NewKey("test.example/vault")
	if err != nil {
		t.Fatal(err)
	}
	env = []string{"KYC_ARCHIVE=file://" + vault, "KYC_SEAL_KEY=" + private.Reveal(), "KYC_TSA_URL=" + tsa.URL, "KYC_TSA_CA=" + ca}
	mustEnd(t, exitDone, env, "seal")
	mustEnd(t, exitDone, env, "verify", "--read-only")
	return dir, env
}

// archiveOrder archives an order with a photo and a second manifest.
func archiveOrder(t *testing.T, a *archive.Archive, order string, at time.Time, to agekey.Recipients) {
	t.Helper()
	m := archive.Manifest{Order: archive.Order(order), AppID: "IDAXXXXX", State: archive.Archived, FirstSeen: at, ArchivedAt: at}
	for n := 1; n <= 2; n++ {
		m.Files = append(m.Files, keepPhoto(t, a, m.Order, fmt.Appendf(nil, "photo %d of %s", n, order), to))
		s, err := a.CreateManifest(t.Context(), n, m)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Journal(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		m.Previous, m.ArchivedAt = s.Digest, m.ArchivedAt.Add(10*time.Minute)
	}
}

// keepPhoto stores a photo, encrypted if there are recipients.
func keepPhoto(t *testing.T, a *archive.Archive, order archive.Order, photo []byte, to agekey.Recipients) archive.File {
	t.Helper()
	if len(to) == 0 {
		e, err := a.KeepEvidence(t.Context(), order, archive.Photo, "jpg", bucket.Bytes(photo, ""))
		if err != nil {
			t.Fatal(err)
		}
		return archive.File{Name: e.File(), Kind: e.Kind, Size: e.Size, SHA256: e.Digest}
	}
	var closed bytes.Buffer
	w, err := to.Encrypt(&closed, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(photo); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(photo)
	plain := archive.Plain{Size: int64(len(photo)), Digest: hex.EncodeToString(sum[:])}
	e, err := a.KeepEncrypted(t.Context(), order, archive.Photo, "jpg", plain, bucket.Bytes(closed.Bytes(), ""))
	if err != nil {
		t.Fatal(err)
	}
	return archive.File{Name: e.File(), Kind: e.Kind, Size: e.Plain, SHA256: e.Digest, Stored: e.StoredAs()}
}

// mustEnd runs kycvault, which must end with the exit code.
func mustEnd(t *testing.T, want int, env []string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), args, nil, &stdout, &stderr, env); code != want {
		t.Fatalf("%q: exit code %d, want %d:\n%s%s", args, code, want, &stdout, &stderr)
	}
	return stdout.String() + stderr.String()
}

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// follow does what a bag's README says, to the letter, and gives what was printed.
func follow(t *testing.T, dir string) (output string, err error) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return "", err
	}
	blocks := shellBlock.FindAllSubmatch(text, -1)
	if len(blocks) != 4 {
		t.Errorf("%d blocks of commands", len(blocks))
	}
	for _, block := range blocks {
		cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", string(block[1]))
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if output += string(out); err != nil {
			return output, err
		}
	}
	return output, nil
}

// unzip writes a ZIP file's one folder, and gives it.
func unzip(t *testing.T, file string) string {
	t.Helper()
	r, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	dir := t.TempDir()
	if err := os.CopyFS(dir, r); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, strings.TrimSuffix(filepath.Base(file), ".zip"))
}

// TestExport follows the README of real bags: it finds them good, and every tampered one bad, also where the one who tampered has
// made all lists anew. What the README finds, verify --bag finds too, and names.
func TestExport(t *testing.T) {
	t.Parallel()
	peertest.Program(t, "openssl")
	dir, env := sealedDir(t)
	good := filepath.Join(dir, "bag")
	mustEnd(t, exitDone, env, "export", "order3", "order5", "-o", good)
	mustEnd(t, exitDone, env, "export", "order3", "-o", filepath.Join(dir, "case.zip"))
	for _, bag := range []string{good, unzip(t, filepath.Join(dir, "case.zip"))} {
		out, err := follow(t, bag)
		if err != nil || !strings.Contains(out, "\nGOOD\n") || strings.Count(out, "Signature Verified Successfully") != 1 || !strings.Contains(out, "Verification: OK") {
			t.Errorf("%s: %v\n%s", bag, err, out)
		}
	}
	for name, tamper := range tamperings {
		if namedBy[name] == "" {
			t.Errorf("what names %q?", name)
		}
		t.Run(name, func(t *testing.T) {
			bag := filepath.Join(t.TempDir(), "bag")
			if err := os.CopyFS(bag, os.DirFS(good)); err != nil {
				t.Fatal(err)
			}
			b := forged{t, bag}
			tamper(b)
			if out, err := follow(t, bag); err == nil {
				t.Errorf("found good:\n%s", out)
			}
			names(t, bag, namedBy[name])
			b.relist()
			if out, err := follow(t, bag); err == nil {
				t.Errorf("found good when all lists were made anew:\n%s", out)
			}
			names(t, bag, namedBy[name])
		})
	}
}

// forged is a bag that somebody works on.
type forged struct {
	t   *testing.T
	dir string
}

// file finds the one file of a pattern.
func (b forged) file(pattern string) string {
	b.t.Helper()
	found, err := filepath.Glob(filepath.Join(b.dir, pattern))
	if err != nil || len(found) == 0 {
		b.t.Fatalf("no %s: %v", pattern, err)
	}
	return found[0]
}

func (b forged) edit(pattern string, change func(data []byte) []byte) {
	b.t.Helper()
	file := b.file(pattern)
	data, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write(file, change(data))
}

func (b forged) write(file string, data []byte) {
	b.t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// relist makes the bag's lists anew.
func (b forged) relist() {
	b.t.Helper()
	var payload, tags strings.Builder
	list := func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "tagmanifest-sha256.txt" || d.Name() == "manifest-sha256.txt" {
			return err
		}
		data, err := os.ReadFile(file)
		name, _ := filepath.Rel(b.dir, file)
		into := &tags
		if strings.HasPrefix(name, "data/") {
			into = &payload
		}
		_, _ = fmt.Fprintf(into, "%x  %s\n", sha256.Sum256(data), name)
		return err
	}
	if err := filepath.WalkDir(b.dir, list); err != nil {
		b.t.Fatal(err)
	}
	b.write(filepath.Join(b.dir, "manifest-sha256.txt"), []byte(payload.String()))
	_, _ = fmt.Fprintf(&tags, "%x  manifest-sha256.txt\n", sha256.Sum256([]byte(payload.String())))
	b.write(filepath.Join(b.dir, "tagmanifest-sha256.txt"), []byte(tags.String()))
}

const photo3, manifest3, proof3 = "data/orders/order3/photo.*.jpg", "data/orders/order3/manifest.2.json", "data/orders/order3/manifest.2.json.proof"

func flip(data []byte) []byte {
	data[len(data)/2] ^= 1
	return data
}

// another makes the bag name another photo: the manifest and its proof fit then, the tree does not.
func another(b forged) {
	old := b.file(photo3)
	data := []byte("another photo of order3")
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	before := strings.Split(filepath.Base(old), ".")[1]
	b.write(filepath.Join(filepath.Dir(old), "photo."+digest+".jpg"), data)
	if err := os.Remove(old); err != nil {
		b.t.Fatal(err)
	}
	for _, manifest := range []string{"manifest.json", "manifest.2.json"} {
		var leaf string
		b.edit("data/orders/order3/"+manifest, func(text []byte) []byte {
			text = bytes.ReplaceAll(text, []byte(before), []byte(digest))
			text = regexp.MustCompile(`"size": \d+`).ReplaceAll(text, fmt.Appendf(nil, `"size": %d`, len(data)))
			leaf = fmt.Sprintf(`"leaf": "order3 %x"`, sha256.Sum256(text))
			return text
		})
		b.edit("data/orders/order3/"+manifest+".proof", func(text []byte) []byte {
			return regexp.MustCompile(`"leaf": "[^"]*"`).ReplaceAll(text, []byte(leaf))
		})
	}
}

var tamperings = map[string]func(b forged){
	"a photo":         func(b forged) { b.edit(photo3, flip) },
	"a photo is gone": func(b forged) { _ = os.Remove(b.file(photo3)) },
	"another photo":   another,
	"a manifest":      func(b forged) { b.edit(manifest3, func(d []byte) []byte { return append(d, '\n') }) },
	"a manifest is gone": func(b forged) {
		_ = os.Remove(b.file(proof3))
		_ = os.Remove(b.file(manifest3))
	},
	"a proof": func(b forged) {
		b.edit(proof3, func(d []byte) []byte {
			return regexp.MustCompile(`"index": \d+`).ReplaceAll(d, []byte(`"index": 0`))
		})
	},
	"swapped manifests": func(b forged) {
		other := "data/orders/order5/manifest.json"
		var first, second []byte
		b.edit(other, func(d []byte) []byte { first = bytes.Clone(d); return d })
		b.edit(manifest3, func(d []byte) []byte { second = bytes.Clone(d); return first })
		b.edit(other, func([]byte) []byte { return second })
	},
	"the root": func(b forged) {
		b.edit("data/seals/*/checkpoint", func(d []byte) []byte {
			lines := strings.SplitN(string(d), "\n", 4)
			lines[2] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
			return []byte(strings.Join(lines, "\n"))
		})
	},
	"the window": func(b forged) {
		b.edit("data/seals/*/checkpoint", func(d []byte) []byte {
			return bytes.Replace(d, []byte("T000000Z\nprevious"), []byte("T000001Z\nprevious"), 1)
		})
	},
	"the timestamp": func(b forged) {
		b.edit("data/seals/*/checkpoint.tsr", func(d []byte) []byte { d[len(d)-1] ^= 1; return d })
	},
	"the timestamp is gone": func(b forged) { _ = os.Remove(b.file("data/seals/*/checkpoint.tsr")) },
	"one file more":         func(b forged) { b.write(filepath.Join(b.dir, "data/orders/order3/photo.more.jpg"), []byte("more")) },
	"a photo, and a module of Python that says GOOD": func(b forged) {
		b.edit(photo3, flip)
		b.write(filepath.Join(b.dir, "json.py"), []byte("print('GOOD')\nraise SystemExit(0)\n"))
	},
	"signed anew": func(b forged) { b.signAnew() },
}

// signAnew signs another checkpoint with a key of the forger's own, which comes with the bag, and gives the public one.
func (b forged) signAnew() (public string) {
	b.t.Helper()
	private, public, err := seal.NewKey("test.example/vault")
	if err != nil {
		b.t.Fatal(err)
	}
	key, err := seal.ParseKey(private)
	if err != nil {
		b.t.Fatal(err)
	}
	shown, err := seal.ParsePublicKey(public)
	if err != nil {
		b.t.Fatal(err)
	}
	b.edit("data/seals/*/checkpoint", func(d []byte) []byte {
		c, err := seal.Peek(d)
		if err != nil {
			b.t.Fatal(err)
		}
		c.Window.End = c.Window.End.Add(time.Second)
		signed, err := c.Sign(key)
		if err != nil {
			b.t.Fatal(err)
		}
		return signed
	})
	pem, err := shown.PEM()
	if err != nil {
		b.t.Fatal(err)
	}
	b.edit("data/seals/*/key.pem", func([]byte) []byte { return pem })
	return public
}

// TestExportRefuses: what can not be proven is not exported, and nothing is left behind.
func TestExportRefuses(t *testing.T) {
	t.Parallel()
	dir, env := sealedDir(t)
	out := filepath.Join(dir, "bag.zip")
	b, err := dirbucket.Open(filepath.Join(dir, "vault"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	archiveOrder(t, archive.New(b), "fresh", time.Now().UTC(), nil)
	if said := mustEnd(t, exitNotDone, env, "export", "fresh", "-o", out); !strings.Contains(said, "not sealed") {
		t.Errorf("of a window that is not over: %s", said)
	}
	mustEnd(t, exitNotDone, env, "export", "nosuch", "-o", out)
	mustEnd(t, exitUsage, env, "export", "../x", "-o", out)
	other := filepath.Join(dir, "other.pub")
	if err := os.WriteFile(other, []byte("test.example/vault+85a0ee6e+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := mustEnd(t, exitNotDone, env, "export", "order1", "-o", out, "--seal-key", other); !strings.Contains(said, "not signed") {
		t.Errorf("of another key: %s", said)
	}
	found, err := filepath.Glob(filepath.Join(dir, "vault", "orders", "order1", "photo.*"))
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	if err := os.WriteFile(found[0], []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, exitNotDone, env, "export", "order1", "-o", out)
	left, err := filepath.Glob(filepath.Join(dir, "*bag*"))
	hidden, err2 := filepath.Glob(filepath.Join(dir, ".kycvault*"))
	if len(left)+len(hidden) > 0 || err != nil || err2 != nil {
		t.Errorf("left behind: %q %q", left, hidden)
	}
	mustEnd(t, exitDone, env, "export", "order2", "-o", out)
	mustEnd(t, exitNotDone, env, "export", "order2", "-o", out) // it is there already
}
