package ticket

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/secret"
)

func TestOwnMakesTheFirstTicketAndOthersFindIt(t *testing.T) {
	fake, api := newUpstream(t, faceidtest.Config{})
	b := membucket.New(nil)
	maker, other := newOwn(t, b, api), newOwn(t, b, api)
	made, found := 0, 0
	maker.Refreshed, other.Refreshed = func() { made++ }, func() { found++ }
	first := current(t, maker)
	second := current(t, other)
	if first.Generation != 1 || first != second {
		t.Errorf("generations %d and %d, the same value: %t; want 1, 1, true", first.Generation, second.Generation, first.Value == second.Value)
	}
	if live, _ := fake.Ticket(); live != first.Value {
		t.Error("the ticket is not the one that the service gave out")
	}
	p, err := other.Newest(t.Context())
	if err != nil || p.Ticket != first.Value || p.AccessToken.Empty() || p.Generation != 1 {
		t.Errorf("Newest: generation %d, error %v", p.Generation, err)
	}
	want := []string{"system/lease/000000000001", "system/ticket/000000000001"}
	if diff := cmp.Diff(want, keys(b)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if n := fake.Stats().Refreshes; n != 1 || made != 1 || found != 0 {
		t.Errorf("%d refreshes, want 1; told %d times by its maker, %d by the other", n, made, found)
	}
}

func TestReadOnlyCallsNeverRefresh(t *testing.T) {
	fake, api := newUpstream(t, faceidtest.Config{})
	b := membucket.New(nil)
	o := newOwn(t, b, api)
	if _, err := o.Recent(t.Context()); !errors.Is(err, ErrNone) {
		t.Errorf("Recent: %v, want ErrNone", err)
	}
	if _, err := o.Newest(t.Context()); !errors.Is(err, ErrNone) {
		t.Errorf("Newest: %v, want ErrNone", err)
	}
	if len(keys(b)) != 0 || len(fake.History()) != 0 {
		t.Errorf("they wrote %v and made %d calls", keys(b), len(fake.History()))
	}
}

// TestRotation goes through the life of a pair: used for 20 minutes, refreshed, still good for a minute and still known.
func TestRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		o, reader := newOwn(t, b, api), newOwn(t, b, api)
		first := current(t, o)
		time.Sleep(refreshAge - time.Second)
		if current(t, o) != first {
			t.Error("refreshed before 20 minutes were over")
		}
		if err := o.Warm(t.Context()); err != nil || fake.Stats().Refreshes != 1 {
			t.Errorf("Warm before 20 minutes: %v, %d refreshes", err, fake.Stats().Refreshes)
		}
		time.Sleep(2 * time.Second)
		second := current(t, o)
		if second.Generation != 2 || second.Value == first.Value {
			t.Errorf("after 20 minutes: generation %d", second.Generation)
		}
		values, err := reader.Recent(t.Context())
		if err != nil || !slices.Equal(values, []secret.Text{second.Value, first.Value}) {
			t.Errorf("Recent of another process: %d values, error %v; want the new one, then the old one", len(values), err)
		}
		time.Sleep(refreshAge)
		if err := reader.Warm(t.Context()); err != nil {
			t.Errorf("Warm: %v", err)
		}
		time.Sleep(viewAge)
		if got := current(t, o); got.Generation != 3 || fake.Stats().Refreshes != 3 {
			t.Errorf("after another process's Warm: generation %d, %d refreshes", got.Generation, fake.Stats().Refreshes)
		}
	})
}

// TestSeesOthersRefreshInTime checks that a process stops using the old ticket while that is still good: within a minute.
func TestSeesOthersRefreshInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		a, other := newOwn(t, b, api), newOwn(t, b, api)
		current(t, a)
		time.Sleep(refreshAge - 5*time.Second)
		current(t, a) // looks, and believes it for a while
		time.Sleep(5 * time.Second)
		if err := other.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(viewAge)
		live, _ := fake.Ticket()
		if current(t, a).Value != live {
			t.Error("the old ticket is still used 15 s after another process's refresh")
		}
		if n := fake.Stats().Refreshes; n != 2 {
			t.Errorf("%d refreshes, want 2", n)
		}
	})
}

