package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// maxAsking is how long a pass asks for timestamps: an authority that takes long for each must not hold up the passes that
// re-fetch orders and keep the ticket fresh. The last question may end after it.
const maxAsking = 30 * time.Second

const tokenType = "application/timestamp-reply" // RFC 3161 section 3.4

// stamp asks for the timestamps that are missing. An authority that does not answer blocks nothing: the windows are sealed, and
// later passes ask again.
func (p *pass) stamp(ctx context.Context) error {
	if p.Stamper == nil {
		return nil
	}
	missing, err := p.unstamped(ctx)
	if err != nil {
		return err
	}
	p.report.Unstamped = len(missing)
	asking, end := context.WithTimeout(ctx, maxAsking)
	defer end()
	for _, start := range missing[:min(len(missing), maxTokens)] {
		if asking.Err() != nil {
			return ctx.Err() // a slow authority: the next pass goes on
		}
		if err := p.stampOne(ctx, start); err != nil {
			if refused, ok := errors.AsType[*refusal](err); ok && ctx.Err() == nil {
				p.Log.LogAttrs(ctx, slog.LevelWarn, "no timestamp could be had; later passes ask again",
					slog.String("seal", archive.SealName(start)), slog.Any("error", refused.error))
				return nil
			}
			return err
		}
		p.report.Stamped++
		p.report.Unstamped--
	}
	return nil
}

// refusal is an error of the authority, or of the way to it.
type refusal struct{ error }

func (r *refusal) Unwrap() error { return r.error }

// unstamped lists the windows whose checkpoint has no token yet: the recent ones and those of this pass, or all.
func (p *pass) unstamped(ctx context.Context) ([]time.Time, error) {
	from := p.now.Add(-lookback - p.Every) // a seal stands under the start of its window, and the week begins at the end
	if p.report.Windows > 0 && p.oldest.Before(from) {
		from = p.oldest
	}
	if p.whole {
		from = time.Time{}
	}
	var missing []time.Time
	for s, err := range p.Archive.ScanSeals(ctx, from) {
		switch n := len(missing); {
		case archive.Strange(err):
		case err != nil:
			return nil, err
		case s.Object == archive.SealCheckpoint:
			missing = append(missing, s.Start)
		case s.Object == archive.SealToken && n > 0 && missing[n-1].Equal(s.Start):
			missing = missing[:n-1]
		}
	}
	return missing, nil
}

func (p *pass) stampOne(ctx context.Context, start time.Time) error {
	signed, found, err := p.Archive.ReadSeal(ctx, start, archive.SealCheckpoint)
	if err != nil || !found {
		return err // a listing that was ahead of the store
	}
	token, err := p.Stamper.Stamp(ctx, signed)
	if err != nil {
		return &refusal{err}
	}
	err = p.Archive.CreateSeal(ctx, start, archive.SealToken, bucket.Bytes(token, tokenType))
	if err != nil && !errors.Is(err, bucket.ErrExists) {
		return fmt.Errorf("keep timestamp of window %s: %w", archive.SealName(start), err)
	}
	return nil
}
