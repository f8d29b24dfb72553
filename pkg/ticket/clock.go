package ticket

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// clockAge is how long a reading of the store's clock is carried on by the local one.
const clockAge = time.Minute

// storeClock knows the store's time between two readings of it. What it tells is never ahead of the store: an answer
// counts from when it arrived.
type storeClock struct {
	bucket bucket.Bucket
	now    func() time.Time

	mu           sync.Mutex
	store, local time.Time // the same moment on both clocks; zero before the first reading
}

// read asks the store for its time.
func (c *storeClock) read(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	t, err := c.bucket.Now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the store's clock: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store, c.local = t, c.now()
	return t, nil
}

// refresh asks the store for its time unless that was done a short while ago.
func (c *storeClock) refresh(ctx context.Context) error {
	c.mu.Lock()
	recent := !c.store.IsZero() && passed(c.local, c.now()) < clockAge
	c.mu.Unlock()
	if recent {
		return nil
	}
	_, err := c.read(ctx)
	return err
}

// time is the store's time now, carried on from the last reading. Before the first reading it is the zero time.
func (c *storeClock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.store.IsZero() {
		return time.Time{}
	}
	return c.store.Add(passed(c.local, c.now()))
}

// ahead is how far the local clock is ahead of the store's; negative when it is behind.
func (c *storeClock) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.local.Round(0).Sub(c.store.Round(0))
}

// passed is the time between two readings of the local clock: the larger of what the monotonic clock and the wall clock say.
// A function that was frozen between two invocations may find its monotonic clock frozen too.
func passed(from, to time.Time) time.Duration {
	return max(to.Sub(from), to.Round(0).Sub(from.Round(0)))
}
