package kyc_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// An exploration runs the threads of a scenario in every interleaving of their bucket calls that can make a difference. It is
// stateless: a schedule is replayed from the start, and a point whose bucket and whose threads' pasts were seen before is not
// entered again. Of two orders of calls that can not tell each other, one is taken (sleep sets with state caching: Godefroid,
// "Partial-Order Methods for the Verification of Concurrent Systems", 1996).

// move is how the scheduler lets a thread make its next bucket call.
type move int

const (
	goOn  move = iota // the call does what it should
	stale             // a listing shows the bucket as it was before the race: world.old
	die               // the process dies after the effect, before the answer
	quit              // the run is over; nothing happens any more
)

// A death is told apart only by the writes before it: one after a read, or before a call, leaves the same bucket as one
// after the write before, and the message comes again at any time after. So threads die after writes.

// kind is what a call does.
type kind int

const (
	reads kind = iota
	lists
	writes
)

// What is below orders/, journal/ and closed/ is never changed and never removed, so a call that reads a key that is there, or that
// creates it anew, is sure: it tells the same now as at any later time, and nobody sees it. A thread that is about to make one
// makes it before anything else is tried; all that may follow in another order may follow this too.

// call is what a thread is about to do.
type call struct {
	kind kind
	key  string // or a listing's prefix
}

// blind tells whether two calls have the same effects and answers in either order. A manifest's appearance is looked at with all that
// lies there (checkCommit).
func (c call) blind(other call) bool {
	if c.kind != writes && other.kind != writes {
		return true
	}
	if c.kind == writes && other.kind == writes {
		return c.key != other.key && !c.commits() && !other.commits()
	}
	if c.kind != writes {
		c, other = other, c
	}
	return c.key != other.key && (other.kind != lists || !strings.HasPrefix(c.key, other.key))
}

func (c call) commits() bool { return strings.Contains(c.key, "/manifest") }

// sure tells whether nothing that others do can change what comes of it, and the other way round.
func (c call) sure(ctx context.Context, b *membucket.Bucket) bool {
	folder, _, _ := strings.Cut(c.key, "/")
	if c.kind == lists || !slices.Contains([]string{"orders", "journal", "closed"}, folder) {
		return false
	}
	r, _, err := b.Get(ctx, c.key)
	if err != nil {
		return false
	}
	_ = r.Close()
	return true
}

// choice is one step of a schedule.
type choice struct {
	thread int
	move   move
}

// branch is a schedule, and the choices that need not be made after it: they were made before its last one, with the same result.
type branch struct {
	path  []choice
	sleep []choice
}

// limits bound how unkind an exploration is.
type limits struct{ deaths, stales int }

// scenario is what is explored: a world, made anew for each run, whose threads race, and a judge.
type scenario struct {
	limits
	world func(t *testing.T) *world
}

var errDied = errors.New("the process died")

// thread is one process of a run.
type thread struct {
	ask   chan call // it is about to be made
	reply chan move
	ended chan struct{}
	past  [sha256.Size]byte // of all that its calls told it
	next  call
	done  bool
	dead  bool
}

// explore walks all interleavings and gives the number of runs.
func explore(t *testing.T, sc scenario) int {
	t.Helper()
	seen := make(map[[sha256.Size]byte][]choice)
	stack := []branch{{}}
	runs := 0
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		runs++
		r := &run{sc: sc, w: sc.world(t), t: t}
		stack = append(stack, r.play(b, seen)...)
		if t.Failed() {
			t.Fatalf("schedule: %v", r.path)
		}
	}
	return runs
}

// run is one replayed schedule.
type run struct {
	t       *testing.T
	sc      scenario
	w       *world
	threads []*thread
	start   *membucket.Bucket
	path    []choice
	deaths  int
	stales  int
}