// TestExpiryCountsFromSending checks that a slow answer does not make a pair live longer, and that the shorter life counts.
func TestExpiryCountsFromSending(t *testing.T) {
	slowly := func(d time.Duration) func(context.Context, func() (secret.Text, time.Duration, error)) (secret.Text, time.Duration, error) {
		return func(_ context.Context, send func() (secret.Text, time.Duration, error)) (secret.Text, time.Duration, error) {
			v, life, err := send()
			time.Sleep(d)
			return v, life, err
		}
	}
	tests := []struct {
		name              string
		token, ticket     time.Duration
		tokenLag, signLag time.Duration
		want              time.Duration // from the start to the end of the pair
	}{
		{"ticket ends first", 2 * time.Hour, time.Hour, 3 * time.Second, 4 * time.Second, time.Hour + 3*time.Second},
		{"token ends first", 30 * time.Minute, time.Hour, 3 * time.Second, 4 * time.Second, 30 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now, TokenLife: tt.token, TicketLife: tt.ticket})
				o := newOwn(t, membucket.New(time.Now), between{api, slowly(tt.tokenLag), slowly(tt.signLag)})
				start := time.Now()
				current(t, o)
				p, err := o.Newest(t.Context())
				if err != nil || !p.Requested.Equal(start) || p.Expires.Sub(start) != tt.want {
					t.Errorf("requested %s after the start, ends after %s, error %v; want 0 and %s",
						p.Requested.Sub(start), p.Expires.Sub(start), err, tt.want)
				}
			})
		})
	}
}

func TestUsableUntilShortlyBeforeItsEnd(t *testing.T) {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name           string
		life, age      time.Duration
		usable, due    bool
		young, noValue bool
	}{
		{name: "new", life: time.Hour, usable: true, young: true},
		{name: "two minutes", life: time.Hour, age: 2 * time.Minute, usable: true},
		{name: "just before 20 minutes", life: time.Hour, age: 20*time.Minute - 1, usable: true},
		{name: "20 minutes", life: time.Hour, age: 20 * time.Minute, usable: true, due: true},
		{name: "half a minute before its end", life: time.Hour, age: time.Hour - 30*time.Second, due: true},
		{name: "before that", life: time.Hour, age: time.Hour - 31*time.Second, usable: true, due: true},
		{name: "short life", life: time.Minute, age: 56 * time.Second, usable: true, young: true},
		{name: "short life, its end", life: time.Minute, age: 57 * time.Second, due: true, young: true},
		{name: "none", noValue: true, due: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := Pair{Generation: 1, Requested: start, Expires: start.Add(tt.life)}
			if tt.noValue {
				p = Pair{}
			}
			now := start.Add(tt.age)
			if p.usable(now) != tt.usable || p.due(now) != tt.due || p.young(now) != tt.young {
				t.Errorf("usable %t, due %t, young %t", p.usable(now), p.due(now), p.young(now))
			}
		})
	}
}

func TestOldTicketIsUsedWhileAnotherRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		b := membucket.New(time.Now)
		o := newOwn(t, b, api)
		first := current(t, o)
		time.Sleep(refreshAge)
		plantLease(t, b, 2) // another process begins, and dies
		start := time.Now()
		if got := current(t, o); got != first || time.Since(start) != 0 {
			t.Errorf("generation %d after %s, want the old one at once", got.Generation, time.Since(start))
		}
		if err := o.Warm(t.Context()); err != nil || time.Since(start) != 0 {
			t.Errorf("Warm: %v after %s, want success at once", err, time.Since(start))
		}
		time.Sleep(leaseTTL)
		if got := current(t, o); got.Generation != 3 {
			t.Errorf("generation %d after the lease was over, want 3", got.Generation)
		}
	})
}

func TestUpstreamRefusalComesBackAndIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		fake.ChangeSecret(secret.New("another"))
		b := membucket.New(time.Now)
		o := newOwn(t, b, api)
		for range 20 {
			_, err := o.Current(t.Context())
			if ue, ok := errors.AsType[*kyc.UpstreamError](err); !ok || ue.Class != kyc.Config {
				t.Fatalf("Current: %v, want a config-class *kyc.UpstreamError", err)
			}
			time.Sleep(time.Second)
		}
		if calls := len(fake.History()); calls != 1 {
			t.Errorf("%d calls within a lease, want 1", calls)
		}
		time.Sleep(leaseTTL)
		fake.ChangeSecret(secret.New(testSecret))
		if got := current(t, o); got.Generation != 2 {
			t.Errorf("generation %d after it was mended, want 2", got.Generation)
		}
	})
}

func TestTransientFailuresAreRetriedInsideTheLease(t *testing.T) {
	for _, route := range []faceidtest.Route{faceidtest.AccessToken, faceidtest.APITicket} {
		t.Run(string(route), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
				if err := fake.AddFault(faceidtest.Fault{Route: route, Status: 502, Times: 2}); err != nil {
					t.Fatal(err)
				}
				o := newOwn(t, membucket.New(time.Now), api)
				start := time.Now()
				if got := current(t, o); got.Generation != 1 || time.Since(start) > 3*time.Second {
					t.Errorf("generation %d after %s", got.Generation, time.Since(start))
				}
			})
		})
	}
}

func TestMemoryServesWhileTheBucketIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		var away bool
		b := &upset{Bucket: membucket.New(time.Now), get: func(string) error {
			if away {
				return errBroken
			}
			return nil
		}}
		var log peertest.Log
		o := newOwn(t, b, api, logTo(&log))
		first := current(t, o)
		away = true
		time.Sleep(30 * time.Minute)
		if got := current(t, o); got != first {
			t.Errorf("generation %d", got.Generation)
		}
		if values, err := o.Recent(t.Context()); err != nil || len(values) != 1 {
			t.Errorf("Recent: %d values, %v", len(values), err)
		}
		if log.String() == "" {
			t.Error("nothing was logged")
		}
		time.Sleep(30 * time.Minute)
		_, atEnd := o.Current(t.Context())
		_, newest := o.Newest(t.Context())
		_, refused := o.Refused(t.Context(), first)
		for _, err := range []error{atEnd, newest, refused, o.Warm(t.Context())} {
			if !errors.Is(err, errBroken) {
				t.Errorf("at the ticket's end: %v, want the bucket's error", err)
			}
		}
	})
}

func TestCallerMayLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, api := newBubbleUpstream(t, faceidtest.Config{Now: time.Now})
		slow := between{Service: api, token: func(_ context.Context, send func() (secret.Text, time.Duration, error)) (secret.Text, time.Duration, error) {
			time.Sleep(3 * time.Second)
			return send()
		}}
		b := membucket.New(time.Now)
		o := newOwn(t, b, slow)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := o.Current(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Current: %v, want the caller's own end", err)
		}
		time.Sleep(5 * time.Second)
		if _, ok := stored(t, b, 1); !ok {
			t.Error("the refresh was not finished without its caller")
		}
	})
}

func TestNewOwnRefusesWhatIsNotWhole(t *testing.T) {
	_, api := newUpstream(t, faceidtest.Config{})
	whole := OwnConfig{Bucket: membucket.New(nil), AppID: testApp, Secret: secret.New(testSecret), Service: api}
	for name, spoil := range map[string]func(*OwnConfig){
		"bucket":  func(c *OwnConfig) { c.Bucket = nil },
		"app id":  func(c *OwnConfig) { c.AppID = "" },
		"secret":  func(c *OwnConfig) { c.Secret = secret.Text{} },
		"service": func(c *OwnConfig) { c.Service = nil },
	} {
		c := whole
		spoil(&c)
		if _, err := NewOwn(c); err == nil {
			t.Errorf("made without %s", name)
		}
	}
}
