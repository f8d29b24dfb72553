package local_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform/local"
	"github.com/kycvault/kycvault/pkg/secret"
)

// pullHouse is an archive and a fake service in a bubble of fake time. Each pull is a process of its own.
type pullHouse struct {
	t       *testing.T
	sim     *faceidtest.Server
	bucket  bucket.Bucket
	extra   map[string]string
	waiting int // how often a run began to wait
}

// pulling runs f in a bubble.
func pulling(t *testing.T, extra map[string]string, f func(h *pullHouse)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &pullHouse{t: t, extra: extra, bucket: membucket.New(time.Now)}
		h.sim = faceidtest.New(faceidtest.Config{AppID: appID, Secret: secret.New(appSecret), Now: time.Now, MediaAfter: -1})
		f(h)
		time.Sleep(2 * time.Minute)
	})
}

// pulled is how a pull ended.
type pulled struct {
	err  error
	ends map[string]int
	by   map[archive.Order]local.Pulled
	took time.Duration
}

// pull pulls orders, as one process does.
func (h *pullHouse) pull(ctx context.Context, orders []archive.Order, o local.PullOptions) pulled {
	h.t.Helper()
	wire := peertest.NewPipes()
	service := &http.Server{Handler: h.sim, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	go func() { _ = service.Serve(wire) }()
	transport := &http.Transport{DialContext: wire.Dial}
	defer func() {
		transport.CloseIdleConnections()
		_ = service.Close()
	}()
	server, err := local.New(settings(h.t, h.extra), local.Options{Writer: "kycvault test", Log: slog.New(slog.DiscardHandler), Bucket: h.bucket, Transport: transport})
	if err != nil {
		h.t.Fatal(err)
	}
	p := pulled{ends: map[string]int{}, by: map[archive.Order]local.Pulled{}}
	o.Done = func(d local.Pulled) {
		if _, twice := p.by[d.Order]; twice {
			h.t.Errorf("order %s ended twice", d.Order)
		}
		p.by[d.Order] = d
		p.ends[d.End]++
	}
	o.Waiting = func(on bool) {
		if on {
			h.waiting++
		}
	}
	start := time.Now()
	p.err = server.Pull(ctx, orders, o)
	p.took = time.Since(start)
	if len(p.by) != len(orders) {
		h.t.Errorf("%d of %d orders ended", len(p.by), len(orders))
	}
	return p
}

// queries counts what the service was asked about orders.
func (h *pullHouse) queries() int { return h.sim.Stats().Calls[faceidtest.Sync] }

// numbered makes order numbers.
func numbered(prefix string, n int) []archive.Order {
	all := make([]archive.Order, n)
	for i := range all {
		all[i] = archive.Order(fmt.Sprintf("%s%dx", prefix, i))
	}
	return all
}

func (h *pullHouse) want(p pulled, err error, ends map[string]int) {
	h.t.Helper()
	if !errors.Is(p.err, err) || (err == nil) != (p.err == nil) {
		h.t.Errorf("ended with %v, want %v", p.err, err)
	}
	if diff := cmp.Diff(ends, p.ends); diff != "" {
		h.t.Errorf("ends (-want +got):\n%s", diff)
	}
}

// TestPullOfThousands takes a list with everything in it, then the same list again: that asks nothing about what is archived.
func TestPullOfThousands(t *testing.T) {
	many := 3000
	if testing.Short() { // under the race detector
		many = 300
	}
	pulling(t, nil, func(h *pullHouse) {
		orders := append(numbered("ok", many), numbered("cut1x", 20)...)
		orders = append(orders, numbered("walkaway", 30)...)
		p := h.pull(h.t.Context(), orders, local.PullOptions{})
		h.want(p, nil, map[string]int{local.PulledArchived: many + 20, local.PulledPending: 30})
		before := h.queries()
		p = h.pull(h.t.Context(), orders, local.PullOptions{})
		h.want(p, nil, map[string]int{local.PulledAlready: many + 20, local.PulledPending: 30})
		if n := h.queries() - before; n != 30*3 {
			t.Errorf("%d queries by the second run, want those about the 30 that wait", n)
		}
		if got := p.by["walkaway0x"]; got.State != kyc.StatePending || got.Code != kyc.NoSuchResult || got.Attempts != 6 || got.FirstSeen.IsZero() {
			t.Errorf("an order that waits: %+v", got)
		}
		if got := p.by["ok7x"]; len(got.Files) != 3 || got.ArchivedAt.IsZero() {
			t.Errorf("an order that was archived before: %+v", got)
		}
	})
}

// TestPullWaitsForTheService: the service has too much to do for ten minutes; nothing is lost by it, and it is left in peace.
func TestPullWaitsForTheService(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		h.sim.Busy(true)
		time.AfterFunc(10*time.Minute, func() { h.sim.Busy(false) })
		p := h.pull(h.t.Context(), numbered("ok", 200), local.PullOptions{})
		h.want(p, nil, map[string]int{local.PulledArchived: 200})
		if p.took < 10*time.Minute || p.took > 12*time.Minute {
			t.Errorf("took %s", p.took)
		}
		if refused := h.sim.Stats().Codes["400501"]; refused > 40 {
			t.Errorf("%d refused queries in ten minutes", refused)
		}
		if h.waiting != 1 {
			t.Errorf("told %d times that it waits", h.waiting)
		}
	})
}

