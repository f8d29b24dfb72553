package bundle_test

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/bag"
	"github.com/kycvault/kycvault/pkg/bundle"
)

// FuzzBag: whatever the bytes of a ZIP file are, its check ends; and what is found good proves the orders of the vector and no
// others, for nobody else has the key.
func FuzzBag(f *testing.F) {
	data, err := os.ReadFile("testdata/good.zip")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(pack(f, vector(f)))
	o, good := everything(f), vector(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := bag.NewZIP(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		sum, err := bundle.Check(t.Context(), b, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(sum.Damage) > 0 {
			return
		}
		for _, name := range b.Names() {
			if !strings.HasPrefix(name, "data/orders/") {
				continue
			}
			if text, err := b.ReadSmall(name, 1<<20); err != nil || !bytes.Equal(text, good[name]) {
				t.Errorf("found good: %s: %v", name, err)
			}
		}
	})
}

// FuzzFile puts other bytes in the place of one file and makes all lists anew, so that they get as far as what reads that file. No
// other bytes of an order or a checkpoint are ever found good.
func FuzzFile(f *testing.F) {
	good := vector(f)
	names := slices.Sorted(maps.Keys(good))
	for i, name := range names {
		f.Add(uint8(i), good[name])
	}
	o := everything(f)
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		name := names[int(i)%len(names)]
		if name == "bagit.txt" || strings.Contains(name, "manifest-sha256.txt") {
			return // pkg/bag has these
		}
		forged := maps.Clone(good)
		forged[name] = data
		delete(forged, "bag-info.txt")
		sum := check(t, pack(t, forged), o)
		sealed := strings.HasPrefix(name, "data/orders/") || strings.HasSuffix(name, "/checkpoint")
		if same := bytes.Equal(data, good[name]); sealed && !same && len(sum.Damage) == 0 || same && len(sum.Damage) > 0 {
			t.Errorf("%s as %q: %+v", name, data, sum.Damage)
		}
	})
}
