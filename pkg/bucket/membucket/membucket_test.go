package membucket_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/buckettest"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

func TestConformance(t *testing.T) {
	buckettest.Run(t, buckettest.Harness{
		Open: func(*testing.T) bucket.Bucket { return membucket.New(nil) },
	})
}

func TestCloneIsIndependent(t *testing.T) {
	b := membucket.New(nil)
	create(t, b, "a", "1")
	create(t, b, "c", "1")
	clone := b.Clone()
	before := b.Fingerprint()
	if clone.Fingerprint() != before {
		t.Error("a clone has another fingerprint")
	}
	put(t, clone, "a", "other")
	create(t, clone, "b", "2")
	if err := clone.Delete(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	if b.Fingerprint() != before {
		t.Error("what was written to the clone changed the original")
	}
	put(t, b, "c", "changed")
	if diff := cmp.Diff([]string{"a", "b"}, keys(clone)); diff != "" {
		t.Errorf("keys of the clone, -want +got:\n%s", diff)
	}
}

func TestFingerprint(t *testing.T) {
	now := time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)
	make := func(pairs ...string) *membucket.Bucket {
		b := membucket.New(func() time.Time { now = now.Add(time.Second); return now })
		for i := 0; i < len(pairs); i += 2 {
			create(t, b, pairs[i], pairs[i+1])
		}
		return b
	}
	base := make("a", "1", "b", "2").Fingerprint()
	if got := make("b", "2", "a", "1").Fingerprint(); got != base {
		t.Error("order and times of writing changed the fingerprint")
	}
	others := map[string]*membucket.Bucket{
		"content": make("a", "1", "b", "3"),
		"key":     make("a", "1", "c", "2"),
		"swapped": make("a", "2", "b", "1"),
		"fewer":   make("a", "1"),
		"more":    make("a", "1", "b", "2", "c", ""),
		"none":    make(),
	}
	for name, b := range others {
		if b.Fingerprint() == base {
			t.Errorf("%s: the same fingerprint", name)
		}
	}
}

func create(t *testing.T, b *membucket.Bucket, key, content string) {
	t.Helper()
	if err := b.Create(t.Context(), key, bucket.Bytes([]byte(content), "")); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, b *membucket.Bucket, key, content string) {
	t.Helper()
	if err := b.Put(t.Context(), key, bucket.Bytes([]byte(content), "")); err != nil {
		t.Fatal(err)
	}
}

func keys(b *membucket.Bucket) []string {
	var keys []string
	for _, o := range b.Objects() {
		keys = append(keys, o.Key)
	}
	return keys
}
