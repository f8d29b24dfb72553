package kyc

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Filter says which orders List yields. The zero Filter is all of them.
type Filter struct {
	State State     // "" is every state
	From  time.Time // of Row.At; zero is the beginning
	To    time.Time // of Row.At, not included; zero is the end
}

// Row is one order of a listing.
type Row struct {
	Status
	At time.Time `json:"at"` // since when the state holds: archivedAt, firstSeen of one that waits, or when it was given up
}

// takes tells whether the filter lets a row through.
func (f Filter) takes(r Row) bool {
	return (f.State == "" || f.State == r.State) && !r.At.Before(f.From) && (f.To.IsZero() || r.At.Before(f.To))
}

// asks tells whether one of these states is asked for.
func (f Filter) asks(states ...State) bool { return f.State == "" || slices.Contains(states, f.State) }

// List yields orders with the state that Status gives them: those that wait, then those that were given up, each by order
// number, then those with a manifest, by the time of their last one. Candidates come from listings, and what they are is
// read by key: the cost is that of what is asked for, whatever the archive holds beside it.
//
// An order whose state changes meanwhile may come twice. An error whose Row has an order is about that order alone, and one
// for which archive.Strange holds is about one key: both times the listing goes on. Any other error ends it.
func (q Orders) List(ctx context.Context, f Filter) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for _, part := range []struct {
			asked bool
			rows  iter.Seq2[Row, error]
		}{
			{f.asks(StatePending), q.listPending(ctx)},
			{f.asks(StateUnavailable, StateExpired), q.listClosed(ctx)},
			{f.asks(StateArchived, StatePartial), q.listJournal(ctx, f)},
		} {
			if !part.asked {
				continue
			}
			for row, err := range part.rows {
				if err == nil && !f.takes(row) {
					continue
				}
				if !yield(row, err) || err != nil && row.Order == "" && !archive.Strange(err) {
					return
				}
			}
		}
	}
}

// listPending yields the orders that wait, and those with a manifest whose step died before the journal entry: only their
// marker shows them.
func (q Orders) listPending(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		quiet := make(map[archive.Mark]bool)
		for l, err := range q.Archive.Scan(ctx, archive.ScanQuiet) {
			if err != nil && !archive.Strange(err) {
				yield(Row{}, err)
				return
			}
			quiet[l.Mark] = true
		}
		look := func(ctx context.Context, marks []archive.Listed) (Row, bool, error) {
			return q.pendingRow(ctx, marks, quiet)
		}
		ahead(ctx, byOrder(q.Archive.Scan(ctx, archive.ScanPending)), look)(yield)
	}
}

func (q Orders) pendingRow(ctx context.Context, marks []archive.Listed, quiet map[archive.Mark]bool) (Row, bool, error) {
	row := emptyRow(marks[0].Order)
	manifests, err := q.Archive.Manifests(ctx, row.Order)
	if err != nil {
		return row, false, err
	}
	if last := highest(manifests); last != nil {
		journaled, err := q.Archive.Journaled(ctx, *last)
		return manifestRow(*last), !journaled, err
	}
	open, err := stillOpen(ctx, q.Archive, marks)
	if err != nil || len(open) == 0 {
		return row, false, err
	}
	seen := archive.Seen{Pending: open}
	for _, l := range open {
		if quiet[l.Mark] {
			seen.Quiet = append(seen.Quiet, l)
		}
	}
	row.Status, err = q.waiting(ctx, row.Status, seen, open)
	row.At = row.FirstSeen
	return row, true, err
}

// listClosed yields the orders that were given up and have no newer marker. A marker may be a dead step's leftover: then
// Status tells.
func (q Orders) listClosed(ctx context.Context) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		marked := make(map[archive.Order]bool)
		for l, err := range q.Archive.Scan(ctx, archive.ScanPending) {
			if err != nil && !archive.Strange(err) {
				yield(Row{}, err)
				return
			}
			marked[l.Order] = true
		}
		look := func(ctx context.Context, marks []archive.Listed) (Row, bool, error) {
			return q.closedRow(ctx, marks[len(marks)-1].Mark, marked)
		}
		ahead(ctx, byOrder(q.Archive.Scan(ctx, archive.ScanClosed)), look)(yield)
	}
}

// closedRow looks at the newest closed entry of an order.
func (q Orders) closedRow(ctx context.Context, m archive.Mark, marked map[archive.Order]bool) (Row, bool, error) {
	row := emptyRow(m.Order)
	if marked[m.Order] {
		st, err := q.Status(ctx, m.Order)
		if err != nil || st.State != StateUnavailable && st.State != StateExpired {
			return row, false, err
		}
	}
	manifests, err := q.Archive.Manifests(ctx, m.Order)
	if err != nil || len(manifests) > 0 {
		return row, false, err
	}
	c, found, err := q.Archive.ReadClosed(ctx, m)
	row.State, row.FirstSeen, row.Attempts, row.At = State(c.State), c.FirstSeen, c.Attempts, c.ClosedAt
	return row, found, err
}

// listJournal yields the orders with a manifest, by the journal entry of the last one.
func (q Orders) listJournal(ctx context.Context, f Filter) iter.Seq2[Row, error] {
	entries := q.Archive.ScanJournal(ctx, f.From, f.To)
	return ahead(ctx, entries, func(ctx context.Context, e archive.JournalEntry) (Row, bool, error) {
		manifests, err := q.Archive.Manifests(ctx, e.Order)
		last := highest(manifests)
		switch {
		case err != nil:
			return emptyRow(e.Order), false, err
		case last == nil:
			return emptyRow(e.Order), false, fmt.Errorf("order %s is in the journal and has no manifest: %w", e.Order, archive.ErrDamaged)
		}
		return manifestRow(*last), last.Digest == e.ManifestDigest, nil
	})
}

func emptyRow(o archive.Order) Row {
	return Row{Status: Status{Order: o, Files: []archive.File{}, Missing: []string{}}}
}

func manifestRow(m archive.Stored) Row {
	row := emptyRow(m.Order)
	row.Status = row.withManifest(m.Manifest)
	row.At = m.ArchivedAt
	return row
}

// byOrder puts the marks of one order together, which a listing has side by side. Errors are passed on.
func byOrder(in iter.Seq2[archive.Listed, error]) iter.Seq2[[]archive.Listed, error] {
	return func(yield func([]archive.Listed, error) bool) {
		var group []archive.Listed
		for l, err := range in {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			if len(group) > 0 && group[0].Order != l.Order {
				if !yield(group, nil) {
					return
				}
				group = nil
			}
			group = append(group, l)
		}
		if len(group) > 0 {
			yield(group, nil)
		}
	}
}
