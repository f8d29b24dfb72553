package archive_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
)

// layDown writes whole orders into a folder, as an archive would, but without a sync for each file.
func layDown(b *testing.B, dir string, orders, photo, video int) {
	b.Helper()
	write := func(key string, data []byte) {
		path := filepath.Join(dir, filepath.FromSlash(key))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	for i := range orders {
		o := archive.Order(fmt.Sprintf("order%06d", i))
		m := archive.Manifest{Order: o, AppID: "IDAXXXXX", State: archive.Archived, FirstSeen: epoch, ArchivedAt: epoch}
		for _, f := range []struct {
			kind archive.Kind
			ext  string
			size int
		}{{archive.Photo, "jpg", photo}, {archive.Video, "mp4", video}, {archive.Result, "json", 240}} {
			data := bytes.Repeat([]byte(o), f.size/len(o)+1)[:f.size]
			digest := digestOf(data)
			m.Files = append(m.Files, archive.File{Name: archive.FileName(f.kind, digest, f.ext), Kind: f.kind, Size: int64(f.size), SHA256: digest})
			write(archive.FileKey(o, m.Files[len(m.Files)-1].Name), data)
		}
		data, err := m.Encode()
		if err != nil {
			b.Fatal(err)
		}
		write(archive.FileKey(o, archive.ManifestName(1)), data)
		write(archive.JournalKey(m.ArchivedAt, o, digestOf(data)), nil)
	}
}

// BenchmarkVerify reads a healthy archive in a folder, with a warm cache: small orders as the simulator's are, and large ones.
func BenchmarkVerify(b *testing.B) {
	for name, size := range map[string]struct{ orders, photo, video, parallel int }{
		"small":               {orders: 2000, photo: 66 << 10, video: 51 << 10},
		"small one at a time": {orders: 2000, photo: 66 << 10, video: 51 << 10, parallel: 1},
		"large":               {orders: 8, photo: 66 << 10, video: 64 << 20},
		"large one at a time": {orders: 8, photo: 66 << 10, video: 64 << 20, parallel: 1},
	} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			layDown(b, dir, size.orders, size.photo, size.video)
			store, err := dirbucket.Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			b.SetBytes(int64(size.orders * (size.photo + size.video + 240)))
			b.ReportAllocs()
			for b.Loop() {
				sum, err := archive.New(store).VerifyWith(b.Context(), func(d archive.Damage) { b.Errorf("%+v", d) }, archive.VerifyOptions{Parallel: size.parallel})
				if err != nil || sum.Orders != size.orders {
					b.Fatalf("%+v, %v", sum, err)
				}
			}
			b.ReportMetric(float64(size.orders*b.N)/b.Elapsed().Seconds(), "orders/s")
		})
	}
	b.Run("sha256 alone, one processor", func(b *testing.B) {
		data := make([]byte, 64<<20)
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			_ = sha256.Sum256(data)
		}
	})
}