// TestPullGoesOnAfterTrouble: the service breaks down in the middle of a run, in several ways, and comes back.
func TestPullGoesOnAfterTrouble(t *testing.T) {
	for name, fault := range map[string]faceidtest.Fault{
		"no access":     {Route: faceidtest.Query, Skip: 300, Times: 10, Code: "400103"},
		"not reachable": {Route: faceidtest.Query, Skip: 300, Times: 150, Reset: true},
		"its own error": {Route: faceidtest.Query, Skip: 300, Times: 150, Code: "999999"},
		"now and then":  {Route: faceidtest.Query, Rate: 0.2, Code: "400504"},
	} {
		t.Run(name, func(t *testing.T) {
			pulling(t, nil, func(h *pullHouse) {
				if err := h.sim.AddFault(fault); err != nil {
					t.Fatal(err)
				}
				h.want(h.pull(h.t.Context(), numbered("ok", 300), local.PullOptions{}), nil, map[string]int{local.PulledArchived: 300})
			})
		})
	}
}

// TestPullWithWrongSettings ends at once, with each order's fate told.
func TestPullWithWrongSettings(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		h.sim.ChangeSecret(secret.New("another-secret"))
		p := h.pull(h.t.Context(), numbered("ok", 500), local.PullOptions{})
		if !errors.Is(p.err, local.ErrNoAnswer) || p.ends[local.PulledUntouched] < 450 || p.ends[local.PulledArchived] > 0 {
			t.Errorf("ended with %v, %v", p.err, p.ends)
		}
		if p.took > 30*time.Second {
			t.Errorf("took %s", p.took)
		}
		if got := p.by["ok0x"]; got.Class != kyc.Config && !errors.Is(got.Err, kyc.ErrBackoff) {
			t.Errorf("the first order: %+v", got)
		}
		if p = h.pull(h.t.Context(), numbered("ok", 500), local.PullOptions{Wait: 20 * time.Minute}); !errors.Is(p.err, local.ErrNoAnswer) ||
			p.took < 20*time.Minute || p.took > 26*time.Minute {
			t.Errorf("asked to wait 20 minutes it ended with %v after %s", p.err, p.took)
		}
	})
}