// play follows a branch, then takes the first new choice at each point until all threads ended or no choice is new. It
// gives the other choices it met. What was chosen at a point is all but the choices that seen has for it.
func (r *run) play(b branch, seen map[[sha256.Size]byte][]choice) (more []branch) {
	if r.start = r.w.old; r.start == nil {
		r.start = r.w.mem.Clone()
	}
	for i := range r.w.threads {
		r.begin(i)
	}
	defer r.abandon()
	for _, c := range b.path {
		r.make(c)
	}
	for sleep := b.sleep; ; {
		key, choices := r.state(), r.choices()
		left, been := seen[key]
		if !been && len(choices) == 0 {
			r.w.judge(r.t)
		}
		if been {
			choices = left
			seen[key] = slices.DeleteFunc(slices.Clone(left), func(c choice) bool { return !slices.Contains(sleep, c) })
		} else {
			seen[key] = sleep
		}
		choices = slices.DeleteFunc(slices.Clone(choices), func(c choice) bool { return slices.Contains(sleep, c) })
		if len(choices) == 0 {
			break
		}
		for i, c := range choices[1:] {
			more = append(more, branch{append(slices.Clone(r.path), c), r.asleep(append(slices.Clone(sleep), choices[:i+1]...), c)})
		}
		sleep = r.asleep(sleep, choices[0])
		r.make(choices[0])
	}
	return more
}

// asleep gives those choices that sleep on after c: what c does they can not tell.
func (r *run) asleep(choices []choice, c choice) []choice {
	return slices.DeleteFunc(slices.Clone(choices), func(other choice) bool {
		return c.thread == other.thread || c.move == die || other.move == die || c.move == stale && other.move == stale ||
			!r.threads[c.thread].next.blind(r.threads[other.thread].next)
	})
}

// begin starts thread i and lets it come to its first call.
func (r *run) begin(i int) {
	th := &thread{ask: make(chan call), reply: make(chan move), ended: make(chan struct{})}
	r.threads = append(r.threads, th)
	go r.run(th, i, r.w.threads[i])
	r.settle(th)
}

// run is the goroutine of one thread.
func (r *run) run(th *thread, i int, f func(b bucket.Bucket) error) {
	defer close(th.ended)
	defer func() {
		switch p := recover(); p {
		case nil, errDied:
		default:
			panic(p)
		}
	}()
	if err := f(&stepped{Bucket: r.w.mem, t: r.t, th: th, start: r.start, offset: r.w.offset(i), weak: r.w.weak}); err != nil {
		r.t.Errorf("thread %d: %v", i, err)
	}
}

// settle waits until the thread is about to make a call, or has ended.
func (r *run) settle(th *thread) {
	select {
	case th.next = <-th.ask:
	case <-th.ended:
		th.done = true
	}
}

func (r *run) choices() []choice {
	var all []choice
	for i, th := range r.threads {
		if th.done {
			continue
		}
		mine := []choice{{i, goOn}}
		if th.next.kind == lists && r.stales < r.sc.stales {
			mine = append(mine, choice{i, stale})
		}
		if th.next.kind == writes && r.deaths < r.sc.deaths {
			mine = append(mine, choice{i, die})
		}
		if th.next.sure(r.t.Context(), r.w.mem) {
			return mine
		}
		all = append(all, mine...)
	}
	return all
}

func (r *run) make(c choice) {
	r.path = append(r.path, c)
	th := r.threads[c.thread]
	switch c.move {
	case stale:
		r.stales++
	case die:
		r.deaths++
		th.dead = true
	}
	th.reply <- c.move
	r.settle(th)
	if th.dead && r.w.hints[c.thread].V != 0 {
		r.redeliver(r.w.hints[c.thread])
	}
}

// redeliver starts a thread with a dead one's message: it was not acknowledged (rule 8).
func (r *run) redeliver(m kyc.Message) {
	r.w.step(m, r.w.later)
	r.begin(len(r.w.threads) - 1)
}

// state is what the future depends on: the bucket, what was sent and promised, and the pasts of the threads that go on.
func (r *run) state() [sha256.Size]byte {
	h := sha256.New()
	mem := r.w.mem.Fingerprint()
	h.Write(mem[:])
	for i, th := range r.threads {
		if !th.done {
			h.Write(th.past[:])
			fmt.Fprint(h, i)
		}
	}
	fmt.Fprint(h, r.deaths, r.stales, r.w.promised, r.w.mail.msgs)
	return [sha256.Size]byte(h.Sum(nil))
}

