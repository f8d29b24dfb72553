package ticket

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/secret"
)

// world is what the explored processes share, and the judge of what they do to it.
type world struct {
	t      *testing.T
	random *rand.Rand
	bucket *membucket.Bucket
	actors []*actor
	quiet  bool // every call goes through at once
	tally  tally

	mu     sync.Mutex
	calls  []*call // that wait for the scheduler
	makers map[int64]*actor
	given  map[int64]faceid.Ticket
	grants int
}

// actor is a process, and the bucket as it sees it. Its embedded Bucket is nil: what is not gated is not used.
type actor struct {
	bucket.Bucket
	w    *world
	id   int
	own  *Own
	dead bool
}

// call is one gate that a process waits at: before or after the effect of something.
type call struct {
	actor *actor
	what  string
	fate  chan fate
}

type fate int

const (
	ok   fate = iota
	lost      // the line breaks here
)

// step lets one call go on, or some time pass.
func (w *world) step() {
	w.tally.steps++
	w.mu.Lock()
	slices.SortFunc(w.calls, func(a, b *call) int {
		return cmp.Or(cmp.Compare(a.actor.id, b.actor.id), strings.Compare(a.what, b.what))
	})
	calls := slices.Clone(w.calls)
	w.mu.Unlock()
	if len(calls) == 0 || w.random.IntN(6) == 0 {
		time.Sleep(pick(w.random, 100*time.Millisecond, time.Second, 3*time.Second, 10*time.Second, leaseTTL))
		return
	}
	c := calls[w.random.IntN(len(calls))]
	switch w.random.IntN(40) {
	case 0:
		c.actor.dead = true
		w.tally.deaths++
		w.release(c, lost)
	case 1, 2:
		w.tally.lost++
		w.release(c, lost)
	default:
		w.release(c, ok)
	}
}

func (w *world) release(c *call, f fate) {
	w.leave(c)
	c.fate <- f
}

func (w *world) leave(c *call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = slices.DeleteFunc(w.calls, func(other *call) bool { return other == c })
}

// gate waits for the scheduler. Like a connection it gives up when ctx ends.
func (a *actor) gate(ctx context.Context, what string) error {
	if !a.w.quiet {
		c := &call{actor: a, what: what, fate: make(chan fate, 1)}
		a.w.mu.Lock()
		a.w.calls = append(a.w.calls, c)
		a.w.mu.Unlock()
		select {
		case f := <-c.fate:
			if f == lost {
				return lostAnswer(what)
			}
		case <-ctx.Done():
			a.w.leave(c)
		}
	}
	if a.dead {
		return errDead
	}
	return ctx.Err()
}

// around has the effect of a call between two gates.
func (a *actor) around(ctx context.Context, what string, effect func() error) error {
	if err := a.gate(ctx, "before "+what); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return a.gate(ctx, "after "+what)
}

// Create implements bucket.Bucket. A request whose sender gave up may still arrive, a second later.
func (a *actor) Create(ctx context.Context, key string, c bucket.Content) error {
	err := a.around(ctx, "create "+key, func() error { return a.create(key, c) })
	if err != nil && ctx.Err() != nil && !a.dead && !a.w.quiet && a.id%2 == 0 {
		time.AfterFunc(time.Second, func() {
			a.w.mu.Lock()
			a.w.tally.late++
			a.w.mu.Unlock()
			_, _ = c.Body.Seek(0, io.SeekStart)
			_ = a.create(key, c)
		})
	}
	return err
}

// create is the effect, judged: a ticket is published by the maker of its lease only, inside the lease.
func (a *actor) create(key string, c bucket.Content) error {
	w := a.w
	if err := w.bucket.Create(context.Background(), key, c); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n, _ := archive.ParseGeneration(key)
	switch {
	case strings.HasPrefix(key, archive.LeasePrefix):
		w.makers[n] = a
		if before := w.makers[n-1]; before != nil && before != a {
			w.tally.handovers++
		}
	case w.makers[n] != a:
		w.t.Errorf("%s was published by a process that does not have its lease", key)
	case !w.leaseLives(n):
		w.t.Errorf("%s was published after its lease was over", key)
	}
	return nil
}

// leaseLives tells whether lease n is not over yet, by the store's clock.
func (w *world) leaseLives(n int64) bool {
	key := archive.LeaseKey(n)
	for _, o := range w.bucket.Objects() {
		if o.Key == key {
			return time.Now().Before(o.Modified.Add(leaseTTL))
		}
	}
	return false
}

// Get implements bucket.Bucket.
func (a *actor) Get(ctx context.Context, key string) (body io.ReadCloser, o bucket.Object, err error) {
	var missing error
	err = a.around(ctx, "get "+key, func() error {
		body, o, missing = a.w.bucket.Get(context.Background(), key)
		return nil
	})
	if err == nil {
		err = missing
	}
	return body, o, err
}

// List implements bucket.Bucket. Half of the listings are stale: they show nothing.
func (a *actor) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	if err := a.gate(ctx, "list "+prefix); err != nil {
		return func(yield func(bucket.Object, error) bool) { yield(bucket.Object{}, err) }
	}
	if a.id%2 == 1 {
		return func(func(bucket.Object, error) bool) {}
	}
	return a.w.bucket.List(ctx, prefix, after)
}

// Now implements bucket.Bucket.
func (a *actor) Now(ctx context.Context) (now time.Time, err error) {
	err = a.around(ctx, "now", func() error { now = time.Now(); return nil })
	return now, err
}

// random stalls a process where it calls nobody: each random number waits for the scheduler.
type random struct{ a *actor }

func (r random) Read(p []byte) (int, error) {
	_ = r.a.gate(context.Background(), "random")
	return crand.Read(p)
}

// service is the upstream, judged: only who has the newest lease may call, while it lives and has no ticket.
type service struct{ a *actor }

func (s service) AccessToken(ctx context.Context, _ secret.Text) (secret.Text, time.Duration, error) {
	return s.grant(ctx, "token", 2*time.Hour)
}

func (s service) SignTicket(ctx context.Context, _ secret.Text) (secret.Text, time.Duration, error) {
	return s.grant(ctx, "ticket", time.Hour)
}

func (s service) grant(ctx context.Context, what string, life time.Duration) (v secret.Text, _ time.Duration, err error) {
	err = s.a.around(ctx, what, func() error {
		w := s.a.w
		w.mu.Lock()
		defer w.mu.Unlock()
		w.judge(s.a, what)
		w.grants++
		w.tally.refreshes++
		v = secret.New(fmt.Sprintf("%s %d", what, w.grants))
		return nil
	})
	return v, life, err
}

func (w *world) judge(a *actor, what string) {
	var newest int64
	for n := range w.makers {
		newest = max(newest, n)
	}
	switch {
	case w.makers[newest] != a:
		w.t.Errorf("%s was asked for by a process that does not have the newest lease", what)
	case !w.leaseLives(newest):
		w.t.Errorf("%s was asked for after the lease was over", what)
	}
	key := archive.TicketKey(newest)
	for _, o := range w.bucket.Objects() {
		if o.Key == key {
			w.t.Errorf("%s was asked for after the generation was published", what)
		}
	}
}
