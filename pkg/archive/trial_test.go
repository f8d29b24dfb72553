package archive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

// breaking is a store that breaks one promise.
type breaking struct {
	bucket.Bucket
	promise string
}

func (b breaking) Create(ctx context.Context, key string, c bucket.Content) error {
	switch {
	case b.promise == archive.TrialCreate || b.promise == archive.TrialRace && bytes.Contains([]byte(key), []byte(".race")):
		return b.Bucket.Put(ctx, key, c)
	case b.promise == archive.TrialDigest:
		data, err := io.ReadAll(c.Body)
		if err != nil {
			return err
		}
		c = bucket.Bytes(data, c.MediaType)
	}
	return b.Bucket.Create(ctx, key, c)
}

func (b breaking) Put(ctx context.Context, key string, c bucket.Content) error {
	if b.promise != archive.TrialPut {
		return b.Bucket.Put(ctx, key, c)
	}
	if err := b.Bucket.Create(ctx, key, c); !errors.Is(err, bucket.ErrExists) {
		return err
	}
	return nil // the older one stays
}

func (b breaking) Delete(ctx context.Context, key string) error {
	if b.promise == archive.TrialDelete {
		return nil
	}
	return b.Bucket.Delete(ctx, key)
}

func (b breaking) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	if b.promise == archive.TrialList {
		return func(func(bucket.Object, error) bool) {}
	}
	return b.Bucket.List(ctx, prefix, after)
}

// TestTryFindsEachBrokenPromise lets a store break one promise at a time.
func TestTryFindsEachBrokenPromise(t *testing.T) {
	all := []string{archive.TrialPut, archive.TrialCreate, archive.TrialRace, archive.TrialDigest, archive.TrialList, archive.TrialDelete}
	for _, promise := range append([]string{""}, all...) {
		store := membucket.New(nil)
		found, err := archive.New(breaking{store, promise}).Try(t.Context(), "id1")
		if err != nil {
			t.Fatalf("%q: %v", promise, err)
		}
		var failed []string
		for _, trial := range found.Trials {
			if trial.Err != nil {
				failed = append(failed, trial.Promise)
			}
		}
		switch {
		case promise == "" && len(failed) > 0, promise != "" && !slices.Contains(failed, promise):
			t.Errorf("a store that breaks %q: found %q", promise, failed)
		case promise == "" && len(found.Trials) != len(all):
			t.Errorf("%d promises were tried, want %d", len(found.Trials), len(all))
		}
		if left := store.Objects(); len(left) > 0 && promise != archive.TrialDelete {
			t.Errorf("%q: it left %v", promise, left)
		}
	}
}

// TestTryOnAFolder tries the real store, beside what an earlier run left when it died.
func TestTryOnAFolder(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	b, err := dirbucket.Open(t.TempDir(), dirbucket.WithNow(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	keys := func() (keys []string) {
		for obj, err := range b.List(t.Context(), "system/", "") {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, obj.Key)
		}
		return keys
	}
	for _, key := range []string{"system/doctor/dead1.race", "system/backoff"} {
		if err := b.Put(t.Context(), key, bucket.Bytes(nil, "")); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(30 * time.Minute)
	if found, err := archive.New(b).Try(t.Context(), "id1"); err != nil || found.Skew != 0 {
		t.Errorf("skew %s, %v", found.Skew, err)
	}
	if got := keys(); !slices.Equal(got, []string{"system/backoff", "system/doctor/dead1.race"}) {
		t.Errorf("half an hour later there is %v", got) // it may still run
	}
	now = now.Add(time.Hour)
	if _, err := archive.New(b).Try(t.Context(), "id2"); err != nil {
		t.Error(err)
	}
	if got := keys(); !slices.Equal(got, []string{"system/backoff"}) {
		t.Errorf("in the end there is %v", got)
	}
}

// TestTryInterrupted cancels between two promises: what was written is removed all the same.
func TestTryInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	store := membucket.New(nil)
	_, err := archive.New(interrupting{store, cancel}).Try(ctx, "id1")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left := store.Objects(); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// interrupting ends the context at the first create.
type interrupting struct {
	bucket.Bucket
	cancel context.CancelFunc
}

func (c interrupting) Create(ctx context.Context, key string, content bucket.Content) error {
	err := c.Bucket.Create(ctx, key, content)
	c.cancel()
	return err
}

func TestTrySkew(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	store := membucket.New(func() time.Time { return now })
	found, err := archive.New(fast{store}).Try(t.Context(), "id1")
	if err != nil || found.Skew != -7*time.Minute {
		t.Errorf("skew %s, %v", found.Skew, err)
	}
}

// fast is a store whose clock runs ahead of the times that it gives its objects.
type fast struct{ bucket.Bucket }

func (f fast) Now(ctx context.Context) (time.Time, error) {
	now, err := f.Bucket.Now(ctx)
	return now.Add(7 * time.Minute), err
}
