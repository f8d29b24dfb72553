package seal

import (
	"context"
	"errors"
	"fmt"

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
