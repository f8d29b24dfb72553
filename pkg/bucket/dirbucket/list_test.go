package dirbucket

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// bigFolder makes n empty files without the cost of syncing them.
func bigFolder(t testing.TB, n int) *Bucket {
	t.Helper()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "pending"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		name := filepath.Join(folder, "pending", fmt.Sprintf("A%07d.01JD00000000000000000000", i))
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// TestFewOfManyNeedLittleMemory lists four of many keys and looks at what is held when the first one is yielded.
func TestFewOfManyNeedLittleMemory(t *testing.T) {
	b := bigFolder(t, 2_000)
	for _, bounds := range []struct{ prefix, after string }{
		{"pending/A000100", "pending/A0001006"},
		{"pending/", "pending/A0001996"},
	} {
		before := heap()
		n := 0
		for _, err := range b.List(t.Context(), bounds.prefix, bounds.after) {
			if err != nil {
				t.Fatal(err)
			}
			if n++; n == 1 {
				if held := heap() - before; held > 64<<10 {
					t.Errorf("%d bytes held for four keys of 2,000", held)
				}
			}
		}
		if n != 4 {
			t.Errorf("%d keys with prefix %s after %s, want those that end in 6 to 9", n, bounds.prefix, bounds.after)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestVanishedFileIsPassedOver(t *testing.T) {
	b := bigFolder(t, 3)
	n := 0
	for o, err := range b.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			if err := b.Delete(t.Context(), o.Key[:len("pending/A000000")]+"1"+o.Key[len("pending/A0000000"):]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n != 2 {
		t.Errorf("%d keys, want 2", n)
	}
}

func BenchmarkList100000(b *testing.B) {
	bucket := bigFolder(b, 100_000)
	for b.Loop() {
		n := 0
		for _, err := range bucket.List(b.Context(), "pending/", "") {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 100_000 {
			b.Fatalf("%d keys", n)
		}
	}
}
