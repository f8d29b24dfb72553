package bag

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLine: a line of a list that is read is written so that it reads the same, and names no file outside the bag.
func FuzzLine(f *testing.F) {
	digest := strings.Repeat("0a", 32)
	for _, text := range []string{"", digest, digest + "  data/a", digest + "\tdata/100%25", strings.ToUpper(digest) + " data/%0d%0A", digest + "  ../x", digest + "  data/%41", digest + "  C:x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		digest, name, err := parseLine(text)
		if err != nil {
			return
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\\x00") {
			t.Errorf("%q names %q", text, name)
		}
		again, same, err := parseLine(strings.TrimSuffix(line(digest, name), "\n"))
		if err != nil || again != digest || same != name {
			t.Errorf("%q is read as %q and %q, and written as %q", text, digest, name, line(digest, name))
		}
	})
}

// FuzzZIP: whatever the bytes are, reading ends, and a bag in which nothing is wrong holds what its lists say, and no more.
func FuzzZIP(f *testing.F) {
	dir := f.TempDir()
	b, err := Create(filepath.Join(dir, "bag.zip"))
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"data/a", "data/b/100%", "README.md"} {
		if err := b.AddBytes(name, []byte(name)); err != nil {
			f.Fatal(err)
		}
	}
	if err := b.Close(Info{}); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(dir, "bag.zip"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewZIP(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		wrong := 0
		sums, err := r.Check(t.Context(), func(Problem) { wrong++ }, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, sum := range sums {
			if !filepath.IsLocal(filepath.FromSlash(name)) || sum.Size > int64(len(data))*maxRatio+freeBytes {
				t.Errorf("%q of %d bytes is read", name, sum.Size)
			}
			if !strings.HasPrefix(name, payloadFolder) || wrong > 0 {
				continue
			}
			lists, err := r.ReadSmall(payloadList, maxList)
			if err != nil || !strings.Contains(strings.ToLower(string(lists)), sum.SHA256) {
				t.Errorf("%q is in no list: %v", name, err)
			}
		}
	})
}
