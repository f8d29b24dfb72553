package seal

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Stamper gets a trusted timestamp for a checkpoint's bytes, checked; package stamp has the real one.
type Stamper interface {
	Stamp(ctx context.Context, signed []byte) (token []byte, err error)
}

// Sealer closes the windows that are over. Any number of them may be at work on one archive: creating decides.
type Sealer struct {
	Archive *archive.Archive
	Key     Key
	Former  []PublicKey   // keys that were used before: the chain goes on from what they signed
	Every   time.Duration // from MinEvery to MaxEvery, whole seconds
	Grace   time.Duration // after a window's end before it is sealed: at least MinGrace
	Stamper Stamper       // nil is none
	Log     *slog.Logger

	mu   sync.Mutex
	idle Window // by the store's clock: nothing is to be done in it
}

const (
	// MinGrace is the least KYC_SEAL_GRACE. A journal entry that was stored sooner than this after its time is surely seen by
	// the seal of its window; later ones are looked for (see lookback).
	MinGrace = time.Minute
	// lookback is how far back a pass looks for entries that came after their window was sealed. A step that died is made
	// again within days; what a later kycvault verify mends, kycvault seal takes in, which looks through all of the journal.
	lookback = 7 * 24 * time.Hour
	// catchUp is how old a window may be that is shorter than a day: what is older is sealed day by day, so that an archive that
	// was there before its first seal needs hundreds of seals and not a million.
	catchUp = 48 * time.Hour
	// maxWindows and maxLeaves bound the work of one pass; the next one goes on.
	maxWindows = 64
	maxLeaves  = 200_000
	// maxTokens bounds the timestamps of a pass: an authority is a service of somebody else's.
	maxTokens = 64
)

// Report is what a pass did.
type Report struct {
	Windows   int       // sealed
	Leaves    int       // in them
	Late      int       // of these
	Until     time.Time // the end of the last window that is sealed; zero is none
	Behind    bool      // more windows are over: the next pass goes on
	Stamped   int       // checkpoints that got their timestamp
	Unstamped int       // checkpoints that still wait for it
}

// Seal makes a pass and logs one line about it if anything was done. It implements kyc.Sealer.
func (s *Sealer) Seal(ctx context.Context) error {
	report, err := s.Pass(ctx, false)
	if report.Windows+report.Stamped+report.Unstamped > 0 {
		s.Log.LogAttrs(ctx, slog.LevelInfo, "sealed", slog.Int("windows", report.Windows), slog.Int("leaves", report.Leaves),
			slog.Int("late", report.Late), slog.Time("until", report.Until), slog.Bool("behind", report.Behind),
			slog.Int("stamped", report.Stamped), slog.Int("unstamped", report.Unstamped))
	}
	return err
}

// Pass seals the windows that ended KYC_SEAL_GRACE ago or earlier, as many as one pass may, and asks for timestamps that are
// missing. whole looks for late entries in all of the journal, and for missing timestamps in the whole chain. A pass that has
// nothing to do, and knows it from the one before, makes no call but for the store's clock.
func (s *Sealer) Pass(ctx context.Context, whole bool) (Report, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := s.Archive.Now(ctx)
	if err != nil || !whole && s.idle.Has(now) {
		return Report{}, err
	}
	s.idle = Window{}
	p := pass{Sealer: s, now: now, whole: whole}
	if err := p.seal(ctx); err != nil {
		return p.report, err
	}
	if err := p.stamp(ctx); err != nil {
		return p.report, err
	}
	if !p.report.Behind && p.report.Unstamped == 0 {
		s.idle = Window{Start: now, End: p.window().End.Add(s.Grace)} // a clock that is set back is looked at again
	}
	return p.report, nil
}

// pass is one pass under way.
type pass struct {
	*Sealer
	now    time.Time // the store's clock
	whole  bool
	last   *link     // the newest seal; nil is none
	first  time.Time // where the chain begins, when there is no seal yet
	oldest time.Time // the first window that this pass has sealed
	found  bool      // late entries are in a seal: no need to look again
	known  []place   // the seals that this pass has read, taken over or made
	report Report
}

