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
		t.err = b.lookAt(ctx, &t)
	}
	return t
}

// claim writes the order's marker, unless the order is archived: that is known from its manifests alone.
func (b *backfill) claim(ctx context.Context, t *turn) (err error) {
	if t.already, err = b.readManifests(ctx, t); err != nil {
		return err
	}
	if t.already {
		return b.tidy(ctx, t.order)
	}
	outcome, first, err := b.Intake.Claim(ctx, t.order, "command")
	if err != nil {
		return err
	}
	if outcome.State == kyc.StateArchived { // another process was faster
		t.already, err = b.readManifests(ctx, t)
		return err
	}
	t.msg = first
	return nil
}

// readManifests takes the order's status from its last manifest, and tells whether it is archived.
func (b *backfill) readManifests(ctx context.Context, t *turn) (archived bool, err error) {
	manifests, err := b.Archive.Manifests(ctx, t.order)
	if err != nil || len(manifests) == 0 {
		return false, err
	}
	m := manifests[len(manifests)-1]
	t.status = kyc.Status{
		Order: t.order, State: kyc.State(m.State), FirstSeen: m.FirstSeen, Attempts: m.Attempts, ArchivedAt: m.ArchivedAt,
		Files: m.Files, Missing: m.Missing,
	}
	return m.State == archive.Archived, nil
}

// lookAt takes the order's status after its last step: by key where that will do, since a listing takes the longer the more
// orders wait.
func (b *backfill) lookAt(ctx context.Context, t *turn) (err error) {
	switch t.report.State {
	case kyc.StateArchived, kyc.StatePartial:
		_, err = b.readManifests(ctx, t)
		return err
	case kyc.StatePending:
		if t.status.State == kyc.StatePartial { // opened again: the manifest comes before the marker (DESIGN section 3)
			return nil
		}
		return b.readMarker(ctx, t)
	}
	t.status, err = b.Orders.Status(ctx, t.order)
	return err
}

// readMarker takes the status of an order that waits from its marker and note.
func (b *backfill) readMarker(ctx context.Context, t *turn) error {
	at, _, err := b.Archive.MarkerTime(ctx, t.msg.Mark())
	if err != nil {
		return err
	}
	t.status = kyc.Status{Order: t.order, State: kyc.StatePending, FirstSeen: at.UTC(), Files: []archive.File{}, Missing: []string{}}
	for _, kind := range []archive.NoteKind{archive.Retry, archive.Quiet} {
		note, err := b.Archive.ReadNote(ctx, kind, t.msg.Mark())
		if err != nil {
			return err
		}
		t.status.Attempts = max(t.status.Attempts, note.Attempts)
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
