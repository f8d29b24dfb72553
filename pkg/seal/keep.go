package seal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/spool"
)

const textType = "text/plain; charset=utf-8"

// keepLeaves creates a window's leaves. Should another process have been first, or one that died, its leaves are the ones that
// count, and what they lack is late.
func (p *pass) keepLeaves(ctx context.Context, w Window, ours []Leaf) (_ Window, leaves []Leaf, adopted bool, err error) {
	err = p.createLeaves(ctx, w, ours)
	switch {
	case err == nil:
		return w, ours, false, nil
	case !errors.Is(err, bucket.ErrExists):
		return w, nil, false, fmt.Errorf("keep leaves of window %s: %w", w, err)
	}
	w, leaves, err = p.adopt(ctx, w, ours)
	return w, leaves, true, err
}

// createLeaves writes the lines of many leaves into a file first, not into memory.
func (p *pass) createLeaves(ctx context.Context, w Window, leaves []Leaf) error {
	file := spool.New(spool.Options{})
	defer func() { _ = file.Close() }()
	if err := WriteLeaves(file, leaves); err != nil {
		return err
	}
	return p.Archive.CreateSeal(ctx, w.Start, archive.SealLeaves, file.Content(textType, true))
}

// adopt reads the leaves that are there, of which each must be one of ours: nothing is signed that can not be confirmed. One
// that is not may be of a longer window (KYC_SEAL_EVERY was changed while it was sealed), which ours then becomes, or of a
// look through the whole journal.
func (p *pass) adopt(ctx context.Context, w Window, ours []Leaf) (Window, []Leaf, error) {
	key := archive.SealKey(w.Start, archive.SealLeaves)
	there, err := p.readLeaves(ctx, w.Start)
	if err != nil {
		return w, nil, fmt.Errorf("%s is there, and no seal: %w", key, err)
	}
	unknown := make(map[Leaf]bool)
	for _, l := range there {
		unknown[l.onTime()] = true
	}
	for _, l := range ours {
		delete(unknown, l.onTime())
	}
	if len(unknown) == 0 {
		return w, there, nil
	}
	latest, err := p.confirm(ctx, unknown)
	if err != nil {
		return w, nil, err
	}
	if len(unknown) > 0 {
		return w, nil, fmt.Errorf("%s names %d manifests that the journal does not: %w; %s", key, len(unknown), archive.ErrDamaged, p.advice())
	}
	if !latest.Before(w.End) {
		w.End = windowOf(latest, p.Every).End
	}
	return w, there, nil
}

// advice is what to do about leaves that the journal does not confirm. Where listings may be stale, another process may have seen
// more of it.
func (p *pass) advice() string {
	const advice = "nothing is sealed until somebody has found out who wrote it"
	if p.Archive.Bucket().Properties().StrongListing {
		return advice
	}
	return "a listing may be behind: if passes go on to say this, " + advice
}

// confirm looks for leaves in all of the journal, takes out those that it names, and gives the time of the latest.
func (p *pass) confirm(ctx context.Context, unknown map[Leaf]bool) (latest time.Time, err error) {
	for e, err := range p.Archive.ScanJournal(ctx, time.Time{}, time.Time{}) {
		switch {
		case archive.Strange(err):
		case err != nil:
			return latest, err
		case unknown[LeafOf(e)]:
			delete(unknown, LeafOf(e))
			latest = e.At // they ascend
		}
	}
	return latest, nil
}

// readLeaves reads the leaves of a seal whole.
func (p *pass) readLeaves(ctx context.Context, start time.Time) (leaves []Leaf, err error) {
	r, err := p.Archive.OpenSeal(ctx, start, archive.SealLeaves)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	for l, err := range ReadLeaves(r) {
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, l)
	}
	return leaves, nil
}

// keepCheckpoint creates a window's checkpoint, which is what makes the seal. Should another process have been first, its is
// the one that counts: it must say the same of the same leaves.
func (p *pass) keepCheckpoint(ctx context.Context, c Checkpoint) (link, error) {
	signed, err := c.Sign(p.Key)
	if err != nil {
		return link{}, err
	}
	err = p.Archive.CreateSeal(ctx, c.Window.Start, archive.SealCheckpoint, bucket.Bytes(signed, textType))
	switch {
	case err == nil:
		return link{Checkpoint: c, digest: Digest(signed)}, nil
	case !errors.Is(err, bucket.ErrExists):
		return link{}, fmt.Errorf("keep checkpoint of window %s: %w", c.Window, err)
	}
	there, err := p.read(ctx, c.Window.Start)
	if err != nil {
		return link{}, err
	}
	if there.Size != c.Size || there.Root != c.Root || there.Previous != c.Previous {
		return link{}, fmt.Errorf("%s is there, and is about other leaves: %w", archive.SealKey(c.Window.Start, archive.SealCheckpoint), archive.ErrDamaged)
	}
	return *there, nil
}
