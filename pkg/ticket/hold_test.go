package ticket

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

type reply = func() (secret.Text, time.Duration, error)

// TestHolderDies lets a holder die right after it took the lease: the others wait for the lease's end, and no longer.
func TestHolderDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		plantLease(t, b, 1)
		start := time.Now()
		var wg sync.WaitGroup
		for range 5 {
			o := newOwn(t, b, api)
			wg.Go(func() {
				k, err := o.Current(t.Context())
				if err != nil || k.Generation != 2 {
					t.Errorf("generation %d, error %v", k.Generation, err)
				}
				if d := time.Since(start); d < leaseTTL || d > leaseTTL+2*pollEvery {
					t.Errorf("waited %s, want the lease's %s", d, leaseTTL)
				}
			})
		}
		wg.Wait()
		if s := fake.Stats(); s.Calls[faceidtest.AccessToken] != 1 {
			t.Errorf("calls %v", s.Calls)
		}
	})
}

// TestHoldersDieOneAfterAnother checks that who waits gives up in the end, with an error that says why.
func TestHoldersDieOneAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		plantLease(t, b, 1)
		ends := time.Now().Add(leaseTTL)
		trap := &upset{Bucket: b, now: func() (time.Time, error) {
			if !time.Now().Before(ends) { // the next one to die is always faster
				ends = time.Now().Add(leaseTTL)
				plantLease(t, b, int64(len(b.Objects())+1))
			}
			return time.Now(), nil
		}}
		start := time.Now()
		_, err := newOwn(t, trap, api).Current(t.Context())
		if !isHeld(err) || kyc.ClassOf(err) != kyc.Transient || time.Since(start) > patience+2*pollEvery {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

// TestHolderThatStallsPublishesNothing stops the holder at each of its steps for longer than its lease.
func TestHolderThatStallsPublishesNothing(t *testing.T) {
	stall := func() { time.Sleep(leaseTTL + time.Second) }
	slow := func(_ context.Context, send reply) (secret.Text, time.Duration, error) {
		v, life, err := send()
		stall()
		return v, life, err
	}
	afterLease := func(key string, do func() error) error {
		err := do()
		if strings.HasPrefix(key, archive.LeasePrefix) {
			stall()
		}
		return err
	}
	tests := []struct {
		name   string
		spoil  func(*between, *upset)
		routes []faceidtest.Route // that were called
	}{
		{"after it took the lease", func(_ *between, u *upset) { u.create = afterLease }, nil},
		{"in the first call", func(b *between, _ *upset) { b.token = slow }, []faceidtest.Route{faceidtest.AccessToken}},
		{"in the second call", func(b *between, _ *upset) { b.ticket = slow }, []faceidtest.Route{faceidtest.AccessToken, faceidtest.APITicket}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
				b := membucket.New(time.Now)
				s, u := between{Service: api}, &upset{Bucket: b}
				tt.spoil(&s, u)
				if _, err := newOwn(t, u, &s).Current(t.Context()); !errors.Is(err, errLeaseOver) {
					t.Errorf("Current: %v, want errLeaseOver", err)
				}
				if got := keys(b); !slices.Equal(got, []string{archive.LeaseKey(1)}) {
					t.Errorf("keys %v, want the lease alone", got)
				}
				var routes []faceidtest.Route
				for _, c := range fake.History() {
					routes = append(routes, c.Route)
				}
				if !slices.Equal(routes, tt.routes) {
					t.Errorf("calls %v, want %v", routes, tt.routes)
				}
				if got := current(t, newOwn(t, b, api)); got.Generation != 2 {
					t.Errorf("the next one made generation %d, want 2", got.Generation)
				}
			})
		})
	}
}

// TestHungCallsEndInsideTheLease lets calls hang until their time-out: all of them together must not outlast the lease.
func TestHungCallsEndInsideTheLease(t *testing.T) {
	hang := func(ctx context.Context, _ reply) (secret.Text, time.Duration, error) {
		<-ctx.Done()
		return secret.Text{}, 0, ctx.Err()
	}
	for name, s := range map[string]between{"first": {token: hang}, "second": {ticket: hang}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, s.Service = newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
				b := membucket.New(time.Now)
				start := time.Now()
				_, err := newOwn(t, b, s).Current(t.Context())
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > sendFor {
					t.Errorf("after %s: %v", time.Since(start), err)
				}
				if got := keys(b); len(got) != 1 {
					t.Errorf("keys %v, want the lease alone", got)
				}
			})
		})
	}
}

// TestLateTicketDoesNoHarm publishes generation 1 after generation 2: a write that was long on its way.
func TestLateTicketDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		plantLease(t, b, 1)
		o := newOwn(t, b, api)
		second := current(t, o)
		now := time.Now()
		late, err := newSealerFor(t, testSecret).seal(Pair{
			Ticket: secret.New("late"), AccessToken: secret.New("late"), Generation: 1, Requested: now, Expires: now.Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		plantBytes(t, b, 1, late)
		if got := current(t, newOwn(t, b, api)); got != second || fake.Stats().Refreshes != 1 {
			t.Errorf("a new process uses generation %d, %d refreshes", got.Generation, fake.Stats().Refreshes)
		}
		time.Sleep(viewAge)
		if got := current(t, o); got != second {
			t.Errorf("the old process uses generation %d", got.Generation)
		}
	})
}

