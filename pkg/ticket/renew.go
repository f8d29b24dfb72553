package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

const (
	pollEvery = time.Second        // how often who waits for another process looks
	patience  = 5 * leaseTTL / 2   // how long it waits: two holders that die one after the other, and a refresh
	askFor    = leaseTTL + lookFor // bounds one attempt
	tries     = 3                  // of each call to bucket or upstream that fails for no lasting reason
	retryWait = 500 * time.Millisecond
)

// heldError says that another process has the lease.
type heldError struct{ left time.Duration }

func (e *heldError) Error() string {
	return fmt.Sprintf("another process is refreshing the ticket (its lease ends in %s)", e.left.Round(time.Second))
}

// wait is how long to wait before looking again.
func (e *heldError) wait() time.Duration { return min(e.left, pollEvery) }

func isHeld(err error) bool {
	_, ok := errors.AsType[*heldError](err)
	return ok
}

// pause keeps a process from repeating what came to nothing: after a failed refresh until its lease is over, and for
// a moment after it saw that another process has the lease.
type pause struct {
	err   error
	since time.Time // by the local clock
	lasts time.Duration
}

// renew gives a pair newer than generation n, its own or another process's. With wait, it waits for another process
// that has the lease; without, that is a heldError at once.
func (o *Own) renew(ctx context.Context, n int64, wait bool) (Pair, error) {
	began := o.Now()
	for {
		p, err := o.attempts.do(ctx, func(ctx context.Context) (Pair, error) { return o.attempt(ctx, n) })
		held, ok := errors.AsType[*heldError](err)
		switch {
		case err == nil && p.Generation > n:
			return p, nil
		case err == nil: // the result of an attempt that was made for an older generation
			continue
		case !ok || !wait:
			return Pair{}, err
		case passed(began, o.Now()) > patience:
			return Pair{}, fmt.Errorf("wait for a ticket: gave up after %s: %w", patience, err)
		}
		if err := sleep(ctx, held.wait()); err != nil {
			return Pair{}, fmt.Errorf("wait for a ticket: %w", err)
		}
	}
}

// attempt tries once to get a pair newer than generation n: finds it, or takes the lease and makes it.
func (o *Own) attempt(ctx context.Context, n int64) (Pair, error) {
	if err := o.paused(); err != nil {
		return Pair{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	v, err := o.survey(ctx)
	switch {
	case err != nil:
		return Pair{}, o.pauseIfHeld(err)
	case v.holds(n, o.clock.time()):
		return v.newest, nil
	}
	h, err := o.acquire(ctx, v)
	if err != nil {
		return Pair{}, o.pauseIfHeld(err)
	}
	p, err := o.refresh(ctx, h)
	if err != nil {
		o.setPause(pause{err: err, since: h.started, lasts: leaseTTL})
		return Pair{}, err
	}
	o.remember(view{newest: p, previous: v.newest, from: h.generation + 1, next: h.generation + 1, began: o.Now()})
	return p, nil
}

// survey reads upwards until it is settled that nobody else may be refreshing; a heldError when somebody is. Who finds
// a lease expired must read the tickets once more: its holder may have published in between.
func (o *Own) survey(ctx context.Context) (view, error) {
	v, err := o.readUp(ctx)
	for err == nil && v.open.exists() {
		var now time.Time
		if now, err = o.clock.read(ctx); err != nil {
			break
		}
		if left := v.open.left(now, o.Now()); left > 0 {
			return v, &heldError{left: left}
		}
		expired := v.next
		if v, err = o.readUp(ctx); v.next == expired {
			break
		}
	}
	return v, err
}

// acquire creates the lease of the first free number of v. A heldError says that another process was faster. A process that
// was frozen since it looked must look again: a lifecycle rule may have made its number free once more.
func (o *Own) acquire(ctx context.Context, v view) (hold, error) {
	body, err := newLease(o.Rand)
	if err != nil {
		return hold{}, err
	}
	h := hold{generation: v.next, started: o.Now(), now: o.Now}
	if passed(v.began, h.started) > leaseTTL {
		return hold{}, errors.New("create lease: the tickets were read too long ago")
	}
	for try := 1; ; try++ {
		mine, err := o.reader.create(ctx, archive.LeaseKey(h.generation), body, storeTimeout)
		switch {
		case mine:
			return h, nil
		case err == nil:
			return hold{}, &heldError{left: leaseTTL}
		case try == tries:
			return hold{}, fmt.Errorf("create lease: %w", err)
		}
		if err := sleep(ctx, retryWait); err != nil {
			return hold{}, fmt.Errorf("create lease: %w", err)
		}
	}
}

// paused gives the error of the pause that is on, if one is.
func (o *Own) paused() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pause.err == nil || passed(o.pause.since, o.Now()) >= o.pause.lasts {
		return nil
	}
	return o.pause.err
}

func (o *Own) setPause(p pause) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pause = p
}

func (o *Own) pauseIfHeld(err error) error {
	if held, ok := errors.AsType[*heldError](err); ok {
		o.setPause(pause{err: err, since: o.Now(), lasts: held.wait()})
	}
	return err
}
