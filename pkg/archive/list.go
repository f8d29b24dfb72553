package archive

import (
	"context"
	"fmt"
	"iter"
	"time"
)

// ScanClosed is for Scan: the entries that say how openings ended without a manifest.
const ScanClosed = closedPrefix

// ScanJournal lists the journal's entries from the time from (zero is the beginning) up to and without the time to (zero is
// the end), to the second, in the order of time. Days outside are not read. A key that is no entry comes as an error for
// which Strange holds, and the scan goes on; any other error ends it.
func (a *Archive) ScanJournal(ctx context.Context, from, to time.Time) iter.Seq2[JournalEntry, error] {
	return func(yield func(JournalEntry, error) bool) {
		after := ""
		if !from.IsZero() {
			after = journalTimePrefix(from)
		}
		for obj, err := range a.b.List(ctx, journalPrefix, after) {
			if err != nil {
				yield(JournalEntry{}, fmt.Errorf("list journal: %w", err))
				return
			}
			e, err := parseJournalKey(obj.Key)
			if err != nil {
				err = fmt.Errorf("%w below %s: %w", errStrange, journalPrefix, err)
			} else if !to.IsZero() && !e.At.Before(to) {
				return
			}
			e.Stored = obj.Modified
			if !yield(e, err) {
				return
			}
		}
	}
}

// ReadClosed gives the closed entry of an opening; found is false when there is none.
func (a *Archive) ReadClosed(ctx context.Context, m Mark) (c Closed, found bool, err error) {
	data, found, err := a.read(ctx, m.ClosedKey())
	if err == nil && found {
		err = decode(m.ClosedKey(), data, MarkerVersion, &c)
	}
	if err != nil {
		return Closed{}, found, fmt.Errorf("read closed entry of order %s: %w", m.Order, err)
	}
	return c, found, nil
}
