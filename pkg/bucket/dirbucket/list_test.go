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

// TestFewOfManyNeedLittleMemory lists three of many keys and looks at what is held when the first one is yielded.
func TestFewOfManyNeedLittleMemory(t *testing.T) {
	const many = 4_000
	b := bigFolder(t, many)
	before := heap()
	n := 0
	for _, err := range b.List(t.Context(), "pending/A000300", "pending/A0003006") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 1 {
			if held := heap() - before; held > 64<<10 {
				t.Errorf("%d bytes held for three keys of %d", held, many)
			}
		}
	}
	if n != 4 {
		t.Errorf("%d keys, want those that end in 6 to 9", n)
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
