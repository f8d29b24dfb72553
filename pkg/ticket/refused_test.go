package ticket

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
)

func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		a, other := newOwn(t, b, api), newOwn(t, b, api)
		first := current(t, a)

		_, err := a.Refused(t.Context(), first)
		if !errors.Is(err, ErrTooYoung) || kyc.ClassOf(err) != kyc.Config || !strings.Contains(err.Error(), "configuration trouble: another refresher?") {
			t.Errorf("a young ticket: %v", err)
		}
		time.Sleep(forceAge)
		second, err := a.Refused(t.Context(), first)
		if err != nil || second.Generation != 2 {
			t.Errorf("a ticket of two minutes: generation %d, error %v; want 2", second.Generation, err)
		}
		if got, err := other.Refused(t.Context(), first); err != nil || got != second {
			t.Errorf("another process's older ticket: generation %d, error %v; want the newest", got.Generation, err)
		}
		if _, err = other.Refused(t.Context(), second); !errors.Is(err, ErrTooYoung) {
			t.Errorf("the new one too: %v", err)
		}
		if n := fake.Stats().Refreshes; n != 2 {
			t.Errorf("%d refreshes, want 2", n)
		}
	})
}

// TestStormOfRefusals has many processes refuse whatever they get, for a while: one refresh in two minutes.
func TestStormOfRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		start := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			o := newOwn(t, b, api)
			for range 5 {
				wg.Go(func() { storm(t, o, start.Add(10*time.Minute)) })
			}
		}
		wg.Wait()
		s := fake.Stats()
		if s.Refreshes < 4 || s.Refreshes > 6 || s.ParallelRefreshes != 0 || s.Calls[faceidtest.AccessToken] != s.Refreshes {
			t.Errorf("%d refreshes in 10 minutes, %d at once, calls %v", s.Refreshes, s.ParallelRefreshes, s.Calls)
		}
	})
}

func storm(t *testing.T, o *Own, until time.Time) {
	var used faceid.Ticket
	for time.Now().Before(until) {
		k, err := o.Current(t.Context())
		if err == nil {
			used, err = o.Refused(t.Context(), k)
		}
		if err != nil && !errors.Is(err, ErrTooYoung) && !isHeld(err) {
			t.Errorf("in the storm, after generation %d: %v", used.Generation, err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// TestKilledTokenIsReplaced goes through the real thing: somebody else refreshed, and our ticket died.
func TestKilledTokenIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		o := newOwn(t, membucket.New(time.Now), api)
		used := current(t, o)
		time.Sleep(5 * time.Minute)
		fake.OtherRefresh()
		fake.OtherRefresh()
		got, err := o.Refused(t.Context(), used)
		if err != nil {
			t.Fatal(err)
		}
		if live, _ := fake.Ticket(); live != got.Value {
			t.Error("what Refused gave is not the living ticket")
		}
	})
}

func TestRefusedWaitsForAnotherProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		o := newOwn(t, b, api)
		used := current(t, o)
		time.Sleep(forceAge)
		plantLease(t, b, 2)
		time.AfterFunc(4*time.Second, func() {
			s, err := newSealerFor(t, testSecret).seal(Pair{
				Ticket: used.Value, AccessToken: used.Value, Generation: 2, Requested: time.Now(), Expires: time.Now().Add(time.Hour),
			})
			if err != nil {
				t.Error(err)
				return
			}
			plantBytes(t, b, 2, s)
		})
		start := time.Now()
		got, err := o.Refused(t.Context(), used)
		if err != nil || got.Generation != 2 || time.Since(start) > 5*time.Second {
			t.Errorf("generation %d after %s, error %v", got.Generation, time.Since(start), err)
		}
	})
}
