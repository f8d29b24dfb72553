package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// turn is an order in work: what it is about to do, and what came of its last step.
type turn struct {
	order    archive.Order
	msg      kyc.Message // the next step; of no opening before the order is claimed
	failures int         // of the archive, one after the other
	refusals int         // that others' good answers show to be this order's own
	goods    int         // good answers of the run when it was last refused
	bytes    int64

	already bool // it was archived before
	status  kyc.Status
	report  kyc.Report
	err     error // of the archive
}

// work makes one step of an order, after claiming it if that is to be done. A step that panics fails alone.
func (b *backfill) work(ctx context.Context, t turn) (end turn) {
	t.report, t.err = kyc.Report{}, nil
	defer func() {
		if r := recover(); r != nil {
			b.log.LogAttrs(ctx, slog.LevelError, "step panicked", slog.String("order", string(t.order)), slog.String("stack", string(debug.Stack())))
			t.err = fmt.Errorf("step panicked: %v", r)
			end = t
		}
	}()
	if t.msg.Opening == "" {
		if t.err = b.claim(ctx, &t); t.err != nil || t.already {
			return t
		}
	}
	var next nextStep
	puller := *b.Puller
	puller.Delayer = &next
	t.report, t.err = puller.RunReport(ctx, t.msg)
	t.bytes += t.report.Bytes
	switch {
	case t.err != nil || errors.Is(t.report.Err, kyc.ErrBackoff) || refusal(t.report.Class): // the same step again
	case t.report.Next == kyc.NextStep:
		t.msg = next.msg
	default:
		t.status, t.err = b.Orders.Status(ctx, t.order)
	}
	return t
}

// claim writes the order's marker, unless the order is archived: that is known from its manifests alone.
func (b *backfill) claim(ctx context.Context, t *turn) error {
	if err := b.lookUp(ctx, t); err != nil || t.already {
		return err
	}
	outcome, first, err := b.Intake.Claim(ctx, t.order, "command")
	if err != nil {
		return err
	}
	if outcome.State == kyc.StateArchived { // another process was faster
		return b.lookUp(ctx, t)
	}
	t.msg = first
	return nil
}

// lookUp reads the order's manifests, and nothing else.
func (b *backfill) lookUp(ctx context.Context, t *turn) error {
	manifests, err := b.Archive.Manifests(ctx, t.order)
	if err != nil || len(manifests) == 0 {
		return err
	}
	m := manifests[len(manifests)-1]
	t.already = m.State == archive.Archived
	t.status = kyc.Status{
		Order: t.order, State: kyc.State(m.State), FirstSeen: m.FirstSeen, Attempts: m.Attempts, ArchivedAt: m.ArchivedAt,
		Files: m.Files, Missing: m.Missing,
	}
	return nil
}

// nextStep is the delayer of a single step: it keeps the message that the step would send.
type nextStep struct{ msg kyc.Message }

// Delay implements kyc.Delayer.
func (n *nextStep) Delay(_ context.Context, msgs ...kyc.Message) error {
	n.msg = msgs[len(msgs)-1]
	return nil
}

// Room implements kyc.Delayer.
func (n *nextStep) Room(context.Context, time.Duration) (int, error) { return 1, nil }

// pulled says how an order ended.
func (t turn) pulled(end string) Pulled {
	p := Pulled{Status: t.status, End: end, Code: t.report.Code, Class: t.report.Class, Bytes: t.bytes, Err: cmp.Or(t.err, t.report.Err)}
	if p.Order == "" {
		p.Status = kyc.Status{Order: t.order, Files: []archive.File{}, Missing: []string{}}
	}
	if p.State == "" && t.msg.Opening != "" {
		p.State = kyc.StatePending
	}
	return p
}
