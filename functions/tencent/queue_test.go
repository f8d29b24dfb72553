package tencent_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/delay/scf/scftest"
	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest"
)

// minute is a minute of the platform in these tests.
const minute = time.Second

// mischief is what happens to events on their way, by chance.
type mischief struct{ lose, double float64 }

// queue is the platform between an asynchronous Invoke and the pull function (PLATFORMS, Tencent SCF): an event waits for an
// instance, at most for the file's msgTTL, and is tried again a minute after an error, the file's retryNum times. What is left
// then is gone: no dead-letter queue is set.
type queue struct {
	d        *deployment
	mischief mischief
	free     chan struct{} // an instance that is free

	ctx  context.Context
	stop func()
	wg   sync.WaitGroup

	mu      sync.Mutex
	spans   []time.Duration // of the invocations
	dropped int             // events that were given up
}

func newQueue(d *deployment, m mischief) *queue {
	q := &queue{d: d, mischief: m, free: make(chan struct{}, workers)}
	q.ctx, q.stop = context.WithCancel(context.Background())
	d.t.Cleanup(func() { q.stop(); q.wg.Wait() })
	return q
}

// take is given each event that the API took.
func (q *queue) take(e scftest.Event) { q.put(e.Payload) }

// put queues an event, unless it is lost.
func (q *queue) put(event []byte) {
	event = slices.Clone(event)
	if happens(q.mischief.lose) {
		return
	}
	copies := 1
	if happens(q.mischief.double) {
		copies = 2
	}
	for range copies {
		q.wg.Go(func() { q.deliver(event) })
	}
}

func happens(chance float64) bool { return rand.Float64() < chance }

func (q *queue) deliver(event []byte) {
	pull := q.d.file.Inputs.Functions["pull"]
	for range 1 + *pull.RetryNum {
		if !q.slot(time.Duration(pull.MsgTTL) * minute / 60) {
			break
		}
		began := time.Now()
		answer, err := q.d.pull.Invoke(q.ctx, event)
		<-q.free
		q.note(time.Since(began))
		if err == nil && string(answer) != "null" {
			q.d.t.Errorf("pull answered %q", answer)
		}
		if told, ok := errors.AsType[*scfruntest.Error](err); ok && told.ShouldExit {
			q.d.t.Errorf("pull crashed: %v", err)
		}
		if err == nil || !pause(q.ctx, minute) {
			return
		}
		q.d.t.Logf("pull: %v", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped++
}

// slot waits for a free instance.
func (q *queue) slot(longest time.Duration) bool {
	timer := time.NewTimer(longest)
	defer timer.Stop()
	select {
	case q.free <- struct{}{}:
		return true
	case <-timer.C:
		return false
	case <-q.ctx.Done():
		return false
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (q *queue) note(took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spans = append(q.spans, took)
}

// taken forgets the invocations so far, and gives how many there were and how long they took together.
func (q *queue) taken() (n int, busy time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, took := range q.spans {
		busy += took
	}
	n, q.spans = len(q.spans), nil
	return n, busy
}

// timer fires until stop is called.
func (d *deployment) timer() (stop func()) {
	ctx, cancel := context.WithCancel(d.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ok := true; ok; ok = pause(ctx, 2*time.Second) {
			if err := d.pass(d.t.Context()); err != nil {
				d.t.Logf("refetch: %v", err)
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}
