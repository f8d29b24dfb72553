package local_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
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

var ways = map[way]string{before: "before the effect", after: "after the effect", death: "death"}

var (
	errFault = errors.New("planned fault")
	errDead  = errors.New("this process is dead")
)

// faults makes the nth call of a process to its bucket or its upstream fail.
type faults struct {
	mu    sync.Mutex
	n     int // of the call that fails; 0 is none
	way   way
	calls int
	dead  bool
	die   context.CancelFunc
}

// next counts a call and tells what becomes of it: an error before its effect, or after it.
func (f *faults) next() (first, last error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return errDead, errDead
	}
	f.calls++
	if f.calls != f.n {
		return nil, nil
	}
	switch f.way {
	case before:
		return errFault, errFault
	case after:
		return nil, errFault
	default:
		f.dead = true
		f.die()
		return errDead, errDead
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
	first, last := b.f.next()
	if first != nil {
		return first
	}
	return errors.Join(call(), last)
}

func (b bucketFaults) Create(ctx context.Context, key string, c bucket.Content) error {
	return b.do(func() error { return b.Bucket.Create(ctx, key, c) })
}

func (b bucketFaults) Put(ctx context.Context, key string, c bucket.Content) error {
	return b.do(func() error { return b.Bucket.Put(ctx, key, c) })
}

func (b bucketFaults) Delete(ctx context.Context, key string) error {
	return b.do(func() error { return b.Bucket.Delete(ctx, key) })
}

func (b bucketFaults) Get(ctx context.Context, key string) (r io.ReadCloser, o bucket.Object, err error) {
	if first, last := b.f.next(); errors.Join(first, last) != nil {
		return nil, bucket.Object{}, errors.Join(first, last)
	}
	return b.Bucket.Get(ctx, key)
}

func (b bucketFaults) List(ctx context.Context, prefix, start string) iter.Seq2[bucket.Object, error] {
	if first, last := b.f.next(); errors.Join(first, last) != nil {
		return func(yield func(bucket.Object, error) bool) { yield(bucket.Object{}, errors.Join(first, last)) }
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
		first, last := f.next()
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