// TestPullWithOneRefusedOrder: one order is always refused with a code that is about everyone. It holds up nobody, and the run ends.
func TestPullWithOneRefusedOrder(t *testing.T) {
	for _, code := range []string{"400101", "400103", "400501"} {
		t.Run(code, func(t *testing.T) {
			pulling(t, nil, func(h *pullHouse) {
				orders := append([]archive.Order{archive.Order("code" + code + "x1")}, numbered("ok", 400)...)
				p := h.pull(h.t.Context(), orders, local.PullOptions{})
				h.want(p, nil, map[string]int{local.PulledArchived: 400, local.PulledPending: 1})
				if p.took > 15*time.Minute {
					t.Errorf("took %s", p.took)
				}
				if got := p.by[orders[0]]; got.Code != code {
					t.Errorf("it ended with %+v", got)
				}
			})
		})
	}
}

// refusing is a bucket that refuses to create some keys.
type refusing struct {
	bucket.Bucket
	refuse func(key string) bool
}

var errFull = errors.New("disk is full")

func (r refusing) Create(ctx context.Context, key string, c bucket.Content) error {
	if r.refuse(key) {
		return errFull
	}
	return r.Bucket.Create(ctx, key, c)
}

// TestPullIntoAFullArchive does not go through a long list for nothing, and names the cause.
func TestPullIntoAFullArchive(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		h.bucket = refusing{h.bucket, func(key string) bool { return strings.HasPrefix(key, "pending/") }}
		p := h.pull(h.t.Context(), numbered("ok", 500), local.PullOptions{})
		if !errors.Is(p.err, local.ErrNoArchive) || p.ends[local.PulledFailed] < 16 || p.ends[local.PulledUntouched] < 450 {
			t.Errorf("ended with %v, %v", p.err, p.ends)
		}
		if got := p.by["ok0x"]; !errors.Is(got.Err, errFull) || got.State != "" {
			t.Errorf("the first order: %+v", got)
		}
	})
}

// TestPullGoesOnWhenTheArchiveFails: a step that could not write is made again; one that never can fails alone.
func TestPullGoesOnWhenTheArchiveFails(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		var failed atomic.Int32
		h.bucket = refusing{h.bucket, func(key string) bool {
			return strings.HasPrefix(key, "orders/ok7x/") || strings.HasPrefix(key, "orders/ok5x/") && failed.Add(1) <= 2
		}}
		p := h.pull(h.t.Context(), numbered("ok", 50), local.PullOptions{})
		h.want(p, nil, map[string]int{local.PulledArchived: 49, local.PulledFailed: 1})
		if got := p.by["ok7x"]; !errors.Is(got.Err, errFull) || got.State != kyc.StatePending {
			t.Errorf("the order that fails: %+v", got)
		}
	})
}

// TestPullAtTheDeadline gives up what never came; a later pull asks again, and the manifest still counts.
func TestPullAtTheDeadline(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		orders := []archive.Order{"novideo1", "walkaway1", "ok1"}
		h.want(h.pull(h.t.Context(), orders, local.PullOptions{}), nil, map[string]int{local.PulledPending: 2, local.PulledArchived: 1})
		time.Sleep(71*time.Hour + 55*time.Minute)
		h.want(h.pull(h.t.Context(), orders, local.PullOptions{}), nil, map[string]int{local.PulledPending: 2, local.PulledAlready: 1})
		time.Sleep(10 * time.Minute)
		p := h.pull(h.t.Context(), orders, local.PullOptions{})
		h.want(p, nil, map[string]int{local.PulledPartial: 1, local.PulledUnavailable: 1, local.PulledAlready: 1})
		if got := p.by["novideo1"]; len(got.Files) != 2 || !cmp.Equal(got.Missing, []string{"video"}) {
			t.Errorf("%+v", got)
		}
		p = h.pull(h.t.Context(), orders, local.PullOptions{})
		h.want(p, nil, map[string]int{local.PulledPartial: 1, local.PulledPending: 1, local.PulledAlready: 1})
		if got := p.by["novideo1"]; got.State != kyc.StatePartial || len(got.Files) != 2 {
			t.Errorf("%+v", got)
		}
	})
}

