// Package membucket is a store of objects in memory. It is for tests only: nothing survives the process. It exists so
// that tests can explore millions of interleavings: it is deterministic, a state is cloned in one short copy, and two
// states are compared by a fingerprint.
package membucket

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Bucket implements bucket.Bucket. It may be used by many goroutines.
type Bucket struct {
	now     func() time.Time
	mu      sync.Mutex
	entries []*entry // in ascending order of keys; an entry never changes, so that clones share it
}

type entry struct {
	object bucket.Object
	data   []byte
	digest [sha256.Size]byte
}

// New makes an empty bucket whose clock is now; nil is time.Now.
func New(now func() time.Time) *Bucket {
	if now == nil {
		now = time.Now
	}
	return &Bucket{now: now}
}

// Clone makes a bucket with the same objects and the same clock. What happens to one does not show in the other.
func (b *Bucket) Clone() *Bucket {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &Bucket{now: b.now, entries: slices.Clone(b.entries)}
}

// Fingerprint is a digest of all keys and contents, and not of times: two buckets that hold the same have the same.
func (b *Bucket) Fingerprint() [sha256.Size]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := sha256.New()
	var line []byte
	for _, e := range b.entries {
		line = binary.AppendUvarint(line[:0], uint64(len(e.object.Key)))
		line = append(line, e.object.Key...)
		line = append(line, e.digest[:]...)
		_, _ = h.Write(line)
	}
	return [sha256.Size]byte(h.Sum(line[:0]))
}

// Objects tells of all objects, in ascending order of keys.
func (b *Bucket) Objects() []bucket.Object {
	b.mu.Lock()
	defer b.mu.Unlock()
	objects := make([]bucket.Object, len(b.entries))
	for i, e := range b.entries {
		objects[i] = e.object
	}
	return objects
}

// Create implements bucket.Bucket.
func (b *Bucket) Create(ctx context.Context, key string, c bucket.Content) error {
	return bucket.Wrap("create object", key, b.write(ctx, key, c, false))
}

// Put implements bucket.Bucket.
func (b *Bucket) Put(ctx context.Context, key string, c bucket.Content) error {
	return bucket.Wrap("put object", key, b.write(ctx, key, c, true))
}

func (b *Bucket) write(ctx context.Context, key string, c bucket.Content, replace bool) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	var data bytes.Buffer
	if err := bucket.Copy(ctx, &data, c); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &entry{
		object: bucket.Object{Key: key, Size: c.Size, Modified: b.now()},
		data:   data.Bytes(),
		digest: c.SHA256,
	}
	i, found := b.find(key)
	switch {
	case !found:
		b.entries = slices.Insert(b.entries, i, e)
	case replace:
		b.entries[i] = e
	default:
		return bucket.ErrExists
	}
	return nil
}

// Get implements bucket.Bucket.
func (b *Bucket) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	if err := check(ctx, key); err != nil {
		return nil, bucket.Object{}, bucket.Wrap("get object", key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	i, found := b.find(key)
	if !found {
		return nil, bucket.Object{}, bucket.Wrap("get object", key, bucket.ErrNotFound)
	}
	e := b.entries[i]
	return io.NopCloser(bytes.NewReader(e.data)), e.object, nil
}

// Delete implements bucket.Bucket.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return bucket.Wrap("delete object", key, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, found := b.find(key); found {
		b.entries = slices.Delete(b.entries, i, i+1)
	}
	return nil
}

// List implements bucket.Bucket.
func (b *Bucket) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		if err := bucket.CheckPrefix(prefix); err != nil {
			yield(bucket.Object{}, bucket.Wrap("list objects", prefix, err))
			return
		}
		for {
			if err := ctx.Err(); err != nil {
				yield(bucket.Object{}, bucket.Wrap("list objects", prefix, err))
				return
			}
			o, ok := b.next(prefix, after)
			if !ok || !yield(o, nil) {
				return
			}
			after = o.Key
		}
	}
}

// next finds the first object under prefix whose key is greater than after.
func (b *Bucket) next(prefix, after string) (bucket.Object, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i, found := b.find(max(prefix, after))
	if found && after >= prefix {
		i++ // the key is after itself
	}
	if i == len(b.entries) || !strings.HasPrefix(b.entries[i].object.Key, prefix) {
		return bucket.Object{}, false
	}
	return b.entries[i].object, true
}

// Now implements bucket.Bucket with the clock that New was given.
func (b *Bucket) Now(context.Context) (time.Time, error) { return b.now(), nil }

// Properties implements bucket.Bucket.
func (b *Bucket) Properties() bucket.Properties {
	return bucket.Properties{Name: "memory", StrongListing: true}
}

func (b *Bucket) find(key string) (int, bool) {
	return slices.BinarySearchFunc(b.entries, key, func(e *entry, key string) int { return cmp.Compare(e.object.Key, key) })
}

func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return bucket.CheckKey(key)
}
