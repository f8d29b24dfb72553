package seal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/secret"
)

var update = flag.Bool("update", false, "write the vectors anew: only for a new version of the format")

// testKey is a key that everyone knows; docs/evidence.md shows it.
const testKey = "PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

func key(t testing.TB) seal.Key {
	t.Helper()
	k, err := seal.ParseKey(secret.New(testKey))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func public(t testing.TB, k seal.Key) seal.PublicKey {
	t.Helper()
	p, err := seal.ParsePublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// leavesOf makes n leaves, every seventh of them late.
func leavesOf(n int) []seal.Leaf {
	var all []seal.Leaf
	for i := range n {
		all = append(all, seal.Leaf{Order: archive.Order(fmt.Sprintf("order%d", i)), Digest: fmt.Sprintf("%064x", i*i+1), Late: i%7 == 6})
	}
	return seal.SortLeaves(all)
}

func fileOf(t testing.TB, leaves []seal.Leaf) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := seal.WriteLeaves(&b, leaves); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(data []byte) (all []seal.Leaf, err error) {
	for l, err := range seal.ReadLeaves(bytes.NewReader(data)) {
		if err != nil {
			return all, err
		}
		all = append(all, l)
	}
	return all, nil
}

// treeByHashlib is RFC 6962 section 2.1 as its text says it, in a language and with a library that are not ours.
const treeByHashlib = `
import hashlib, sys
def h(b): return hashlib.sha256(b).digest()
def mth(d):
    if not d: return h(b"")
    if len(d) == 1: return h(b"\0" + d[0])
    k = 1
    while k * 2 < len(d): k *= 2
    return h(b"\1" + mth(d[:k]) + mth(d[k:]))
def path(m, d):
    if len(d) <= 1: return []
    k = 1
    while k * 2 < len(d): k *= 2
    return path(m, d[:k]) + [mth(d[k:])] if m < k else path(m - k, d[k:]) + [mth(d[:k])]
for tree in sys.stdin.buffer.read().split(b"=\n")[:-1]:
    d = tree.split(b"\n")[:-1]
    print(mth(d).hex())
    for m in range(len(d)): print(" ".join(x.hex() for x in path(m, d)))
`

// TestTreeAgainstAnother: roots and every inclusion proof are those that another program makes.
func TestTreeAgainstAnother(t *testing.T) {
	sizes := []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 100}
	var trees []byte
	for _, n := range sizes {
		trees = append(append(trees, fileOf(t, leavesOf(n))...), "=\n"...)
	}
	cmd := exec.CommandContext(t.Context(), "python3", "-c", treeByHashlib)
	cmd.Stdin = bytes.NewReader(trees)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	want := strings.Split(string(out), "\n")
	for _, n := range sizes {
		leaves := leavesOf(n)
		tree := seal.TreeOf(leaves)
		if root := tree.Root(); hex.EncodeToString(root[:]) != want[0] || tree.Size() != uint64(n) {
			t.Errorf("%d leaves: root %x of %d, want %s", n, root, tree.Size(), want[0])
		}
		for i := range leaves {
			path, err := seal.Prove(leaves, uint64(i))
			var texts []string
			for _, h := range path {
				texts = append(texts, hex.EncodeToString(h[:]))
			}
			if err != nil || strings.Join(texts, " ") != want[1+i] {
				t.Errorf("leaf %d of %d: %v, %v", i, n, texts, err)
			}
			if err := seal.CheckProof(leaves[i], uint64(i), uint64(n), path, tree.Root()); err != nil {
				t.Errorf("leaf %d of %d: %v", i, n, err)
			}
			if seal.CheckProof(leaves[(i+1)%n], uint64(i), uint64(n), path, tree.Root()) == nil && n > 1 {
				t.Errorf("leaf %d of %d: the proof proves another leaf", i, n)
			}
		}
		want = want[1+n:]
	}
	if _, err := seal.Prove(leavesOf(3), 3); err == nil {
		t.Error("a proof of a leaf that is not there")
	}
}

func TestLeavesAreSortedAsText(t *testing.T) {
	digest := strings.Repeat("0a", 32)
	leaves := seal.SortLeaves([]seal.Leaf{
		{Order: "b", Digest: digest}, {Order: "ab", Digest: digest}, {Order: "a", Digest: strings.Repeat("f", 64), Late: true},
		{Order: "a", Digest: digest}, {Order: "a0", Digest: digest}, {Order: "B", Digest: digest}, {Order: "ab", Digest: digest, Late: true},
	})
	data := fileOf(t, leaves)
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if !slices.IsSorted(lines) || len(lines) != 6 {
		t.Errorf("not sorted, or the same manifest twice:\n%s", data)
	}
	got, err := read(data)
	if err != nil || !slices.Equal(got, leaves) {
		t.Errorf("read back: %v, %v", got, err)
	}
	if strings.Contains(string(data), "ab "+digest+" late") {
		t.Error("a leaf that is on time became late")
	}
}

func TestReadLeavesRefuses(t *testing.T) {
	d := strings.Repeat("0a", 32)
	for name, data := range map[string]string{
		"not sorted": "b " + d + "\na " + d + "\n", "twice": "a " + d + "\na " + d + "\n", "twice, once late": "a " + d + "\na " + d + " late\n",
		"last line open": "a " + d, "empty line": "\n", "return": "a " + d + "\r\n", "upper case": "a " + strings.ToUpper(d) + "\n",
		"short digest": "a " + d[1:] + "\n", "other word": "a " + d + " soon\n", "blank at the end": "a " + d + " \n", "no order": " " + d + "\n",
		"bad order": "a/b " + d + "\n", "long": strings.Repeat("a", 1<<20) + "\n", "more": "a " + d + " late late\n",
	} {
		if got, err := read([]byte(data)); !errors.Is(err, seal.ErrFormat) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// checkpoints are the vectors: the first one of a chain, and one that follows it.
func checkpoints(t testing.TB) map[string]seal.Checkpoint {
	t.Helper()
	day := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	first := seal.Checkpoint{Origin: "test.example/vault", Root: seal.NewTree().Root(), Window: seal.Window{Start: day, End: day.AddDate(0, 0, 1)}}
	signed, err := first.Sign(key(t))
	if err != nil {
		t.Fatal(err)
	}
	tree := seal.TreeOf(leavesOf(10))
	return map[string]seal.Checkpoint{"first": first, "second": {
		Origin: "test.example/vault", Size: tree.Size(), Root: tree.Root(), Window: seal.Window{Start: day.AddDate(0, 0, 1), End: day.AddDate(0, 0, 2)},
		PreviousStart: day, Previous: seal.Digest(signed), Late: 1, Timestamp: true,
	}}
}

// TestVectors: the bytes of leaves and checkpoints are those of testdata, for ever.
func TestVectors(t *testing.T) {
	k := key(t)
	vectors := map[string][]byte{"leaves": fileOf(t, leavesOf(10)), "public-key": []byte(k.Public() + "\n")}
	for name, c := range checkpoints(t) {
		signed, err := c.Sign(k)
		if err != nil {
			t.Fatal(err)
		}
		vectors[name+".checkpoint"] = signed
	}
	for name, data := range vectors {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(data, want) {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, data, want)
		}
	}
}

func TestOpenCheckpoint(t *testing.T) {
	k := key(t)
	text, otherPublic, err := seal.NewKey("test.example/vault")
	if err != nil {
		t.Fatal(err)
	}
	other, err := seal.ParsePublicKey(otherPublic)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range checkpoints(t) {
		signed, err := c.Sign(k)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := seal.Open(signed, []seal.PublicKey{other, public(t, k)}); err != nil || got != c {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c)
		}
		if got, err := seal.Peek(signed); err != nil || got != c {
			t.Errorf("%s: peek: %+v, %v", name, got, err)
		}
		if _, err := seal.Open(signed, []seal.PublicKey{other}); !errors.Is(err, seal.ErrUnsigned) {
			t.Errorf("%s: another key of the same name: %v", name, err)
		}
		for i := range signed { // whatever byte is changed shows
			bad := bytes.Clone(signed)
			bad[i] ^= 1
			if got, err := seal.Open(bad, []seal.PublicKey{public(t, k)}); err == nil {
				t.Fatalf("%s: byte %d of %d changed: %+v", name, i, len(signed), got)
			}
		}
	}
	for _, shown := range []string{fmt.Sprint(text), fmt.Sprintf("%+v", text)} {
		if strings.Contains(shown, "PRIVATE") {
			t.Error("a private key prints")
		}
	}
}

func TestPeekRefuses(t *testing.T) {
	good := checkpoints(t)["second"]
	newer, err := seal.SignText(key(t), strings.Replace(good.Text(), "kycvault-seal 1\n", "kycvault-seal 2\nmore\n", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Peek(newer); !errors.Is(err, archive.ErrNewer) {
		t.Errorf("of a later version: %v", err)
	}
	for name, text := range map[string]string{
		"empty": "", "no signature": good.Text(), "other note": "a\nb\n\n— test.example/vault m1yMrgAAAA==\n",
	} {
		if _, err := seal.Peek([]byte(text)); !errors.Is(err, seal.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*seal.Checkpoint){
		"window of no time": func(c *seal.Checkpoint) { c.Window.End = c.Window.Start },
		"more late":         func(c *seal.Checkpoint) { c.Late = 11 },
		"negative late":     func(c *seal.Checkpoint) { c.Late = -1 },
		"bad digest":        func(c *seal.Checkpoint) { c.Previous = "a" },
		"later before":      func(c *seal.Checkpoint) { c.PreviousStart = c.Window.End },
	} {
		c := good
		change(&c)
		signed, err := c.Sign(key(t))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seal.Peek(signed); !errors.Is(err, seal.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestKeys(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "public": key(t).Public(), "cut": testKey[:len(testKey)-4], "hash": strings.Replace(testKey, "85a0ee6e", "00000000", 1),
	} {
		if _, err := seal.ParseKey(secret.New(text)); err == nil || strings.Contains(err.Error(), "AQAB") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{"empty": "", "private": testKey, "pluses": "+++", "cut": key(t).Public()[:40]} {
		if _, err := seal.ParsePublicKey(text); !errors.Is(err, seal.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", "a b", "a+b", "ä", strings.Repeat("a", 101), "a\nb"} {
		if _, _, err := seal.NewKey(name); err == nil {
			t.Errorf("a key may be called %q", name)
		}
	}
}

func FuzzReadLeaves(f *testing.F) {
	f.Add(fileOf(f, leavesOf(10)))
	f.Add([]byte("a b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if leaves, err := read(data); err == nil && !bytes.Equal(fileOf(t, leaves), data) {
			t.Errorf("%q is read and written as %q", data, fileOf(t, leaves))
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	for _, c := range checkpoints(f) {
		f.Add(c.Text())
	}
	k := key(f)
	f.Fuzz(func(t *testing.T, text string) {
		signed, err := seal.SignText(k, text)
		if err != nil {
			return // no note has such a text
		}
		if c, err := seal.Open(signed, []seal.PublicKey{public(t, k)}); err == nil && c.Text() != text {
			t.Errorf("%q is read and written as %q", text, c.Text())
		}
	})
}

// proofOf is the proof of a leaf of a tree, as export writes it.
func proofOf(t testing.TB, leaves []seal.Leaf, index uint64) seal.Proof {
	t.Helper()
	path, err := seal.Prove(leaves, index)
	if err != nil {
		t.Fatal(err)
	}
	p := seal.Proof{Version: seal.ProofVersion, Seal: "20261123T000000Z", Leaf: leaves[index].String(), Index: index, Size: uint64(len(leaves)), Path: []string{}}
	for _, h := range path {
		p.Path = append(p.Path, hex.EncodeToString(h[:]))
	}
	return p
}

// TestProof: each leaf of trees of all sizes is proven by what is written and read, and nothing else is.
func TestProof(t *testing.T) {
	for size := 1; size <= 17; size++ {
		leaves := leavesOf(size)
		c := seal.Checkpoint{Size: uint64(size), Root: seal.TreeOf(leaves).Root(), Window: seal.Window{Start: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}}
		for i, leaf := range leaves {
			text, err := proofOf(t, leaves, uint64(i)).Encode()
			if err != nil {
				t.Fatal(err)
			}
			p, err := seal.ParseProof(text)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.Check(leaf.Order, leaf.Digest, c); err != nil || got != leaf {
				t.Errorf("leaf %d of %d: %v, %v", i, size, got, err)
			}
			wrong := map[string]func(p *seal.Proof, c *seal.Checkpoint){
				"index": func(p *seal.Proof, _ *seal.Checkpoint) { p.Index = (p.Index + 1) % (p.Size + 1) },
				"root":  func(_ *seal.Proof, c *seal.Checkpoint) { c.Root[7] ^= 1 },
				"tree":  func(p *seal.Proof, _ *seal.Checkpoint) { p.Size++ },
				"seal":  func(p *seal.Proof, _ *seal.Checkpoint) { p.Seal = "20261124T000000Z" },
				"late":  func(p *seal.Proof, _ *seal.Checkpoint) { p.Leaf += " late" },
				"long":  func(p *seal.Proof, _ *seal.Checkpoint) { p.Path = append(p.Path, leaf.Digest) },
				"hex":   func(p *seal.Proof, _ *seal.Checkpoint) { p.Path = append(p.Path, "0g") },
			}
			for name, change := range wrong {
				p, c := proofOf(t, leaves, uint64(i)), c
				change(&p, &c)
				if _, err := p.Check(leaf.Order, leaf.Digest, c); err == nil {
					t.Errorf("leaf %d of %d, other %s: proven", i, size, name)
				}
			}
			if _, err := p.Check("other", leaf.Digest, c); err == nil {
				t.Error("of another order: proven")
			}
			if _, err := p.Check(leaf.Order, strings.Repeat("0", 64), c); err == nil {
				t.Error("of another manifest: proven")
			}
		}
	}
}

// TestParseProofRefuses: what would not be written so.
func TestParseProofRefuses(t *testing.T) {
	good, err := proofOf(t, leavesOf(5), 2).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"{", "["}, {"\n", ""}, {`"size": 5`, `"size": 2`}, {`"size": 5`, `"size": 5, "size": 5`}, {`"version": 1`, `"version": 0`}, {`"index": 2`, `"index": -2`},
		{`"index": 2`, `"index": 2.0`}, {"20261123T", "20261323T"}, {`"leaf": "`, `"leaf": " `}, {`"path"`, `"more": 1, "path"`}, {`"path"`, `"Path"`},
	} {
		if _, err := seal.ParseProof([]byte(strings.Replace(string(good), change[0], change[1], 1))); !errors.Is(err, seal.ErrFormat) {
			t.Errorf("%s for %s: %v", change[1], change[0], err)
		}
	}
	if _, err := seal.ParseProof([]byte(strings.Replace(string(good), `"version": 1`, `"version": 2`, 1))); !errors.Is(err, archive.ErrNewer) {
		t.Errorf("of a later version: %v", err)
	}
}

// TestParsePEM: a public key as openssl has it, and its name.
func TestParsePEM(t *testing.T) {
	want := public(t, key(t))
	text, err := want.PEM()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := seal.ParsePEM(want.Name(), text); err != nil || got.String() != want.String() {
		t.Errorf("%s, %v", got, err)
	}
	const p256 = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEn1LlwLN/KBYQRVH6HfIMTzfEqJOVztLe\nkLchp2hi78cCaMY81FBlYs8J9l7krc+M4aBeCGYFjba+hiXttJWPLw==\n-----END PUBLIC KEY-----\n"
	for name, text := range map[string]string{
		"empty": "", "text": want.String(), "cut": string(text[:40]), "certificate": strings.ReplaceAll(string(text), "PUBLIC KEY", "CERTIFICATE"), "not Ed25519": p256,
	} {
		if _, err := seal.ParsePEM("name", []byte(text)); !errors.Is(err, seal.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := seal.ParsePEM("two words", text); err == nil {
		t.Error("a key of no name")
	}
}

// FuzzProof: a proof that is read is written with the same bytes; whatever is in it, checking it ends, and only the leaf that it is
// of is proven.
func FuzzProof(f *testing.F) {
	leaves := leavesOf(10)
	for _, index := range []uint64{0, 5, 9} {
		text, err := proofOf(f, leaves, index).Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	root := seal.TreeOf(leaves).Root()
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := seal.ParseProof(data)
		if err != nil {
			return
		}
		if again, err := p.Encode(); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q is read and written as %q, %v", data, again, err)
		}
		leaf, err := seal.ParseLeaf(p.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		start, _ := archive.ParseSealName(p.Seal)
		c := seal.Checkpoint{Size: p.Size, Root: root, Window: seal.Window{Start: start}}
		if _, err := p.Check(leaf.Order, leaf.Digest, c); err == nil && (p.Size != 10 || leaves[p.Index] != leaf) {
			t.Errorf("proven: %s", data)
		}
	})
}
