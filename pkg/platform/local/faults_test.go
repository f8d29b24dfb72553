package local_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// way is how a call fails.
type way int

const (
	before way = iota // it has no effect, and fails
	after             // it has its effect, and fails: a lost answer
	death             // the process dies there: nothing it calls afterwards has an effect
)

// A call that only reads has no effect to lose, and who dies at it leaves what is left by dying at the next call that has one:
// so the last two ways are for calls with an effect.

var ways = map[way]string{before: "before the effect", after: "after the effect", death: "death"}

var (
	errFault = errors.New("planned fault")
	errDead  = errors.New("this process is dead")
)

// faults makes the nth call of a process to its bucket or its upstream fail, of those that can fail in this way.
type faults struct {
	mu      sync.Mutex
	n       int // of the call that fails; 0 is none
	way     way
	calls   int
	effects int // of these have one
	dead    bool
	die     context.CancelFunc

	spoilt []string // see spare
}

// reads counts a call that only reads, and tells whether it fails.
func (f *faults) reads() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errDead
	}
	if f.calls++; f.way == before && f.calls == f.n {
		return errFault
	}
	return nil
}

// acts counts a call that has an effect, and tells what becomes of it: an error before the effect, or after it.
func (f *faults) acts() (first, last error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errDead, errDead
	}
	f.calls++
	f.effects++
	switch {
	case f.way == before && f.calls == f.n:
		return errFault, errFault
	case f.way == after && f.effects == f.n:
		return nil, errFault
	case f.way == death && f.effects == f.n:
		f.dead = true
		f.die()
		return errDead, errDead
	}
	return nil, nil
}

// spare notes a key that is to be written over or removed, although what it holds is kept for ever.
func (f *faults) spare(key string) {
	folder, _, _ := strings.Cut(key, "/")
	if slices.Contains([]string{"orders", "journal", "seals"}, folder) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.spoilt = append(f.spoilt, key)
	}
}

func (f *faults) isDead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

// bucketFaults is a bucket whose calls may fail.
type bucketFaults struct {
	bucket.Bucket
	f *faults
}

func (b bucketFaults) do(call func() error) error {
	first, last := b.f.acts()
	if first != nil {
		return first
	}
	return errors.Join(call(), last)
}

func (b bucketFaults) Create(ctx context.Context, key string, c bucket.Content) error {
	return b.do(func() error { return b.Bucket.Create(ctx, key, c) })
}

func (b bucketFaults) Put(ctx context.Context, key string, c bucket.Content) error {
	b.f.spare(key)
	return b.do(func() error { return b.Bucket.Put(ctx, key, c) })
}

func (b bucketFaults) Delete(ctx context.Context, key string) error {
	b.f.spare(key)
	return b.do(func() error { return b.Bucket.Delete(ctx, key) })
}

func (b bucketFaults) Get(ctx context.Context, key string) (r io.ReadCloser, o bucket.Object, err error) {
	if err := b.f.reads(); err != nil {
		return nil, bucket.Object{}, err
	}
	return b.Bucket.Get(ctx, key)
}

func (b bucketFaults) List(ctx context.Context, prefix, start string) iter.Seq2[bucket.Object, error] {
	if err := b.f.reads(); err != nil {
		return func(yield func(bucket.Object, error) bool) { yield(bucket.Object{}, err) }
	}
	return b.Bucket.List(ctx, prefix, start)
}

func (b bucketFaults) Now(ctx context.Context) (time.Time, error) {
	if b.f.isDead() {
		return time.Time{}, errDead
	}
	return b.Bucket.Now(ctx)
}

// upstreamFaults is a service whose connections may break: before it hears a request, or before its answer is sent.
func upstreamFaults(service http.Handler, f *faults) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, last := f.acts()
		if first != nil {
			panic(http.ErrAbortHandler)
		}
		if last != nil {
			service.ServeHTTP(deaf{}, r)
			panic(http.ErrAbortHandler)
		}
		service.ServeHTTP(w, r)
	})
}

// deaf is a client that never hears the answer.
type deaf struct{}

func (deaf) Header() http.Header         { return http.Header{} }
func (deaf) Write(p []byte) (int, error) { return len(p), nil }
func (deaf) WriteHeader(int)             {}
