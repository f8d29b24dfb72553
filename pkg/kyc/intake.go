package kyc

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Intake takes completions: "this order's face check has ended".
type Intake struct{ Core }

// Complete makes sure that an order will not be forgotten, and hints at it. by says how the caller proved the completion.
// When it returns without an error, the order is archived already or its marker is in the bucket.
func (in *Intake) Complete(ctx context.Context, order archive.Order, by string) (Outcome, error) {
	c, err := in.claim(ctx, order, by)
	switch {
	case err != nil:
		return Outcome{}, err
	case c.Created:
		in.hint(ctx, c.open.Mark)
	case c.State == StatePending:
		in.remind(ctx, c.seen, c.open)
	}
	return c.Outcome, nil
}

// Claim does what Complete does, but leaves the steps to the caller: the message that starts them is for an order that
// is pending then.
func (in *Intake) Claim(ctx context.Context, order archive.Order, by string) (Outcome, Message, error) {
	c, err := in.claim(ctx, order, by)
	return c.Outcome, firstStep(c.open.Mark, in.Now()), err
}

// claim is an order as a completion finds or makes it.
type claim struct {
	Outcome
	seen archive.Seen
	open archive.Listed // of a pending order: its newest marker
}

func (in *Intake) claim(ctx context.Context, order archive.Order, by string) (claim, error) {
	seen, err := in.Archive.Markers(ctx, order)
	if err != nil {
		return claim{}, err
	}
	open, err := stillOpen(ctx, in.Archive, seen.Pending)
	if err != nil {
		return claim{}, err
	}
	manifests, err := in.Archive.Manifests(ctx, order)
	if err != nil {
		return claim{}, err
	}
	if last := highest(manifests); last != nil && last.State == archive.Archived {
		return claim{Outcome: Outcome{State: StateArchived}}, nil
	}
	if len(open) > 0 {
		return claim{Outcome: Outcome{State: StatePending}, seen: seen, open: open[len(open)-1]}, nil
	}
	mark, err := in.openNew(ctx, order, by)
	return claim{Outcome: Outcome{State: StatePending, Created: true}, open: archive.Listed{Mark: mark}}, err
}

// openNew writes the marker of a fresh opening: from here on the order will not be forgotten.
func (in *Intake) openNew(ctx context.Context, order archive.Order, by string) (archive.Mark, error) {
	opening, err := newOpening(in.Now(), in.Rand)
	if err != nil {
		return archive.Mark{}, err
	}
	mark := archive.Mark{Order: order, Opening: opening}
	return mark, in.Archive.OpenMarker(ctx, mark, archive.Marker{By: by, At: in.Now().UTC()})
}

// hint starts a chain of steps for an opening. One that fails costs nothing but time: Refetch has the marker.
func (in *Intake) hint(ctx context.Context, mark archive.Mark) {
	err := in.Delayer.Delay(ctx, firstStep(mark, in.Now().Add(in.Settings.StepDelay)))
	if err != nil {
		in.Log.LogAttrs(ctx, slog.LevelWarn, "hint failed; the next re-fetch pass takes the order up",
			slog.String("order", string(mark.Order)), slog.String("opening", mark.Opening), slog.Any("error", err))
	}
}

// firstStep is the message that starts a chain.
func firstStep(mark archive.Mark, at time.Time) Message {
	return Message{V: MessageVersion, Order: mark.Order, Opening: mark.Opening, Attempt: 1, NotBefore: at.UTC()}
}

// remind hints once more at an order that waits, if its last try is more than a minute old. The order is safe whatever
// becomes of it, so trouble is only logged.
func (in *Intake) remind(ctx context.Context, seen archive.Seen, l archive.Listed) {
	touched, err := in.touch(ctx, seen, l)
	if err != nil {
		in.Log.LogAttrs(ctx, slog.LevelWarn, "no new hint; the order stays pending and its turn comes",
			slog.String("order", string(l.Order)), slog.Any("error", err))
	}
	if touched {
		in.hint(ctx, l.Mark)
	}
}

// touch writes the opening's note anew if its last try is more than a minute old. That counts as a try, so there is at
// most one new hint a minute, whoever asks.
func (in *Intake) touch(ctx context.Context, seen archive.Seen, l archive.Listed) (bool, error) {
	kind, last := lastTry(seen, l)
	now, err := in.Archive.Now(ctx)
	if err != nil || since(now, last) <= hintGap {
		return false, err
	}
	note, err := in.Archive.ReadNote(ctx, kind, l.Mark)
	if err != nil {
		return false, err
	}
	return true, in.Archive.WriteNote(ctx, kind, l.Mark, note)
}

// lastTry gives where an opening's note stands, and the time of its last try: of notes of both kinds, which a step that
// died leaves, the newer one counts. A marker without a note counts its own creation as the last try.
func lastTry(seen archive.Seen, l archive.Listed) (archive.NoteKind, time.Time) {
	quiet, retry := find(seen.Quiet, l.Mark), find(seen.Retry, l.Mark)
	switch {
	case quiet != nil && (retry == nil || !retry.At.After(quiet.At)):
		return archive.Quiet, quiet.At
	case retry != nil:
		return archive.Retry, retry.At
	}
	return archive.Retry, l.At
}

// find gives the listed entry of a mark, nil when there is none.
func find(list []archive.Listed, m archive.Mark) *archive.Listed {
	i := slices.IndexFunc(list, func(l archive.Listed) bool { return l.Mark == m })
	if i < 0 {
		return nil
	}
	return &list[i]
}
