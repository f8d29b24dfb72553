package kyc

import (
	"context"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Orders tells what the archive knows of an order.
type Orders struct{ Archive *archive.Archive }

// Status gives an order's state: the manifest before pending before the newest closed entry. An order the archive has
// never heard of is ErrUnknownOrder.
func (q Orders) Status(ctx context.Context, order archive.Order) (Status, error) {
	s := Status{Order: order, Files: []archive.File{}, Missing: []string{}}
	seen, err := q.Archive.Markers(ctx, order)
	if err != nil {
		return s, err
	}
	manifests, err := q.Archive.Manifests(ctx, order)
	if err != nil {
		return s, err
	}
	if last := highest(manifests); last != nil {
		return s.withManifest(last.Manifest), nil
	}
	open, err := stillOpen(ctx, q.Archive, seen.Pending)
	if err != nil {
		return s, err
	}
	if len(open) > 0 {
		return q.waiting(ctx, s, seen, open)
	}
	return q.closed(ctx, s)
}

// withManifest fills in what the manifest that counts tells. Lists stay lists where it has none: the contract knows no null.
func (s Status) withManifest(m archive.Manifest) Status {
	s.State, s.FirstSeen, s.Attempts, s.ArchivedAt = State(m.State), m.FirstSeen, m.Attempts, m.ArchivedAt
	if m.Files != nil {
		s.Files = m.Files
	}
	if m.Missing != nil {
		s.Missing = m.Missing
	}
	return s
}

// waiting fills in what the marker and its note tell.
func (q Orders) waiting(ctx context.Context, s Status, seen archive.Seen, open []archive.Listed) (Status, error) {
	s.State = StatePending
	var first time.Time
	for _, l := range open {
		first = earlier(first, l.At)
	}
	s.FirstSeen = first.UTC()
	kind, _ := lastTry(seen, open[len(open)-1])
	note, err := q.Archive.ReadNote(ctx, kind, open[len(open)-1].Mark)
	s.Attempts = note.Attempts
	return s, err
}

func (q Orders) closed(ctx context.Context, s Status) (Status, error) {
	c, found, err := q.Archive.NewestClosed(ctx, s.Order)
	if err != nil {
		return s, err
	}
	if !found {
		return s, ErrUnknownOrder
	}
	s.State, s.FirstSeen, s.Attempts = State(c.State), c.FirstSeen, c.Attempts
	return s, nil
}
