package seal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

func keysOf(m map[Leaf]string) iter.Seq[Leaf] { return maps.Keys(m) }

// entries gives the journal's entries of a time that are checked.
func (v *verifier) entries(ctx context.Context, from, to time.Time) iter.Seq2[archive.JournalEntry, error] {
	if len(v.o.Orders) == 0 {
		if v.o.From.After(from) {
			from = v.o.From
		}
		if !v.o.To.IsZero() && (to.IsZero() || v.o.To.Before(to)) {
			to = v.o.To
		}
		return v.a.ScanJournal(ctx, from, to)
	}
	return func(yield func(archive.JournalEntry, error) bool) {
		for _, e := range v.named {
			if !e.At.Before(from) && e.At.Before(to) && !yield(e, nil) {
				return
			}
		}
	}
}

// openBetween notes the entries of a time that is in no window.
func (v *verifier) openBetween(ctx context.Context, from, to time.Time) error {
	if !to.After(from) {
		return nil
	}
	for e, err := range v.entries(ctx, from, to) {
		switch {
		case archive.Strange(err): // archive.Verify tells of it
		case err != nil:
			return err
		default:
			v.open[LeafOf(e)] = archive.JournalKey(e.At, e.Order, e.ManifestDigest)
		}
	}
	return nil
}

// compared tells whether a window's leaves are read: those of the time that is checked, or where the given orders may be.
func (v *verifier) compared(c Checkpoint) bool {
	if len(v.o.Orders) == 0 {
		return c.Window.End.After(v.o.From) && (v.o.To.IsZero() || c.Window.Start.Before(v.o.To)) || c.Late > 0 && len(v.open) > 0
	}
	for _, e := range v.named {
		if c.Window.Has(e.At) {
			return true
		}
	}
	return v.lost || c.Late > 0 && len(v.open) > 0
}

// window compares a seal's leaves with its checkpoint and with the journal.
func (v *verifier) window(ctx context.Context, s parts, c Checkpoint) error {
	key := archive.SealKey(s.start, archive.SealLeaves)
	if !s.leaves {
		v.tell(key, archive.Missing, "the seal's checkpoint is there")
		return nil
	}
	if !v.compared(c) {
		return nil
	}
	before := v.openNow()
	if err := v.openBetween(ctx, c.Window.Start, c.Window.End); err != nil {
		return err
	}
	unmatched, err := v.matchLeaves(ctx, s.start, c)
	if errors.Is(err, ErrFormat) || errors.Is(err, bucket.ErrNotFound) {
		v.tell(key, BadSeal, err.Error())
		v.open = before // nothing can be said of this window's entries
		return nil
	}
	if err != nil {
		return err
	}
	return v.unmatched(ctx, key, unmatched)
}

// openNow copies what is open, which is little between two windows.
func (v *verifier) openNow() map[Leaf]string { return maps.Clone(v.open) }

// matchLeaves takes the leaves out of what is open, and gives those that were not in it. Leaves that are not those of the
// checkpoint are ErrFormat.
func (v *verifier) matchLeaves(ctx context.Context, start time.Time, c Checkpoint) (unmatched []Leaf, err error) {
	r, err := v.a.OpenSeal(ctx, start, archive.SealLeaves)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	tree, late := NewTree(), 0
	for l, err := range ReadLeaves(r) {
		if err != nil {
			return nil, err
		}
		if tree.Add(l); tree.Size() > c.Size { // the memory is bounded by what was signed
			return nil, fmt.Errorf("more leaves than were signed: %w", ErrFormat)
		}
		if l.Late {
			late++
		}
		if _, there := v.open[l.onTime()]; there {
			delete(v.open, l.onTime())
		} else if v.asked(l, c) {
			unmatched = append(unmatched, l)
		}
	}
	if root := tree.Root(); root != c.Root || tree.Size() != c.Size || late != c.Late {
		return nil, fmt.Errorf("not the leaves that were signed: their root is %s: %w", hex.EncodeToString(root[:]), ErrFormat)
	}
	v.sum.Leaves += int(tree.Size())
	return unmatched, nil
}

// asked tells whether a leaf without a journal entry is to be looked at: only of what is checked.
func (v *verifier) asked(l Leaf, c Checkpoint) bool {
	if len(v.o.Orders) == 0 {
		return v.o.From.IsZero() && v.o.To.IsZero() || !l.Late && !c.Window.Start.Before(v.o.From) && (v.o.To.IsZero() || !c.Window.End.After(v.o.To))
	}
	for _, o := range v.o.Orders {
		if l.Order == o {
			return true
		}
	}
	return false
}

// unmatched reports the leaves whose manifest is not there. One that lacks nothing but its journal entry, or that is sealed a
// second time, is none of them.
func (v *verifier) unmatched(ctx context.Context, key string, leaves []Leaf) error {
	for _, l := range leaves {
		there, err := v.there(ctx, l)
		if err != nil {
			return err
		}
		if !there {
			v.report(archive.Damage{Order: l.Order, Key: key, Kind: Removed, What: "it names a manifest of this order with SHA-256 " + l.Digest + ", which is not there any more"})
		}
	}
	return nil
}

// there looks for a manifest by key.
func (v *verifier) there(ctx context.Context, l Leaf) (bool, error) {
	all, err := v.a.Manifests(ctx, l.Order)
	if errors.Is(err, archive.ErrDamaged) || errors.Is(err, archive.ErrNewer) {
		err = nil // those before it can be read
	}
	for _, m := range all {
		if m.Digest == l.Digest {
			return true, err
		}
	}
	return false, err
}