// link is one seal of the chain.
type link struct {
	Checkpoint
	digest string
}

func (p *pass) seal(ctx context.Context) (err error) {
	if p.last, err = p.newest(ctx); err != nil {
		return err
	}
	if p.last == nil {
		if p.first, err = p.beginning(ctx); err != nil {
			return err
		}
	} else {
		p.report.Until = p.last.Window.End
		if err := p.last.Window.future(p.now); err != nil {
			return fmt.Errorf("go on from %s: %w", archive.SealKey(p.last.Window.Start, archive.SealCheckpoint), err)
		}
		p.known = append(p.known, place{start: p.last.Window.Start, stored: p.now})
	}
	for w := p.window(); p.over(w); w = p.window() {
		if p.report.Windows == maxWindows || p.report.Leaves > maxLeaves {
			p.report.Behind = true
			return nil
		}
		if err := p.close(ctx, w); err != nil {
			return err
		}
	}
	return p.closeShort(ctx)
}

// window is the next one to be sealed.
func (p *pass) window() Window {
	start := p.first
	if p.last != nil {
		start = p.last.Window.End
	}
	return windowFrom(start, p.period(start))
}

// period is how long a window that starts then is.
func (p *pass) period(start time.Time) time.Duration {
	if p.now.Sub(start) > catchUp {
		return max(p.Every, 24*time.Hour)
	}
	return p.Every
}

func (p *pass) over(w Window) bool { return !p.now.Before(w.End.Add(p.Grace)) }

// beginning is where the first seal ever starts: at the window of the first order that was archived, so that none is left
// out; in an archive without orders, at the last window that is over. Leaves that a dead process left say where it began.
func (p *pass) beginning(ctx context.Context) (time.Time, error) {
	for s, err := range p.Archive.ScanSeals(ctx, time.Time{}) {
		if archive.Strange(err) || err == nil && s.Start.After(p.now) { // of a clock that was ahead
			continue
		}
		return s.Start, err
	}
	for e, err := range p.Archive.ScanJournal(ctx, time.Time{}, time.Time{}) {
		switch {
		case archive.Strange(err):
		case err != nil:
			return time.Time{}, err
		case e.At.After(p.now): // the same
			return windowOf(p.now, p.Every).Start, nil
		default:
			return floor(e.At, p.period(e.At)), nil
		}
	}
	return windowOf(p.now.Add(-p.Grace-p.Every), p.Every).Start, nil
}

// close makes the seal of one window, or takes the one that another process has made meanwhile.
func (p *pass) close(ctx context.Context, w Window) error {
	leaves, err := p.leaves(ctx, w)
	if err != nil {
		return err
	}
	return p.keep(ctx, w, leaves)
}

// keep makes the seal of a window's leaves.
func (p *pass) keep(ctx context.Context, w Window, leaves []Leaf) error {
	w, leaves, adopted, err := p.keepLeaves(ctx, w, leaves)
	if err != nil {
		return err
	}
	sealed, err := p.keepCheckpoint(ctx, p.checkpoint(w, leaves))
	if err != nil {
		return err
	}
	p.last, p.found = &sealed, !adopted // adopted leaves may lack late entries that we have found
	p.known = append(p.known, place{start: w.Start, stored: p.now})
	if p.report.Windows == 0 {
		p.oldest = w.Start
	}
	p.report.Windows++
	p.report.Leaves += len(leaves)
	p.report.Late += sealed.Late
	p.report.Until = sealed.Window.End
	return nil
}

// checkpoint says what is signed for a window.
func (p *pass) checkpoint(w Window, leaves []Leaf) Checkpoint {
	tree := TreeOf(leaves)
	c := Checkpoint{Origin: p.Key.Name(), Size: tree.Size(), Root: tree.Root(), Window: w, Timestamp: p.Stamper != nil}
	if p.last != nil {
		c.PreviousStart, c.Previous = p.last.Window.Start, p.last.digest
	}
	for _, l := range leaves {
		if l.Late {
			c.Late++
		}
	}
	return c
}
