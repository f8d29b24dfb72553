// Package timer delivers step messages inside one process: the delayer of `kycvault serve`. What it holds is lost with
// the process, which loses nothing: the markers are in the archive, and a pass at start takes them up.
package timer

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

const (
	redeliverAfter = 5 * time.Second // a failed step's message comes again after this
	redeliveries   = 3               // then the re-fetch has the order
	singleEvery    = 8               // of so many messages one is a re-fetch's, however many live ones wait
	firstGuess     = 2 * time.Second // of what a step takes, before any was measured
)

// Step takes one message. An error means: deliver it again.
type Step func(ctx context.Context, m kyc.Message) error

// Timer is a Delayer that makes the steps itself. Orders run in parallel; one order makes one step at a time (DESIGN section 3, rule 8).
type Timer struct {
	step    Step
	workers int
	log     *slog.Logger

	mu      sync.Mutex
	live    queue
	single  queue
	queued  map[archive.Mark]bool // single tries that wait: a second one adds nothing
	running map[archive.Order][]item
	picks   int
	stopped bool
	wake    chan struct{}
	average time.Duration
}

// New makes a timer that makes at most workers steps at once. Messages wait until Run.
func New(step Step, workers int, log *slog.Logger) *Timer {
	return &Timer{
		step: step, workers: workers, log: log, average: firstGuess,
		queued: make(map[archive.Mark]bool), running: make(map[archive.Order][]item), wake: make(chan struct{}, 1),
	}
}

// Delay takes messages. After Run has ended it refuses them: they would never be delivered.
func (t *Timer) Delay(_ context.Context, msgs ...kyc.Message) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return fmt.Errorf("delay %d steps: this process is stopping", len(msgs))
	}
	now := time.Now()
	for _, m := range msgs {
		t.push(item{msg: m, at: now.Add(m.NotBefore.Sub(now))}) // by the stop watch: the clock may be set back meanwhile
	}
	t.poke()
	return nil
}

func (t *Timer) push(it item) {
	if !it.msg.Single {
		t.live.push(it)
		return
	}
	if mark := it.msg.Mark(); !t.queued[mark] {
		t.queued[mark] = true
		t.single.push(it)
	}
}

// Room is what the workers get done in the given time, at the speed of the steps so far, less what waits already.
func (t *Timer) Room(_ context.Context, within time.Duration) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	done := int(within * time.Duration(t.workers) / max(t.average, time.Millisecond))
	return max(0, max(done, t.workers)-len(t.single)-len(t.live)), nil
}

// Idle tells whether nothing waits and nothing runs.
func (t *Timer) Idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.live)+len(t.single)+len(t.running) == 0
}

// Run delivers messages until ctx ends, then waits for the steps under way, at most for grace; what is left after that
// is cancelled. Messages that wait are dropped.
func (t *Timer) Run(ctx context.Context, grace time.Duration) {
	steps, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	var wg sync.WaitGroup
	free := make(chan struct{}, t.workers)
	for {
		it, ok := t.next(ctx, free)
		if !ok {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			t.deliver(steps, it)
		})
	}
	stop := time.AfterFunc(grace, func() { cancel(fmt.Errorf("stopped after a grace of %s", grace)) })
	defer stop.Stop()
	wg.Wait()
}

// next waits for a free worker and a due message; false when ctx has ended.
func (t *Timer) next(ctx context.Context, free chan struct{}) (item, bool) {
	select {
	case free <- struct{}{}:
	case <-ctx.Done():
		t.stop()
		return item{}, false
	}
	for {
		it, wait, ok := t.pick(time.Now())
		if ok {
			return it, true
		}
		sleep := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			sleep.Stop()
			t.stop()
			return item{}, false
		case <-t.wake:
		case <-sleep.C:
		}
		sleep.Stop()
	}
}

func (t *Timer) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
}

// longWait is how long to sleep when nothing waits; a new message wakes the sleeper.
const longWait = time.Hour

// pick takes a due message whose order is at rest, live ones first; else it tells how long to wait.
func (t *Timer) pick(now time.Time) (item, time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	order := []*queue{&t.live, &t.single}
	if t.picks%singleEvery == singleEvery-1 {
		order[0], order[1] = order[1], order[0]
	}
	for _, q := range order {
		for q.due(now) {
			it := q.pop()
			if it.msg.Single {
				delete(t.queued, it.msg.Mark())
			}
			if waiting, busy := t.running[it.msg.Order]; busy {
				t.running[it.msg.Order] = append(waiting, it)
				continue
			}
			t.running[it.msg.Order] = nil
			t.picks++
			return it, 0, true
		}
	}
	return item{}, min(t.live.wait(now, longWait), t.single.wait(now, longWait)), false
}

// deliver makes one step, then lets the order's next message through.
func (t *Timer) deliver(ctx context.Context, it item) {
	start := time.Now()
	err := t.safely(ctx, it.msg)
	if err != nil {
		t.log.LogAttrs(ctx, slog.LevelError, "step failed", slog.String("order", string(it.msg.Order)),
			slog.String("then", then(it)), slog.Any("error", err))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.average = (7*t.average + time.Since(start)) / 8
	for _, waiting := range t.running[it.msg.Order] {
		t.push(waiting)
	}
	delete(t.running, it.msg.Order)
	if err != nil && it.failures < redeliveries {
		it.failures++
		it.at = time.Now().Add(redeliverAfter)
		t.push(it)
	}
	t.poke()
}

func then(it item) string {
	if it.failures < redeliveries {
		return fmt.Sprintf("again in %s", redeliverAfter)
	}
	return "the next re-fetch pass takes the order up"
}

// safely turns a panic into an error, so that one order can not stop the others.
func (t *Timer) safely(ctx context.Context, m kyc.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			t.log.LogAttrs(ctx, slog.LevelError, "step panicked", slog.String("order", string(m.Order)), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("step panicked: %v", r)
		}
	}()
	return t.step(ctx, m)
}

func (t *Timer) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}