// TestTicketPublishedWhileTheLeaseIsFoundExpired publishes between a waiter's reading of the tickets and its look at the
// clock: it must read the tickets again.
func TestTicketPublishedWhileTheLeaseIsFoundExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		plantLease(t, b, 1)
		time.Sleep(leaseTTL)
		u := &upset{Bucket: b}
		u.get = func(key string) error {
			if key != archive.LeaseKey(1) {
				return nil
			}
			u.get = nil // once, after ticket 1 was not found
			now := time.Now()
			sealed, err := newSealerFor(t, testSecret).seal(Pair{
				Ticket: secret.New("just in time"), AccessToken: secret.New("a"), Generation: 1, Requested: now, Expires: now.Add(time.Hour),
			})
			if err != nil {
				return err
			}
			return b.Create(t.Context(), archive.TicketKey(1), bucket.Bytes(sealed, ""))
		}
		if got, err := newOwn(t, u, api).attempt(t.Context(), 0); err != nil || got.Generation != 1 || len(fake.History()) != 0 {
			t.Errorf("generation %d after %d calls, error %v; want 1 after none", got.Generation, len(fake.History()), err)
		}
	})
}

// TestWrongLocalClock runs processes whose clocks are hours off: the store's clock alone decides.
func TestWrongLocalClock(t *testing.T) {
	for _, by := range []time.Duration{-5 * time.Hour, 5 * time.Hour} {
		t.Run(by.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
				b := membucket.New(time.Now)
				wrong, right := newOwn(t, b, api, skewed(by)), newOwn(t, b, api)
				first := current(t, wrong)
				p, ok := stored(t, b, 1)
				if !ok || !p.Requested.Equal(time.Now()) || time.Until(p.Expires) != time.Hour {
					t.Errorf("stored as requested %s from now, to end %s from now", time.Until(p.Requested), time.Until(p.Expires))
				}
				mine, err := wrong.Newest(t.Context())
				if err != nil || !mine.Expires.Equal(time.Now().Add(by+time.Hour)) {
					t.Errorf("Newest ends at %s by the machine's own clock, error %v; want in an hour", mine.Expires, err)
				}
				if current(t, right) != first || current(t, wrong) != first || fake.Stats().Refreshes != 1 {
					t.Errorf("%d refreshes, want 1", fake.Stats().Refreshes)
				}
				plantLease(t, b, 2)
				time.Sleep(leaseTTL - time.Second)
				_, err = wrong.attempt(t.Context(), 1)
				if !isHeld(err) {
					t.Errorf("with a living lease: %v, want a heldError", err)
				}
				time.Sleep(2 * time.Second)
				if p, err := wrong.attempt(t.Context(), 1); err != nil || p.Generation != 3 {
					t.Errorf("with an expired lease: generation %d, error %v; want 3", p.Generation, err)
				}
			})
		})
	}
}

// setBack is a store whose clock, and times of objects, run ahead until somebody sets it back.
func setBack(t *testing.T) (b *membucket.Bucket, back func()) {
	t.Helper()
	ahead := 8 * time.Hour
	return membucket.New(func() time.Time { return time.Now().Add(ahead) }), func() { ahead = 0 }
}

// TestStoreClockWasSetBack: in a folder the store's clock is the machine's, which may be set back. Neither a lease nor a pair
// of the future holds anybody longer than they last.
func TestStoreClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b, back := setBack(t)
		first := current(t, newOwn(t, b, api))
		plantLease(t, b, 2) // its holder dies
		back()
		fake.KillTicket()
		began, o := time.Now(), newOwn(t, b, api)
		if err := o.Warm(t.Context()); err != nil && !isHeld(err) {
			t.Error(err)
		}
		time.Sleep(leaseTTL)
		if err := o.Warm(t.Context()); err != nil {
			t.Error(err)
		}
		if got := current(t, o); got == first || got.Generation != 3 || fake.Stats().Refreshes != 2 {
			t.Errorf("generation %d after %s and %d refreshes", got.Generation, time.Since(began), fake.Stats().Refreshes)
		}
		if _, err := o.Refused(t.Context(), current(t, o)); !errors.Is(err, ErrTooYoung) {
			t.Errorf("a fresh ticket is refused: %v, want ErrTooYoung", err)
		}
	})
}

// TestFrozenProcess stops the monotonic clock, as a frozen function's may: the wall clock tells.
func TestFrozenProcess(t *testing.T) {
	start := time.Now()
	thawed := start
	*(*uint64)(unsafe.Pointer(&thawed)) += 3600 << 30 // an hour on the wall, nothing on the stop watch
	if thawed.Sub(start) != 0 || thawed.Round(0).Sub(start.Round(0)) != time.Hour {
		t.Fatal("package time keeps its two clocks in another way now: mend this test")
	}
	if d := passed(start, thawed); d != time.Hour {
		t.Errorf("passed %s, want an hour", d)
	}
	h := hold{generation: 1, started: start, now: func() time.Time { return thawed }}
	if _, err := h.left(holdFor, storeTimeout); !errors.Is(err, errLeaseOver) {
		t.Errorf("left: %v", err)
	}
}

// TestFrozenBeforeTheLease freezes a process between its look at the tickets and its try for the lease.
func TestFrozenBeforeTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		frozen := newOwn(t, b, api, func(c *OwnConfig) { c.Rand = slowReader(leaseTTL + time.Second) })
		if k, err := frozen.Current(t.Context()); err == nil || len(keys(b)) != 0 {
			t.Errorf("generation %d, keys %v; want nothing done on an old view", k.Generation, keys(b))
		}
	})
}

// slowReader gives random bytes late.
type slowReader time.Duration

func (d slowReader) Read(p []byte) (int, error) {
	time.Sleep(time.Duration(d))
	return rand.Read(p)
}
