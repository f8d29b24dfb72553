package ticket

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid"
)

// TestExplore runs two or three processes on one bucket in random interleavings: a scheduler releases one call to bucket
// or upstream at a time, loses answers, lets time pass while calls are under way, and kills processes. The world (see
// explore_world_test.go) judges each effect. A failure names its seed.
func TestExplore(t *testing.T) {
	runs := uint64(3000)
	if testing.Short() {
		runs = 300
	}
	var sum tally
	for seed := range runs {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed)
			w.explore()
			w.calm()
			sum.add(w.tally)
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%+v", sum)
	if sum.refreshes == 0 || sum.lost == 0 || sum.late == 0 || sum.deaths == 0 || sum.handovers == 0 {
		t.Errorf("the exploration missed something that it is there for: %+v", sum)
	}
}

// tally counts what an exploration came by.
type tally struct{ steps, refreshes, lost, late, deaths, handovers int }

func (s *tally) add(o tally) {
	s.steps += o.steps
	s.refreshes += o.refreshes
	s.lost += o.lost
	s.late += o.late
	s.deaths += o.deaths
	s.handovers += o.handovers
}

// newWorld makes a bucket, an upstream and the processes.
func newWorld(t *testing.T, seed uint64) *world {
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), bucket: membucket.New(time.Now),
		makers: map[int64]*actor{}, given: map[int64]faceid.Ticket{},
	}
	for i := range 2 + w.random.IntN(2) {
		a := &actor{w: w, id: i}
		hours := time.Duration(w.random.IntN(13)-6) * time.Hour
		a.own = newOwn(t, a, service{a}, skewed(hours), func(c *OwnConfig) { c.Rand = random{a} })
		w.actors = append(w.actors, a)
	}
	return w
}

// explore lets the processes run their scripts.
func (w *world) explore() {
	running := 0
	done := make(chan struct{}, len(w.actors))
	for _, a := range w.actors {
		script := rand.New(rand.NewPCG(w.random.Uint64(), 2))
		running++
		go func() {
			a.live(script)
			done <- struct{}{}
		}()
	}
	for running > 0 {
		synctest.Wait()
		select {
		case <-done:
			running--
			continue
		default:
		}
		w.step()
	}
}

// live is what a process does: it asks for tickets, finds some refused, and waits.
func (a *actor) live(script *rand.Rand) {
	ctx := context.Background()
	var last faceid.Ticket
	for range 4 {
		var err error
		got := last
		switch script.IntN(5) {
		case 0, 1:
			got, err = a.own.Current(ctx)
		case 2:
			got, err = a.own.Refused(ctx, last)
		case 3:
			err = a.own.Warm(ctx)
		case 4:
			_, err = a.own.Recent(ctx)
		}
		if err == nil {
			a.w.gave(got)
			last = got
		}
		time.Sleep(pick(script, 0, time.Second, 20*time.Second, forceAge, refreshAge))
	}
}

// calm lets every call through, and checks that a new process gets a ticket in bounded time.
func (w *world) calm() {
	w.quiet = true
	for _, a := range w.actors {
		a.dead = true
	}
	synctest.Wait()
	for len(w.calls) > 0 {
		w.release(w.calls[0], ok)
		synctest.Wait()
	}
	start := time.Now()
	a := &actor{w: w, id: len(w.actors)}
	k, err := newOwn(w.t, a, service{a}).Current(context.Background())
	if err != nil || time.Since(start) > leaseTTL+2*pollEvery {
		w.t.Errorf("afterwards a new process got generation %d, error %v, after %s", k.Generation, err, time.Since(start))
	}
	w.gave(k)
	time.Sleep(time.Minute) // whatever the dead ones still run ends
}

// gave notes that a process was given a ticket: one generation is one value.
func (w *world) gave(k faceid.Ticket) {
	if k.Generation == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if old, ok := w.given[k.Generation]; ok && old != k {
		w.t.Errorf("generation %d was given out with two values", k.Generation)
	}
	w.given[k.Generation] = k
}

func pick(r *rand.Rand, from ...time.Duration) time.Duration { return from[r.IntN(len(from))] }

var errDead = errors.New("the process is dead")

func lostAnswer(what string) error { return fmt.Errorf("%s: %w", what, errBroken) }