// TestPullIsInterrupted: what is under way ends well, and another run goes on.
func TestPullIsInterrupted(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		ctx, cancel := context.WithCancel(h.t.Context())
		if err := h.sim.AddFault(faceidtest.Fault{Route: faceidtest.Query, Times: -1, Delay: time.Second}); err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(10500*time.Millisecond, cancel)
		orders := numbered("ok", 1000)
		p := h.pull(ctx, orders, local.PullOptions{Parallel: 4})
		h.want(p, local.ErrInterrupted, map[string]int{local.PulledArchived: 24, local.PulledUntouched: 976})
		h.sim.ClearFaults()
		p = h.pull(h.t.Context(), orders, local.PullOptions{})
		h.want(p, nil, map[string]int{local.PulledArchived: 976, local.PulledAlready: 24})
	})
}

// TestPullTidiesUp: whatever call a run died at, the same command run again leaves nothing undone: no manifest without its
// journal entry, no marker of an archived order.
func TestPullTidiesUp(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		whole := h.bucket.(*membucket.Bucket)
		orders := numbered("ok", 2)
		for n := 1; ; n++ {
			ctx, cancel := context.WithCancel(h.t.Context())
			f := &faults{n: n, way: death, die: cancel}
			empty := whole.Clone()
			h.bucket = bucketFaults{Bucket: empty, f: f}
			h.pull(ctx, orders, local.PullOptions{Parallel: 1})
			cancel()
			if !f.dead {
				break // it made fewer calls than that
			}
			time.Sleep(time.Minute) // a lease it held is over
			h.bucket = empty
			h.pull(h.t.Context(), orders, local.PullOptions{})
			if _, err := archive.New(empty).Verify(h.t.Context(), func(d archive.Damage) { h.t.Errorf("died at call %d: %+v", n, d) }); err != nil {
				h.t.Error(err)
			}
			if left := keysBelow(h.t, empty, archive.ScanPending); len(left) > 0 {
				h.t.Errorf("died at call %d: left behind %q", n, left)
			}
		}
	})
}

// markerListing is a bucket that tells when its markers are listed, and may fail that.
type markerListing struct {
	bucket.Bucket
	begins func() error
}

func (b markerListing) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	if prefix == archive.ScanPending {
		if err := b.begins(); err != nil {
			return func(yield func(bucket.Object, error) bool) { yield(bucket.Object{}, err) }
		}
	}
	return b.Bucket.List(ctx, prefix, after)
}

// TestPullListsMarkers: one listing that fails is one order's trouble, and an interrupted run still ends the listing that is
// under way.
func TestPullListsMarkers(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		orders := numbered("ok", 40)
		h.want(h.pull(h.t.Context(), orders, local.PullOptions{}), nil, map[string]int{local.PulledArchived: 40})
		whole, listings := h.bucket, 0
		h.bucket = markerListing{whole, func() error {
			if listings++; listings == 1 {
				return errors.New("a hiccup")
			}
			return nil
		}}
		p := h.pull(h.t.Context(), orders, local.PullOptions{})
		h.want(p, nil, map[string]int{local.PulledFailed: 1, local.PulledAlready: 39})
		if listings != 2 {
			t.Errorf("%d listings", listings)
		}
		ctx, cancel := context.WithCancel(h.t.Context())
		h.bucket = markerListing{whole, func() error { cancel(); return nil }}
		p = h.pull(ctx, orders, local.PullOptions{Parallel: 4})
		already := p.ends[local.PulledAlready]
		h.want(p, local.ErrInterrupted, map[string]int{local.PulledAlready: max(already, 1), local.PulledUntouched: 40 - already})
	})
}

// TestPullHoldsAFewOrders: of a long list without results only so many are begun at a time.
func TestPullHoldsAFewOrders(t *testing.T) {
	pulling(t, nil, func(h *pullHouse) {
		orders := numbered("walkaway", 2500)
		ctx, cancel := context.WithCancel(h.t.Context())
		time.AfterFunc(time.Second, cancel)
		p := h.pull(ctx, orders, local.PullOptions{})
		h.want(p, local.ErrInterrupted, map[string]int{local.PulledPending: 1000, local.PulledUntouched: 1500})
	})
}
