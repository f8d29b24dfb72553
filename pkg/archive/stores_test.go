package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

// epoch is the time on every store's clock.
var epoch = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// onStores runs a test on a bucket in memory and on one in a real folder.
func onStores(t *testing.T, test func(t *testing.T, b bucket.Bucket)) {
	t.Helper()
	now := func() time.Time { return epoch }
	t.Run("memory", func(t *testing.T) { test(t, membucket.New(now)) })
	t.Run("folder", func(t *testing.T) {
		b, err := dirbucket.Open(t.TempDir(), dirbucket.WithNow(now))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		test(t, b)
	})
}

func put(t *testing.T, b bucket.Bucket, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, bucket.Bytes(data, "")); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, b bucket.Bucket, key string) {
	t.Helper()
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, b bucket.Bucket, key string) []byte {
	t.Helper()
	r, _, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// keysOf lists what a bucket holds below a prefix.
func keysOf(t *testing.T, b bucket.Bucket, prefix string) (keys []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), prefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// spy notes what is created with retention.
type spy struct {
	bucket.Bucket
	retained map[string]bool
}

func (s *spy) Create(ctx context.Context, key string, c bucket.Content) error {
	s.retained[key] = c.Retain
	return s.Bucket.Create(ctx, key, c)
}

// lossy creates, and then says what a store says whose answer was lost and whose client tried again.
type lossy struct{ bucket.Bucket }

func (l lossy) Create(ctx context.Context, key string, c bucket.Content) error {
	if err := l.Bucket.Create(ctx, key, c); err != nil {
		return err
	}
	return bucket.ErrExists
}

// keep stores evidence of an order and gives how a manifest names it.
func keep(t *testing.T, a *archive.Archive, o archive.Order, kind archive.Kind, ext string, data []byte) archive.File {
	t.Helper()
	e, err := a.KeepEvidence(t.Context(), o, kind, ext, bucket.Bytes(data, ""))
	if err != nil {
		t.Fatal(err)
	}
	return archive.File{Name: e.File(), Kind: kind, Size: e.Size, SHA256: e.Digest}
}

// commit writes manifest n of an order and its journal entry.
func commit(t *testing.T, a *archive.Archive, n int, m archive.Manifest) archive.Stored {
	t.Helper()
	s, err := a.CreateManifest(t.Context(), n, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Journal(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// archived makes a whole order: a result, a photo and a video, a manifest and its journal entry.
func archived(t *testing.T, a *archive.Archive, o archive.Order) archive.Stored {
	t.Helper()
	return commit(t, a, 1, archive.Manifest{
		Order: o, AppID: "IDAXXXXX", State: archive.Archived, Result: archive.Verdict{Code: "0"}, FirstSeen: epoch, ArchivedAt: epoch, Attempts: 1,
		Files: []archive.File{
			keep(t, a, o, archive.Photo, "jpg", []byte("photo of "+o)),
			keep(t, a, o, archive.Video, "mp4", bytes.Repeat([]byte("video of "+o), 1000)),
			keep(t, a, o, archive.Result, "json", []byte(`{"code":"0"}`)),
		},
	})
}

var errBroken = errors.New("broken")

// broken is a store where every call fails.
type broken struct{}

func (broken) Create(context.Context, string, bucket.Content) error { return errBroken }
func (broken) Put(context.Context, string, bucket.Content) error    { return errBroken }
func (broken) Delete(context.Context, string) error                 { return errBroken }
func (broken) Now(context.Context) (time.Time, error)               { return time.Time{}, errBroken }
func (broken) Properties() bucket.Properties                        { return bucket.Properties{} }

func (broken) Get(context.Context, string) (io.ReadCloser, bucket.Object, error) {
	return nil, bucket.Object{}, errBroken
}

func (broken) List(context.Context, string, string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) { yield(bucket.Object{}, errBroken) }
}
