package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

func write(t *testing.T, s *Spool, data []byte, chunk int) {
	t.Helper()
	for len(data) > 0 {
		n := min(chunk, len(data))
		if got, err := s.Write(data[:n]); got != n || err != nil {
			t.Fatalf("Write: %d, %v", got, err)
		}
		data = data[n:]
	}
}

func random(n int) []byte {
	data := make([]byte, n)
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(data)
	return data
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	const memory = 300 << 10
	sizes := []int{0, 1, firstBuffer, memory - 1, memory, memory + 1, memory + fileBuffer, 2<<20 + 7}
	for _, size := range sizes {
		for _, chunk := range []int{733, 4096, fileBuffer - 1, fileBuffer, 1 << 20} {
			s := New(Options{Memory: memory, Folder: t.TempDir()})
			data := random(size)
			write(t, s, data, chunk)
			sum := sha256.Sum256(data)
			if s.Size() != int64(size) || s.Digest() != hex.EncodeToString(sum[:]) {
				t.Errorf("size %d in chunks of %d: Size %d, Digest %s", size, chunk, s.Size(), s.Digest())
			}
			if spilled := s.file != nil; spilled != (size > memory) {
				t.Errorf("size %d in chunks of %d: spilled %v", size, chunk, spilled)
			}
			if got, err := io.ReadAll(s.Content("", false).Body); err != nil || !bytes.Equal(got, data) {
				t.Errorf("size %d in chunks of %d: read %d bytes, error %v", size, chunk, len(got), err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
	}
}

// TestReaderRules holds the body to all that io.Reader, Seeker and ReaderAt promise, across the end of the file.
func TestReaderRules(t *testing.T) {
	s := New(Options{Memory: 1000, Folder: t.TempDir()})
	defer func() { _ = s.Close() }()
	data := random(2500)
	write(t, s, data, 600)
	if s.inFile == 0 || s.inFile == s.size {
		t.Fatalf("%d of %d bytes in the file, want a part", s.inFile, s.size)
	}
	if err := iotest.TestReader(s.Content("", false).Body, data); err != nil {
		t.Error(err)
	}
}

func TestContent(t *testing.T) {
	s := New(Options{Memory: 10, Folder: t.TempDir()})
	defer func() { _ = s.Close() }()
	data := random(500_000)
	write(t, s, data, 1000)
	b := membucket.New(nil)
	var wg sync.WaitGroup
	for _, key := range []string{"a", "b", "c"} {
		wg.Go(func() {
			c := s.Content("video/mp4", true)
			if c.MediaType != "video/mp4" || !c.Retain {
				t.Errorf("content %q, retain %v", c.MediaType, c.Retain)
			}
			if err := b.Create(t.Context(), key, c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r, _, err := b.Get(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes stored, error %v", len(got), err)
	}
}

func TestContentOfAnEmptySpool(t *testing.T) {
	s := New(Options{})
	defer func() { _ = s.Close() }()
	if err := membucket.New(nil).Create(t.Context(), "a", s.Content("", false)); err != nil {
		t.Error(err)
	}
}

// TestFileHasNoName looks for the file of a Spool that has spilled.
func TestFileHasNoName(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	s := New(Options{Memory: 1})
	defer func() { _ = s.Close() }()
	write(t, s, random(1000), 100)
	if got := filepath.Dir(s.file.Name()); got != folder {
		t.Errorf("spilled to %s, want TMPDIR", got)
	}
	if names, err := os.ReadDir(folder); err != nil || len(names) != 0 {
		t.Errorf("left in TMPDIR: %v, error %v", names, err)
	}
	if info, err := s.file.Stat(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
}

func TestFailedSpill(t *testing.T) {
	s := New(Options{Memory: 10, Folder: filepath.Join(t.TempDir(), "missing")})
	write(t, s, random(10), 10)
	for range 2 {
		if _, err := s.Write([]byte{1}); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("Write: %v, want %v", err, os.ErrNotExist)
		}
	}
	if err := bucket.Copy(t.Context(), io.Discard, s.Content("", false)); err == nil {
		t.Error("the content of a broken spool can be read")
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func TestClosed(t *testing.T) {
	for _, size := range []int{5, 500} {
		s := New(Options{Memory: 100, Folder: t.TempDir()})
		write(t, s, random(size), size)
		body := s.Content("", false).Body
		for range 2 {
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := s.Write([]byte{1}); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
		if _, err := io.ReadAll(body); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
	}
}

// TestMemoryIsFlat writes far more than may be held.
func TestMemoryIsFlat(t *testing.T) {
	var before, after runtime.MemStats
	chunk := random(32 << 10)
	s := New(Options{Folder: t.TempDir()})
	defer func() { _ = s.Close() }()
	runtime.ReadMemStats(&before)
	for range 1024 {
		write(t, s, chunk, len(chunk))
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 3*DefaultMemory {
		t.Errorf("%d bytes allocated for a medium of %d", allocated, s.Size())
	}
	if cap(s.buffer) > fileBuffer {
		t.Errorf("a buffer of %d bytes is kept beside the file", cap(s.buffer))
	}
}

func BenchmarkSpool64MB(b *testing.B) {
	chunk := random(32 << 10)
	b.SetBytes(64 << 20)
	b.ReportAllocs()
	for b.Loop() {
		s := New(Options{Folder: b.TempDir()})
		for range 64 << 20 / len(chunk) {
			if _, err := s.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSHA256Alone64MB(b *testing.B) {
	chunk := random(32 << 10)
	b.SetBytes(64 << 20)
	for b.Loop() {
		h := sha256.New()
		for range 64 << 20 / len(chunk) {
			_, _ = h.Write(chunk)
		}
	}
}
