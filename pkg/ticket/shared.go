package ticket

import (
	"context"
	"sync"
	"time"
)

// shared lets callers that come together share one run of a function.
type shared[T any] struct {
	mu      sync.Mutex
	running *run[T]
}

type run[T any] struct {
	done  chan struct{}
	value T
	err   error
}

// do joins the run that is under way, or starts one with f. The run goes on when the caller that started it leaves, because
// half a refresh would cost the old pair and give no new one; f must bound itself.
func (s *shared[T]) do(ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	r := s.join(ctx, f)
	select {
	case <-r.done:
		return r.value, r.err
	case <-ctx.Done():
		var zero T
		return zero, context.Cause(ctx)
	}
}

func (s *shared[T]) join(ctx context.Context, f func(context.Context) (T, error)) *run[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil {
		return s.running
	}
	r := &run[T]{done: make(chan struct{})}
	s.running = r
	go func() {
		r.value, r.err = f(context.WithoutCancel(ctx))
		s.mu.Lock()
		s.running = nil
		s.mu.Unlock()
		close(r.done)
	}()
	return r
}

// sleep waits for d, or less when ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
