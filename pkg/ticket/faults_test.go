package ticket

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// TestLostAnswers loses the answer to the create of a lease or a ticket, before or after its effect.
func TestLostAnswers(t *testing.T) {
	after := func(answer error) func(func() error) error {
		return func(do func() error) error {
			if err := do(); err != nil {
				return err
			}
			return answer
		}
	}
	before := func(func() error) error { return errBroken }
	tests := []struct {
		name string
		lose func(do func() error) error
	}{
		{"broken line after the effect", after(errBroken)},
		{"already there, as the driver tried twice", after(bucket.ErrExists)},
		{"broken line before the effect", before},
	}
	for _, prefix := range []string{archive.LeasePrefix, archive.TicketPrefix} {
		for _, tt := range tests {
			t.Run(prefix+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
					b := membucket.New(time.Now)
					lost := false
					u := &upset{Bucket: b, create: func(key string, do func() error) error {
						if lost || !strings.HasPrefix(key, prefix) {
							return do()
						}
						lost = true
						return tt.lose(do)
					}}
					start := time.Now()
					got := current(t, newOwn(t, u, api))
					if got.Generation != 1 || time.Since(start) > time.Second || !lost {
						t.Errorf("generation %d after %s, answer lost: %t", got.Generation, time.Since(start), lost)
					}
					if len(keys(b)) != 2 || fake.Stats().Refreshes != 1 {
						t.Errorf("keys %v, %d refreshes", keys(b), fake.Stats().Refreshes)
					}
				})
			})
		}
	}
}

// TestBucketThatTakesNoWrites checks that without a lease nothing is asked, and that without the ticket in the bucket nothing is used.
func TestBucketThatTakesNoWrites(t *testing.T) {
	for prefix, calls := range map[string]int{archive.LeasePrefix: 0, archive.TicketPrefix: 2} {
		t.Run(prefix, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
				u := &upset{Bucket: membucket.New(time.Now), create: func(key string, do func() error) error {
					if strings.HasPrefix(key, prefix) {
						return errBroken
					}
					return do()
				}}
				o := newOwn(t, u, api)
				for range 3 {
					if _, err := o.Current(t.Context()); !errors.Is(err, errBroken) {
						t.Errorf("Current: %v", err)
					}
				}
				if n := len(fake.History()); n != calls {
					t.Errorf("%d calls, want %d", n, calls)
				}
			})
		})
	}
}

// TestStaleListing starts cold on listings that show nothing, or less than there is: keys decide.
func TestStaleListing(t *testing.T) {
	for _, hidden := range []string{archive.TicketPrefix, archive.LeasePrefix, "system/"} {
		t.Run(hidden, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
				b := membucket.New(time.Now)
				o := newOwn(t, b, api)
				for range 3 {
					if err := o.Warm(t.Context()); err != nil {
						t.Fatal(err)
					}
					time.Sleep(refreshAge)
				}
				plantLease(t, b, 4)
				stale := &upset{Bucket: b, list: func(prefix string) bool { return !strings.HasPrefix(prefix, hidden) }}
				cold := newOwn(t, stale, api)
				if got := current(t, cold); got.Generation != 3 {
					t.Errorf("generation %d, want 3", got.Generation)
				}
				if values, err := cold.Recent(t.Context()); err != nil || len(values) != 2 {
					t.Errorf("Recent: %d values, %v", len(values), err)
				}
				if n := fake.Stats().Refreshes; n != 3 {
					t.Errorf("%d refreshes, want 3", n)
				}
			})
		})
	}
}

// TestColdStartCostsLittle starts on an archive of half a year whose upstream refused for the last night.
func TestColdStartCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		const good, dead = 13_140, 1000
		now := time.Now()
		for n := int64(1); n <= good; n++ {
			plantLease(t, b, n)
			if n <= good-2 {
				plantBytes(t, b, n, nil)
			}
		}
		for n := int64(good - 1); n <= good; n++ {
			s, err := newSealerFor(t, testSecret).seal(Pair{
				Ticket: secret.New("t"), AccessToken: secret.New("a"), Generation: n, Requested: now, Expires: now.Add(time.Hour),
			})
			if err != nil {
				t.Fatal(err)
			}
			plantBytes(t, b, n, s)
		}
		for n := int64(good + 1); n <= good+dead; n++ {
			plantLease(t, b, n)
			time.Sleep(leaseTTL)
		}
		reads, listings := 0, 0
		u := &upset{
			Bucket: b,
			get:    func(string) error { reads++; return nil },
			list:   func(string) bool { listings++; return true },
		}
		o := newOwn(t, u, api)
		if values, err := o.Recent(t.Context()); err != nil || len(values) != 2 {
			t.Errorf("Recent: %d values, %v", len(values), err)
		}
		if reads > 300 || listings > 20 || u.listed > 3*page {
			t.Errorf("a cold start took %d reads and %d listings of %d objects", reads, listings, u.listed)
		}
		if got := current(t, o); got.Generation != good+dead+1 {
			t.Errorf("generation %d, want %d", got.Generation, good+dead+1)
		}
		reads, listings = 0, 0
		time.Sleep(viewAge)
		current(t, o)
		if reads != 2 || listings != 0 {
			t.Errorf("looking again took %d reads and %d listings, want 2 and none", reads, listings)
		}
	})
}

// TestOldMemoryIsForgotten removes what a process remembers, as a lifecycle rule may while it is frozen.
func TestOldMemoryIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		frozen, awake := newOwn(t, b, api), newOwn(t, b, api)
		current(t, frozen)
		for range 4 {
			time.Sleep(refreshAge)
			if err := awake.Warm(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for n := int64(1); n <= 3; n++ {
			for _, key := range []string{archive.LeaseKey(n), archive.TicketKey(n)} {
				if err := b.Delete(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := current(t, frozen); got.Generation != 5 {
			t.Errorf("generation %d, want 5", got.Generation)
		}
	})
}

// TestLongTroubleCostsLittle lets every refresh of a night fail: a process does not read all of them again and again.
func TestLongTroubleCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		fake.ChangeSecret(secret.New("another"))
		reads := 0
		u := &upset{Bucket: membucket.New(time.Now), get: func(string) error { reads++; return nil }}
		o := newOwn(t, u, api)
		for range 300 {
			if _, err := o.Current(t.Context()); err == nil {
				t.Fatal("a ticket without the secret")
			}
			time.Sleep(leaseTTL)
		}
		reads = 0
		_, _ = o.Current(t.Context())
		if limit := 3 * 2 * (int(deadFor/leaseTTL) + 4); reads > limit { // three readings upwards, two reads a number
			t.Errorf("one try took %d reads, want at most %d", reads, limit)
		}
	})
}

func TestStoreWithoutClock(t *testing.T) {
	fake, api := newUpstream(t, faceidtest.Config{})
	u := &upset{Bucket: membucket.New(nil), now: func() (time.Time, error) { return time.Time{}, errBroken }}
	if _, err := newOwn(t, u, api).Current(t.Context()); !errors.Is(err, errBroken) || len(fake.History()) != 0 {
		t.Errorf("Current: %v after %d calls", err, len(fake.History()))
	}
}