// abandon ends the threads of a run that is not played to its end.
func (r *run) abandon() {
	for _, th := range r.threads {
		if !th.done {
			th.reply <- quit
			<-th.ended
		}
	}
}

// stepped is a thread's view of the bucket: each call waits for the scheduler's move. Keys under system/ hold nothing that the
// threads race for, so they are no points of choice.
type stepped struct {
	*membucket.Bucket
	t      *testing.T
	th     *thread
	start  *membucket.Bucket
	offset time.Duration
	weak   bool // listings may be stale
}

func (s *stepped) call(key string, what kind, do func(move) string) {
	if strings.HasPrefix(key, "system/") {
		do(goOn)
		return
	}
	s.th.ask <- call{what, key}
	m := <-s.th.reply
	if m == quit {
		panic(errDied)
	}
	s.th.past = sha256.Sum256(append(s.th.past[:], do(m)...))
	if m == die {
		panic(errDied)
	}
}

func told(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

func (s *stepped) Create(ctx context.Context, key string, c bucket.Content) (err error) {
	s.call(key, writes, func(move) string {
		if err = s.Bucket.Create(ctx, key, c); err == nil && strings.Contains(key, "/manifest") {
			s.checkCommit(ctx)
		}
		return told(err)
	})
	return err
}

// checkCommit looks, in the moment a manifest appears, whether all it names is there, and whether the ones before it have
// their journal entries (rule 9).
func (s *stepped) checkCommit(ctx context.Context) {
	a := archive.New(s.Bucket)
	all, err := a.Manifests(ctx, order)
	if err != nil {
		s.t.Error(err)
	}
	for i, m := range all {
		if ok, err := a.Journaled(ctx, m); i < len(all)-1 && (!ok || err != nil) {
			s.t.Errorf("manifest %d was made while %d had no journal entry", m.N+1, m.N)
		}
		if i > 0 && m.SameAs(all[i-1].Manifest) {
			s.t.Errorf("manifest %d says nothing new", m.N)
		}
		for _, f := range m.Files {
			r, _, err := s.Bucket.Get(ctx, archive.FileKey(order, f.Name))
			if err != nil {
				s.t.Errorf("manifest %d names %s, which is not there", m.N, f.Name)
				continue
			}
			_ = r.Close()
		}
	}
}

func (s *stepped) Put(ctx context.Context, key string, c bucket.Content) (err error) {
	s.call(key, writes, func(move) string { err = s.Bucket.Put(ctx, key, c); return told(err) })
	return err
}

func (s *stepped) Delete(ctx context.Context, key string) (err error) {
	s.call(key, writes, func(move) string { err = s.Bucket.Delete(ctx, key); return told(err) })
	return err
}

func (s *stepped) Get(ctx context.Context, key string) (r io.ReadCloser, o bucket.Object, err error) {
	s.call(key, reads, func(move) string {
		if r, o, err = s.Bucket.Get(ctx, key); err != nil {
			return told(err)
		}
		data, _ := io.ReadAll(r)
		r, _, _ = s.Bucket.Get(ctx, key)
		sum := sha256.Sum256(data)
		return hex.EncodeToString(sum[:])
	})
	return r, o, err
}

func (s *stepped) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	var found []bucket.Object
	s.call(prefix, lists, func(m move) string {
		from := s.Bucket
		if m == stale {
			from = s.start
		}
		var keys strings.Builder
		for o, err := range from.List(ctx, prefix, after) {
			if err != nil {
				return told(err)
			}
			found = append(found, o)
			keys.WriteString(o.Key + "\n")
		}
		return keys.String()
	})
	return func(yield func(bucket.Object, error) bool) {
		for _, o := range found {
			if !yield(o, nil) {
				return
			}
		}
	}
}

func (s *stepped) Now(ctx context.Context) (time.Time, error) {
	now, err := s.Bucket.Now(ctx)
	return now.Add(s.offset), err
}

func (s *stepped) Properties() bucket.Properties {
	p := s.Bucket.Properties()
	p.StrongListing = !s.weak
	return p
}
