package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

// soonEnough is how early a step may be made. The queue waits in whole seconds, rounded up, so an earlier one is no
// rounding's.
const soonEnough = time.Second

// pull makes the steps that an SQS event source brings. It never sleeps: what must wait waits in the queue.
type pull struct {
	steps   stepper
	delayer kyc.Delayer
	metrics *metrics
	now     func() time.Time
	log     *slog.Logger
}

// stepper makes one step; kyc.Puller is the real one.
type stepper interface {
	RunReport(ctx context.Context, m kyc.Message) (kyc.Report, error)
}

// sqsEvent is what is read of an event. Nothing else of it can be in the way then: one message's strange attribute would
// else be a whole batch's end.
type sqsEvent struct {
	Records []sqsRecord
}

type sqsRecord struct {
	ID   string `json:"messageId"`
	Body string `json:"body"`
}

// readEvent reads an event; other services have records too, without these ids.
func readEvent(payload []byte) (e sqsEvent, ok bool) {
	err := json.Unmarshal(payload, &e)
	return e, err == nil && len(e.Records) > 0 && !slices.ContainsFunc(e.Records, func(r sqsRecord) bool { return r.ID == "" })
}

// Invoke implements lambda.Handler. A record that is not among the failures of the answer is done, and leaves the queue; the
// others come again after the visibility time-out ("Using Lambda with Amazon SQS", partial batch response).
func (p *pull) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e, ok := readEvent(payload)
	if !ok {
		return nil, refuse(p.log, "an SQS event with records")
	}
	t := platform.TimesOf(ctx, p.now())
	failures := []events.SQSBatchItemFailure{}
	late := 0
	for _, r := range e.Records {
		switch {
		case !t.MayBegin(p.now()):
			late++
		case p.record(ctx, t, r):
			continue
		}
		failures = append(failures, events.SQSBatchItemFailure{ItemIdentifier: r.ID})
	}
	if late > 0 {
		p.log.LogAttrs(ctx, slog.LevelWarn, "no time left for these messages; SQS delivers them again", slog.Int("messages", late))
	}
	return json.Marshal(events.SQSEventResponse{BatchItemFailures: failures})
}

// record works on one record, which holds a step message or an array of them, and tells whether it is done. What can never
// work is done too: it must not come again.
func (p *pull) record(ctx context.Context, t platform.Times, r sqsRecord) (done bool) {
	defer p.metrics.flush()
	msgs, err := kyc.ParseMessages([]byte(r.Body))
	if err != nil {
		p.log.LogAttrs(ctx, slog.LevelError, "dropped a message that can never work", slog.String("message", r.ID), slog.Any("error", err))
		p.metrics.add(metricDropped, 1)
		return true
	}
	ctx, cancel := t.Bound(ctx)
	defer cancel()
	done = true
	for i, m := range msgs {
		if i > 0 && !t.MayBegin(p.now()) {
			return false
		}
		done = p.message(ctx, m) && done
	}
	return done
}

// message makes one step, or sends it anew if it came too early, and tells whether it is done with.
func (p *pull) message(ctx context.Context, m kyc.Message) bool {
	work := p.step
	if anew, early := m.Sooner(p.now(), soonEnough); early {
		m, work = anew, p.postpone
	}
	if err := work(ctx, m); err != nil {
		p.log.LogAttrs(ctx, slog.LevelError, "step failed", slog.String("order", string(m.Order)),
			slog.String("then", "SQS delivers it again"), slog.Any("error", err))
		return false
	}
	return true
}

func (p *pull) postpone(ctx context.Context, m kyc.Message) error {
	if err := p.delayer.Delay(ctx, m); err != nil {
		return fmt.Errorf("send a step anew that came too early: %w", err)
	}
	return nil
}

// step turns a panic into an error, so that one order can not stop the others. The end that a step made counts also when the
// step failed after it.
func (p *pull) step(ctx context.Context, m kyc.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			p.log.LogAttrs(ctx, slog.LevelError, "step panicked", slog.String("order", string(m.Order)), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("step panicked: %s", thrown(r))
		}
	}()
	report, err := p.steps.RunReport(ctx, m)
	p.metrics.step(report)
	p.metrics.flush() // a line an order: two of them in one would have one age
	return err
}

// thrown tells what a panic threw. That may hold anything, so only the runtime's own errors are repeated.
func thrown(p any) string {
	if e, ok := p.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", p)
}
