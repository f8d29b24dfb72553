package seal

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// maxUnknown bounds the memory of leaves that somebody else wrote, and that the window's entries do not confirm: the whole journal is
// looked through for so many at a time, and must have them all before more are read. A file that was planted can be of any size.
const maxUnknown = 50_000

// adoption is a look at leaves that are there, without a seal.
type adoption struct {
	ours    []Leaf        // those that are still to be met
	there   []Leaf        // what was read, each confirmed but for unknown
	unknown map[Leaf]bool // what the journal has to confirm
	latest  time.Time     // the latest time of those that it has confirmed
}

// adopt reads the leaves that are there, of which each must be one of ours: nothing is signed that can not be confirmed. One
// that is not may be of a longer window (KYC_SEAL_EVERY was changed while it was sealed), which ours then becomes, or of a
// look through the whole journal.
func (p *pass) adopt(ctx context.Context, w Window, ours []Leaf) (Window, []Leaf, error) {
	key := archive.SealKey(w.Start, archive.SealLeaves)
	a := adoption{ours: ours, unknown: make(map[Leaf]bool)}
	for more := true; more; {
		var err error
		if more, err = a.read(openLeaves(ctx, p.Archive, w.Start)); errors.Is(err, ErrFormat) {
			return w, nil, fmt.Errorf("%s is there, and no seal: %w; %s", key, err, findOut)
		} else if err != nil {
			return w, nil, fmt.Errorf("%s is there, and no seal: %w", key, err)
		}
		if err := p.confirm(ctx, &a); err != nil {
			return w, nil, err
		}
		if len(a.unknown) > 0 {
			return w, nil, fmt.Errorf("%s names %s%d manifests that the journal does not: %w; %s", key, atLeast(more), len(a.unknown), archive.ErrDamaged, p.advice())
		}
	}
	if !a.latest.Before(w.End) {
		w.End = windowOf(a.latest, p.Every).End
		if !p.over(w) { // it was shorter: what is not over is not sealed
			w.End = a.latest.Truncate(time.Second).Add(time.Second)
		}
	}
	w, err := p.covered(ctx, w, a.there)
	return w, a.there, err
}

// covered ends a window before the entries at its end that the leaves lack although they were stored at once: the leaves are of a shorter
// window, and later passes would take these for seen. What came late is looked for later all the same.
func (p *pass) covered(ctx context.Context, w Window, there []Leaf) (Window, error) {
	var end time.Time
	for e, err := range p.Archive.ScanJournal(ctx, w.Start, w.End) {
		if archive.Strange(err) {
			continue
		} else if err != nil {
			return w, err
		}
		if _, found := slices.BinarySearchFunc(there, LeafOf(e), compareLeaves); found {
			end = time.Time{}
		} else if end.IsZero() && e.Stored.Sub(e.At) < MinGrace {
			end = e.At
		}
	}
	if end.After(w.Start) {
		w.End = end
	}
	return w, nil
}

// atLeast goes before a number that may be larger.
func atLeast(more bool) string {
	if more {
		return "at least "
	}
	return ""
}

// read reads on after what was read before, until maxUnknown leaves are not ours; more says that it did not come to the end.
func (a *adoption) read(leaves iter.Seq2[Leaf, error]) (more bool, err error) {
	done := len(a.there)
	for l, err := range leaves {
		switch {
		case err != nil:
			return false, err
		case done > 0 && compareLeaves(l, a.there[done-1]) <= 0:
			continue
		case len(a.unknown) == maxUnknown:
			return true, nil
		}
		a.take(l)
	}
	return false, nil
}

// take notes one leaf. Of ours, which are sorted too, it uses the memory.
func (a *adoption) take(l Leaf) {
	for len(a.ours) > 0 && compareLeaves(a.ours[0], l) < 0 {
		a.ours = a.ours[1:]
	}
	if len(a.ours) > 0 && compareLeaves(a.ours[0], l) == 0 {
		l.Order, l.Digest = a.ours[0].Order, a.ours[0].Digest
	} else {
		a.unknown[l.onTime()] = true
	}
	a.there = append(a.there, l)
}

// findOut is what to do about leaves that no kycvault can have written.
const findOut = "nothing is sealed until somebody has found out who wrote it"

// advice is what to do about leaves that the journal does not confirm. Where listings may be stale, another process may have seen
// more of it.
func (p *pass) advice() string {
	if p.Archive.Bucket().Properties().StrongListing {
		return findOut
	}
	return "a listing may be behind: if passes go on to say this, " + findOut
}

// confirm looks for unknown leaves in all of the journal, and takes out those that it names.
func (p *pass) confirm(ctx context.Context, a *adoption) error {
	if len(a.unknown) == 0 {
		return nil
	}
	for e, err := range p.Archive.ScanJournal(ctx, time.Time{}, time.Time{}) {
		switch {
		case archive.Strange(err):
		case err != nil:
			return err
		case a.unknown[LeafOf(e)]:
			delete(a.unknown, LeafOf(e))
			if e.At.After(a.latest) {
				a.latest = e.At
			}
		}
	}
	return nil
}

// openLeaves reads the leaves of a seal one by one; bucket.ErrNotFound comes when there are none.
func openLeaves(ctx context.Context, a *archive.Archive, start time.Time) iter.Seq2[Leaf, error] {
	return func(yield func(Leaf, error) bool) {
		r, err := a.OpenSeal(ctx, start, archive.SealLeaves)
		if err != nil {
			yield(Leaf{}, err)
			return
		}
		defer func() { _ = r.Close() }()
		for l, err := range ReadLeaves(r) {
			if !yield(l, err) {
				return
			}
		}
	}
}
