package timer_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/delay/timer"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// bench is a timer in the fake time of a synctest bubble. It notes what is delivered, and when.
type bench struct {
	*timer.Timer
	t     *testing.T
	begin time.Time
	stop  context.CancelFunc // ends Run
	ended chan struct{}      // closed when Run has returned
	logs  bytes.Buffer       // read it when Run has returned

	mu    sync.Mutex
	heard []string // "2s order1", as the steps began
}

// grace is how long these timers wait for their steps at the end.
const grace = 10 * time.Second

// inFakeTime makes a bench. step says how a step goes; nil is at once, and well. Whatever Run was given is over when it returns.
func inFakeTime(t *testing.T, workers int, step timer.Step, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, begin: time.Now(), ended: make(chan struct{}), stop: func() {}}
		b.Timer = timer.New(func(ctx context.Context, m kyc.Message) error {
			b.note(m)
			if step == nil {
				return nil
			}
			return step(ctx, m)
		}, workers, slog.New(slog.NewTextHandler(&b.logs, nil)))
		test(b)
		b.stop()
	})
}

func (b *bench) note(m kyc.Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, fmt.Sprintf("%s %s", time.Since(b.begin), m.Order))
}

// start lets the timer run.
func (b *bench) start() {
	ctx, cancel := context.WithCancel(b.t.Context())
	go func() {
		defer close(b.ended)
		b.Run(ctx, grace)
	}()
	b.stop = func() {
		cancel()
		<-b.ended
	}
}

// delay sends messages that must be taken.
func (b *bench) delay(msgs ...kyc.Message) {
	b.t.Helper()
	if err := b.Delay(b.t.Context(), msgs...); err != nil {
		b.t.Error(err)
	}
}

// want compares what has been delivered so far, once nothing moves at this time any more.
func (b *bench) want(want ...string) {
	b.t.Helper()
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if diff := cmp.Diff(want, b.heard); diff != "" {
		b.t.Errorf("delivered, -want +got:\n%s", diff)
	}
}

// live is a message of a completion that is due after some time.
func (b *bench) live(order archive.Order, after time.Duration) kyc.Message {
	return kyc.Message{V: kyc.MessageVersion, Order: order, Opening: "a", Attempt: 1, NotBefore: time.Now().Add(after)}
}

// single is a message of a re-fetch pass.
func (b *bench) single(order archive.Order, after time.Duration) kyc.Message {
	m := b.live(order, after)
	m.Single = true
	return m
}
