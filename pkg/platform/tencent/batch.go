package tencent

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

// batch is the work of one invocation of pull.
type batch struct {
	*system
	times platform.Times
	slots chan struct{} // a place a step under way

	mu     sync.Mutex
	went   int // steps that ended well
	failed int // steps for which the archive could not be read or written
	left   int // orders that there was no time left for
}

func newBatch(s *system, t platform.Times) *batch {
	return &batch{system: s, times: t, slots: make(chan struct{}, parallel)}
}

// run works on all messages: orders side by side, waiting for none of the others.
func (b *batch) run(ctx context.Context, msgs []kyc.Message) {
	var wg sync.WaitGroup
	for _, group := range byOrder(msgs) {
		wg.Go(func() {
			for _, m := range group {
				b.chain(ctx, m)
			}
		})
	}
	wg.Wait()
	if b.left > 0 {
		b.log.LogAttrs(ctx, slog.LevelWarn, "no time left in this invocation; the next re-fetch pass takes the orders up", slog.Int("orders", b.left))
	}
}

// err is what the invocation ends with (package comment): nil as soon as one step went well.
func (b *batch) err() error {
	if b.went > 0 || b.failed == 0 {
		return nil
	}
	return fmt.Errorf("all %d steps of this event failed: the log has why", b.failed)
}

// chain makes the steps of an order, one after the other, until one of them ends it or leaves it to the re-fetch.
func (b *batch) chain(ctx context.Context, m kyc.Message) {
	for more := true; more; {
		if !b.wait(ctx, m) {
			b.leave()
			return
		}
		m, more = b.step(ctx, m)
		<-b.slots
	}
}

// wait waits for a message's time, and for a place to work on it. It tells whether the step may begin. It waits no longer
// than steps are apart: the clock that the message is from may be wrong.
func (b *batch) wait(ctx context.Context, m kyc.Message) bool {
	pause := min(time.Until(m.NotBefore), b.config.StepDelay)
	if !b.times.MayBegin(time.Now().Add(max(0, pause))) {
		return false
	}
	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
		}
	}
	select {
	case <-ctx.Done():
		return false
	case b.slots <- struct{}{}:
	}
	if ctx.Err() != nil || !b.times.MayBegin(time.Now()) {
		<-b.slots
		return false
	}
	return true
}

func (b *batch) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left++
}

// step makes one step, and gives the one that follows in this invocation, if any does.
func (b *batch) step(ctx context.Context, m kyc.Message) (next kyc.Message, more bool) {
	defer func() {
		if thrown := recover(); thrown != nil { // the other orders go on
			b.log.LogAttrs(ctx, slog.LevelError, "step panicked", slog.String("order", string(m.Order)),
				slog.String("type", fmt.Sprintf("%T", thrown)), slog.String("stack", string(debug.Stack())))
			more = false
		}
	}()
	keeper := &nextStep{times: b.times}
	puller := *b.Puller
	puller.Delayer = keeper
	report, err := puller.RunReport(ctx, m)
	b.count(ctx, m, err)
	return keeper.msg, err == nil && report.Next == kyc.NextStep
}

// count takes note of how a step ended, and logs a failure: the invocation's error says only how many there were.
func (b *batch) count(ctx context.Context, m kyc.Message, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		b.went++
		return
	}
	b.failed++
	b.log.LogAttrs(ctx, slog.LevelError, "step failed", slog.String("order", string(m.Order)), slog.Int("attempt", m.Attempt),
		slog.String("then", "the event comes again, or the next re-fetch pass takes the order up"), slog.Any("error", err))
}
