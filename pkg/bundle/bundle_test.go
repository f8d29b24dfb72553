package bundle_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bag"
	"github.com/kycvault/kycvault/pkg/bundle"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
	"github.com/kycvault/kycvault/pkg/secret"
)

// The vector testdata/good.zip was made by kycvault export, from a vault whose seals are signed with this key and stamped by a real
// authority: plain1 has plain files, closed1 encrypted ones (identity.txt opens them), late1 is in the seal after that of its window.
const (
	vectorKey  = "PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
	first, end = "20261124T000000Z", "20261125T000000Z"
)

// files are those of a bag, by name.
type files map[string][]byte

// vector reads the vector.
func vector(t testing.TB) files {
	t.Helper()
	z, err := zip.OpenReader("testdata/good.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	all := make(files)
	for _, entry := range z.File {
		r, err := entry.Open()
		if err != nil {
			t.Fatal(err)
		}
		name, _ := strings.CutPrefix(entry.Name, "good/")
		if all[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// pack makes a ZIP file of a bag, whose lists are made anew.
func pack(t testing.TB, all files) []byte {
	t.Helper()
	for _, list := range []string{"manifest-sha256.txt", "tagmanifest-sha256.txt"} {
		delete(all, list)
		var text strings.Builder
		for name, data := range all {
			if strings.HasPrefix(name, "data/") == (list == "manifest-sha256.txt") {
				fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(data), name)
			}
		}
		all[list] = []byte(text.String())
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "bag/" + name, Method: zip.Store})
		if err == nil {
			_, err = w.Write(all[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// check checks a bag.
func check(t testing.TB, data []byte, o bundle.Options) bundle.Checked {
	t.Helper()
	b, err := bag.NewZIP(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := bundle.Check(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// everything is what the vector's checkers should have.
func everything(t testing.TB) bundle.Options {
	t.Helper()
	roots, err := stamp.ParseRoots(vector(t)[bundle.CAFile])
	if err != nil {
		t.Fatal(err)
	}
	keys, err := agekey.ReadIdentities("testdata/identity.txt")
	if err != nil {
		t.Fatal(err)
	}
	return bundle.Options{Keys: []seal.PublicKey{publicKey(t)}, Roots: roots, Identities: keys}
}

func privateKey(t testing.TB) seal.Key {
	t.Helper()
	key, err := seal.ParseKey(secret.New(vectorKey))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func publicKey(t testing.TB) seal.PublicKey {
	t.Helper()
	key, err := seal.ParsePublicKey(privateKey(t).Public())
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestVector: the bag as it was made, by itself and with all that can be given.
func TestVector(t *testing.T) {
	data, err := os.ReadFile("testdata/good.zip")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]bundle.Options{"alone": {}, "with everything": everything(t)} {
		sum := check(t, data, o)
		if len(sum.Damage) > 0 || sum.Orders != 3 || sum.Files != 6 || !sum.CA || sum.Encrypted != 2-2*len(o.Keys) {
			t.Errorf("%s: %+v", name, sum)
		}
		if len(sum.Seals) != 2 || sum.Seals[0].Name != first || sum.Seals[1].Name != end || sum.Seals[1].Key != publicKey(t).String() || sum.Seals[1].Timestamp.Before(sum.Seals[1].Until) {
			t.Errorf("%s: %+v", name, sum.Seals)
		}
	}
}

// edit changes a file of a bag.
func (f files) edit(name string, change func(text string) string) {
	f[name] = []byte(change(string(f[name])))
}

func replace(old, new string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, old, new) }
}

func more(text string) string { return text + "x" }

// TestForged: one thing each, with all lists made anew. The first that is told is what was done, whatever follows from it.
func TestForged(t *testing.T) {
	const order, sealed = "data/orders/plain1/", "data/seals/" + first + "/"
	for name, test := range map[string]struct {
		forge func(f files)
		want  string
	}{
		"the first manifest is gone":     {func(f files) { delete(f, order+"manifest.json"); delete(f, order+"manifest.json.proof") }, "missing data/orders/plain1/manifest.json"},
		"a proof is gone":                {func(f files) { delete(f, order+"manifest.2.json.proof") }, "missing data/orders/plain1/manifest.2.json.proof"},
		"a proof of the other":           {func(f files) { f[order+"manifest.2.json.proof"] = f[order+"manifest.json.proof"] }, "unsealed data/orders/plain1/manifest.2.json"},
		"a proof in another form":        {func(f files) { f.edit(order+"manifest.json.proof", more) }, "unsealed data/orders/plain1/manifest.json.proof"},
		"a proof of another seal":        {func(f files) { f.edit(order+"manifest.json.proof", replace(first, end)) }, "unsealed data/orders/plain1/manifest.json"},
		"a proof of no seal":             {func(f files) { f.edit(order+"manifest.json.proof", replace(first, "20200101T000000Z")) }, "unsealed data/orders/plain1/manifest.json"},
		"a manifest that is none":        {func(f files) { f[order+"manifest.2.json"] = []byte("{}") }, "bad-manifest data/orders/plain1/manifest.2.json"},
		"a manifest of a later kycvault": {func(f files) { f.edit(order+"manifest.2.json", replace(`"version": 1`, `"version": 99`)) }, "bad-manifest data/orders/plain1/manifest.2.json"},
		"a manifest too many":            {func(f files) { f[order+"manifest.99.json"] = f[order+"manifest.2.json"] }, "unknown data/orders/plain1/manifest.99.json"},
		"a manifest that is too large":   {func(f files) { f[order+"manifest.2.json"] = make([]byte, 2<<20) }, "bad-manifest data/orders/plain1/manifest.2.json"},
		"an order that is none":          {func(f files) { f["data/orders/no-order/photo"] = []byte("x") }, "unknown data/orders/no-order"},
		"an order without anything":      {func(f files) { f["data/orders/order1/x"] = []byte("x") }, "missing data/orders/order1/manifest.json"},
		"a folder in an order":           {func(f files) { f[order+"deep/x"] = []byte("x") }, "unknown data/orders/plain1/deep/x"},
		"a file that is no evidence":     {func(f files) { f["data/more"] = []byte("x") }, "unknown data/more"},
		"a program beside the script":    {func(f files) { f["json.py"] = []byte("x") }, "unknown json.py"},
		"no script":                      {func(f files) { delete(f, bundle.Script) }, "missing check.py"},
		"no orders": {func(f files) {
			maps.DeleteFunc(f, func(n string, _ []byte) bool { return strings.HasPrefix(n, "data/orders/") })
		}, "missing data/orders"},
		"no checkpoint":             {func(f files) { delete(f, sealed+"checkpoint") }, "missing " + sealed + "checkpoint"},
		"no key":                    {func(f files) { delete(f, sealed+bundle.KeyFile) }, "missing " + sealed + "key.pem"},
		"a key that is none":        {func(f files) { f[sealed+bundle.KeyFile] = []byte("x") }, "bad-seal " + sealed + "key.pem"},
		"a checkpoint that is none": {func(f files) { f[sealed+"checkpoint"] = []byte("x") }, "bad-seal " + sealed + "checkpoint"},
		"another's checkpoint":      {func(f files) { f[sealed+"checkpoint"] = f["data/seals/"+end+"/checkpoint"] }, "bad-seal " + sealed + "checkpoint"},
		"one signature more": {func(f files) {
			f.edit(sealed+"checkpoint", func(s string) string { return s + "— other AAAAAAAA\n" })
		}, "bad-seal " + sealed + "checkpoint"},
		"the leaves of a seal":       {func(f files) { f[sealed+"leaves"] = []byte("x") }, "unknown " + sealed + "leaves"},
		"the other's timestamp":      {func(f files) { f[sealed+"checkpoint.tsr"] = f["data/seals/"+end+"/checkpoint.tsr"] }, "bad-timestamp " + sealed + "checkpoint.tsr"},
		"no timestamp":               {func(f files) { f[sealed+"checkpoint.tsr"] = nil }, "bad-timestamp " + sealed + "checkpoint.tsr"},
		"certificates that are none": {func(f files) { f[bundle.CAFile] = []byte("x") }, "bad-timestamp data/keys/tsa-ca.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			f := vector(t)
			delete(f, "bag-info.txt") // whose sum would not be right
			test.forge(f)
			for given, o := range map[string]bundle.Options{"alone": {}, "with everything": everything(t)} {
				found := told(check(t, pack(t, f), o))
				if !slices.Contains(found, test.want) {
					t.Errorf("%s: not told: %s; but %q", given, test.want, found)
				}
			}
		})
	}
}

// told gives kind and file of each damage.
func told(sum bundle.Checked) []string {
	found := []string{}
	for _, d := range sum.Damage {
		found = append(found, d.Kind+" "+d.Key)
	}
	return found
}

// made is a bag that is sealed by the test, so that whatever is wrong in it is sealed too.
type made struct {
	files
	manifests    []archive.Manifest
	start, ended time.Time                  // of the window
	stamp        func(signed []byte) []byte // gives the timestamp; nil is none
}

var made0 = made{start: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), ended: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}

// manifest is one with files, archived in the window.
func manifest(list ...archive.File) archive.Manifest {
	at := made0.start.Add(time.Hour)
	return archive.Manifest{Order: "order1", AppID: "IDAXXXXX", State: archive.Archived, Files: list, FirstSeen: at, ArchivedAt: at}
}

func photo(text string) archive.File {
	sum := sha256.Sum256([]byte(text))
	digest := hex.EncodeToString(sum[:])
	return archive.File{Name: archive.FileName(archive.Photo, digest, "jpg"), Kind: archive.Photo, Size: int64(len(text)), SHA256: digest}
}

// bag seals the manifests of one order, links them as they come, and gives the bag.
func (m made) bag(t *testing.T) []byte {
	t.Helper()
	f := files{"bagit.txt": vector(t)["bagit.txt"], bundle.Readme: nil, bundle.Script: nil}
	maps.Copy(f, m.files)
	var leaves []seal.Leaf
	for i, manifest := range m.manifests {
		data, err := manifest.Encode()
		if err != nil {
			t.Fatal(err)
		}
		f[bundle.OrderFile("order1", archive.ManifestName(i+1))] = data
		sum := sha256.Sum256(data)
		leaves = append(leaves, seal.Leaf{Order: "order1", Digest: hex.EncodeToString(sum[:])})
	}
	inOrder := seal.SortLeaves(slices.Clone(leaves))
	name := archive.SealName(m.start)
	for i, leaf := range leaves {
		index := uint64(slices.Index(inOrder, leaf))
		hashes, err := seal.Prove(inOrder, index)
		if err != nil {
			t.Fatal(err)
		}
		p := seal.Proof{Version: 1, Seal: name, Leaf: leaf.String(), Index: index, Size: uint64(len(leaves)), Path: []string{}}
		for _, h := range hashes {
			p.Path = append(p.Path, hex.EncodeToString(h[:]))
		}
		if f[bundle.ProofFile("order1", archive.ManifestName(i+1))], err = p.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	c := seal.Checkpoint{Size: uint64(len(leaves)), Root: seal.TreeOf(inOrder).Root(), Window: seal.Window{Start: m.start, End: m.ended}}
	signed, err := c.Sign(privateKey(t))
	if err != nil {
		t.Fatal(err)
	}
	f[bundle.SealFile(name, archive.SealCheckpoint)] = signed
	if m.stamp != nil {
		f[bundle.SealFile(name, archive.SealToken)] = m.stamp(signed)
	}
	if f[bundle.SealFile(name, bundle.KeyFile)], err = publicKey(t).PEM(); err != nil {
		t.Fatal(err)
	}
	return pack(t, f)
}

func digestOf(t *testing.T, m archive.Manifest) string {
	t.Helper()
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// TestSealedWrong: what the sealed manifests themselves say wrongly.
func TestSealedWrong(t *testing.T) {
	one, two := photo("one"), photo("two")
	folder := files{bundle.OrderFile("order1", one.Name): []byte("one"), bundle.OrderFile("order1", two.Name): []byte("two")}
	linked := func(change func(m *archive.Manifest)) []archive.Manifest {
		before, after := manifest(one), manifest(one, two)
		after.Previous = digestOf(t, before)
		change(&after)
		return []archive.Manifest{before, after}
	}
	for name, test := range map[string]struct {
		manifests []archive.Manifest
		want      []string
	}{
		"nothing":         {linked(func(*archive.Manifest) {}), []string{}},
		"no link":         {linked(func(m *archive.Manifest) { m.Previous = "" }), []string{"bad-manifest data/orders/order1/manifest.2.json"}},
		"another link":    {linked(func(m *archive.Manifest) { m.Previous = strings.Repeat("0", 64) }), []string{"bad-manifest data/orders/order1/manifest.2.json"}},
		"before the seal": {linked(func(m *archive.Manifest) { m.ArchivedAt = made0.start.Add(-time.Second) }), []string{"unsealed data/orders/order1/manifest.2.json"}},
		"after the seal":  {linked(func(m *archive.Manifest) { m.ArchivedAt = made0.ended }), []string{"unsealed data/orders/order1/manifest.2.json"}},
		"another order":   {linked(func(m *archive.Manifest) { m.Order = "order2" }), []string{"bad-manifest data/orders/order1/manifest.2.json", "unknown data/orders/order1/" + two.Name}},
		"another size": {linked(func(m *archive.Manifest) {
			m.Files = slices.Clone(m.Files)
			m.Files[1].Size++
		}), []string{"changed data/orders/order1/" + two.Name}},
		"one manifest":    {linked(func(*archive.Manifest) {})[:1], []string{"unknown data/orders/order1/" + two.Name}},
		"only the second": {linked(func(*archive.Manifest) {})[1:], []string{"bad-manifest data/orders/order1/manifest.json"}},
	} {
		m := made0
		m.files, m.manifests = folder, test.manifests
		if found := told(check(t, m.bag(t), bundle.Options{Keys: []seal.PublicKey{publicKey(t)}})); !slices.Equal(found, test.want) {
			t.Errorf("%s: told %q, not %q", name, found, test.want)
		}
	}
}

// TestStampedTooEarly: an authority can not have seen a checkpoint before its window was over.
func TestStampedTooEarly(t *testing.T) {
	tsa := peertest.StartTSA(t)
	now := time.Now().UTC().Truncate(time.Second)
	for ended, want := range map[time.Time][]string{now.Add(-time.Hour): {}, now.Add(time.Hour): {"bad-timestamp"}} {
		m := made0
		m.start, m.ended = now.Add(-2*time.Hour), ended
		only := manifest(photo("one"))
		only.ArchivedAt = m.start
		m.files, m.manifests = files{bundle.OrderFile("order1", only.Files[0].Name): []byte("one"), bundle.CAFile: tsa.Chain}, []archive.Manifest{only}
		m.stamp = func(signed []byte) []byte {
			token, err := (&stamp.Client{URL: tsa.URL, Rand: rand.Reader, Now: time.Now}).Stamp(t.Context(), signed)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		sum := check(t, m.bag(t), bundle.Options{})
		kinds := []string{}
		for _, d := range sum.Damage {
			kinds = append(kinds, d.Kind)
		}
		if !slices.Equal(kinds, want) || sum.Seals[0].Timestamp.IsZero() != (len(want) > 0) {
			t.Errorf("a window until %s: %+v", ended, sum)
		}
	}
}

// TestForgedInside: an encrypted file that is what was sealed, and does not hold what its name says, shows with a key only.
func TestForgedInside(t *testing.T) {
	pair, err := agekey.NewPair(made0.start)
	if err != nil {
		t.Fatal(err)
	}
	to, err := agekey.ParseRecipients(pair.Public)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := agekey.ParseIdentities(pair.File)
	if err != nil {
		t.Fatal(err)
	}
	var closed bytes.Buffer
	w, err := to.Encrypt(&closed, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("forged")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, stored := range map[string][]byte{"other bytes": closed.Bytes(), "no bytes of age": []byte("no age"), "cut": closed.Bytes()[:closed.Len()-1]} {
		f, sum := photo("honest"), sha256.Sum256(stored)
		f.Name += ".age"
		f.Stored = &archive.StoredAs{Size: int64(len(stored)), SHA256: hex.EncodeToString(sum[:])}
		m := made0
		m.files, m.manifests = files{bundle.OrderFile("order1", f.Name): stored}, []archive.Manifest{manifest(f)}
		data := m.bag(t)
		if found := check(t, data, bundle.Options{}); len(found.Damage) > 0 || found.Encrypted != 1 {
			t.Errorf("%s, without a key: %+v", name, found)
		}
		found := check(t, data, bundle.Options{Identities: keys})
		if len(found.Damage) != 1 || found.Damage[0].Kind != archive.Changed || found.Damage[0].How != archive.Forged || found.Files != 0 || found.Orders != 0 {
			t.Errorf("%s, with a key: %+v", name, found)
		}
	}
}

// TestHow: in what way evidence is changed, though the bag's own list tells first.
func TestHow(t *testing.T) {
	f := vector(t)
	var file string
	for name := range f {
		if ok, _ := path.Match("data/orders/plain1/photo.*", name); ok {
			file = name
		}
	}
	good := string(f[file])
	for how, text := range map[string]string{archive.Truncated: good[1:], archive.Extended: good + "x", archive.Altered: "P" + good[1:]} {
		f[file] = []byte(text)
		sum := check(t, pack(t, f), bundle.Options{})
		i := slices.IndexFunc(sum.Damage, func(d archive.Damage) bool { return d.Key == file })
		if i < 0 || sum.Damage[i].How != how || sum.Damage[i].Order != "plain1" || sum.Orders != 2 {
			t.Errorf("%s: %+v", how, sum)
		}
	}
}

// TestEnds: with its context.
func TestEnds(t *testing.T) {
	data, err := os.ReadFile("testdata/good.zip")
	if err != nil {
		t.Fatal(err)
	}
	b, err := bag.NewZIP(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	o := everything(t)
	o.Progress = func(int64) { cancel() }
	if _, err := bundle.Check(ctx, b, o); !errors.Is(err, context.Canceled) {
		t.Errorf("it goes on: %v", err)
	}
}
