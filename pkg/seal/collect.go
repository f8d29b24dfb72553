package seal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// leaves collects a window's entries from the journal's listing; the first window that a pass makes takes the late ones with it.
func (p *pass) leaves(ctx context.Context, w Window) ([]Leaf, error) {
	var leaves []Leaf
	if !p.found && p.last != nil {
		late, err := p.late(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("look for late entries: %w", err)
		}
		leaves = late
	}
	for e, err := range p.Archive.ScanJournal(ctx, w.Start, w.End) {
		switch {
		case archive.Strange(err):
		case err != nil:
			return nil, err
		default:
			leaves = append(leaves, LeafOf(e))
		}
	}
	return SortLeaves(leaves), nil
}

// place is where a seal lies in time, and when its leaves were stored.
type place struct {
	start  time.Time
	stored time.Time
}

// lateEntry is an entry that may have come too late for the seal of its window.
type lateEntry struct {
	leaf   Leaf
	stored time.Time
	seal   int // the index of its window's seal; -1 is a time before the chain
}

// maxGroup bounds the memory of a look for late entries: a seal's leaves are read once more for each so many.
const maxGroup = 20_000

// saw tells that the seal surely has an entry of its window: it was stored within MinGrace of its time, and the leaves after it. The
// leaves may be older than their window, if a dead process made them for a shorter one.
func (s place) saw(e archive.JournalEntry) bool {
	return e.Stored.Sub(e.At) < MinGrace && s.stored.After(e.Stored)
}

// late finds the entries before w that no seal has. Those that the seal of their window surely saw are not looked for: a listing tells.
// Those before the chain are, and where listings may be stale, all are.
func (p *pass) late(ctx context.Context, w Window) ([]Leaf, error) {
	from := w.Start.Add(-lookback)
	if p.whole {
		from = time.Time{}
	}
	seals, err := p.places(ctx, from)
	if err != nil {
		return nil, err
	}
	var missing, group []lateEntry // the group is of one window, and at most maxGroup
	at := -1
	flush := func() error {
		left, err := p.without(ctx, group, seals, at)
		missing = append(missing, left...)
		clear(group) // the names in it are of use to nobody any more
		group = group[:0]
		return err
	}
	all := p.whole || !p.Archive.Bucket().Properties().StrongListing
	for e, err := range p.Archive.ScanJournal(ctx, from, w.Start) {
		if archive.Strange(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if next := covering(seals, at, e.At); next > at || len(group) == maxGroup {
			if err := flush(); err != nil {
				return nil, err
			}
			at = next
		}
		if !all && at >= 0 && seals[at].saw(e) {
			continue
		}
		group = append(group, lateEntry{leaf: LeafOf(e), stored: e.Stored, seal: at})
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return p.unsealed(ctx, missing, seals)
}

// covering is the index of the last seal that starts at t or before, from index at on.
func covering(seals []place, at int, t time.Time) int {
	for at+1 < len(seals) && !seals[at+1].start.After(t) {
		at++
	}
	return at
}

// places lists the seals that may cover a time since from, with those that this pass knows of although no listing shows them yet.
func (p *pass) places(ctx context.Context, from time.Time) ([]place, error) {
	if !from.IsZero() {
		from = from.Add(-MaxEvery)
	}
	var all []place
	var leaves archive.SealObject
	for s, err := range p.Archive.ScanSeals(ctx, from) {
		switch {
		case archive.Strange(err):
		case err != nil:
			return nil, err
		case s.Object == archive.SealLeaves:
			leaves = s
		case s.Object == archive.SealCheckpoint: // its leaves, if they are there, come after it
			all = append(all, place{start: s.Start})
		}
		if n := len(all); n > 0 && leaves.Start.Equal(all[n-1].start) {
			all[n-1].stored = leaves.Modified
		}
	}
	for _, known := range p.known {
		i, listed := slices.BinarySearchFunc(all, known.start, func(a place, t time.Time) int { return a.start.Compare(t) })
		if !listed {
			all = slices.Insert(all, i, known)
		}
	}
	return all, nil
}

// without leaves out the entries that the seal at this index has. It sorts them, so that one look at its leaves, which are sorted too,
// is enough, and no more memory.
func (p *pass) without(ctx context.Context, entries []lateEntry, seals []place, at int) ([]lateEntry, error) {
	if len(entries) == 0 || at < 0 {
		return entries, nil
	}
	slices.SortFunc(entries, func(a, b lateEntry) int { return compareLeaves(a.leaf, b.leaf) })
	r, err := p.Archive.OpenSeal(ctx, seals[at].start, archive.SealLeaves)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, nil // they were there: to seal their orders again would hide what verify finds
	} else if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	var left []lateEntry
	for l, err := range ReadLeaves(r) {
		if errors.Is(err, ErrFormat) {
			return nil, nil // the same
		} else if err != nil {
			return nil, fmt.Errorf("read %s: %w", archive.SealKey(seals[at].start, archive.SealLeaves), err)
		}
		for len(entries) > 0 && compareLeaves(entries[0].leaf, l) <= 0 {
			if compareLeaves(entries[0].leaf, l) < 0 {
				left = append(left, entries[0])
			}
			entries = entries[1:]
		}
	}
	return append(left, entries...), nil
}

// clockStep is how far two times of one store may be apart although they say the opposite.
const clockStep = 10 * time.Second

// unsealed leaves out the entries that a later seal has taken in as late ones: one whose leaves were stored after the entry.
func (p *pass) unsealed(ctx context.Context, entries []lateEntry, seals []place) ([]Leaf, error) {
	for i := range seals {
		if len(entries) == 0 {
			break
		}
		may := func(e lateEntry) bool { return e.seal < i && !seals[i].stored.Before(e.stored.Add(-clockStep)) }
		var others, asked []lateEntry
		for _, e := range entries {
			if may(e) {
				asked = append(asked, e)
			} else {
				others = append(others, e)
			}
		}
		left, err := p.without(ctx, asked, seals, i)
		if err != nil {
			return nil, err
		}
		entries = slices.Concat(others, left)
	}
	var leaves []Leaf
	for _, e := range entries {
		e.leaf.Late = true
		leaves = append(leaves, e.leaf)
	}
	return leaves, nil
}
