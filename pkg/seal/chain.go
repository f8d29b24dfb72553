package seal

import (
	"context"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// newest finds the chain's last seal. A key that a listing ends with is near now, so the listing begins there, and farther
// back only if it shows none.
func (p *pass) newest(ctx context.Context) (*link, error) {
	const longAgo = 5 * 365 * 24 * time.Hour
	for back := 2*p.Every + p.Grace; ; back *= 8 {
		from := p.now.Add(-back)
		if back > longAgo {
			from = time.Time{}
		}
		last, err := p.lastSince(ctx, from)
		switch {
		case err != nil:
			return nil, err
		case !last.IsZero():
			return p.read(ctx, last)
		case from.IsZero():
			return nil, nil
		}
	}
}

// lastSince gives the start of the last window that has a checkpoint; zero is none.
func (p *pass) lastSince(ctx context.Context, from time.Time) (last time.Time, err error) {
	for s, err := range p.Archive.ScanSeals(ctx, from) {
		switch {
		case archive.Strange(err):
		case err != nil:
			return time.Time{}, err
		case s.Object == archive.SealCheckpoint:
			last = s.Start
		}
	}
	return last, nil
}

// read reads a checkpoint that the chain goes on from: one that we have signed, or that a former key has.
func (p *pass) read(ctx context.Context, start time.Time) (*link, error) {
	key := archive.SealKey(start, archive.SealCheckpoint)
	signed, found, err := p.Archive.ReadSeal(ctx, start, archive.SealCheckpoint)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("read %s: it was listed, and is not there", key)
	}
	ours, err := ParsePublicKey(p.Key.Public())
	if err != nil {
		return nil, err
	}
	c, err := Open(signed, append([]PublicKey{ours}, p.Former...))
	if err != nil {
		return nil, fmt.Errorf("go on from %s: %w; if KYC_SEAL_KEY was changed, put the former public key behind it, after a comma; else find out who wrote it", key, err)
	}
	if !c.Window.Start.Equal(start) {
		return nil, fmt.Errorf("go on from %s: it is about another window: %w", key, archive.ErrDamaged)
	}
	return &link{Checkpoint: c, digest: Digest(signed)}, nil
}
