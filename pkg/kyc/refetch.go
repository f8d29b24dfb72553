package kyc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Warmer keeps the SIGN ticket fresh; pkg/ticket is the real one.
type Warmer interface {
	Warm(ctx context.Context) error
}

// Sealer closes the windows of time that are over, so that what was archived in them can be proven; pkg/seal has the real one.
type Sealer interface {
	Seal(ctx context.Context) error
}

// Refetcher makes passes over all orders that wait.
type Refetcher struct {
	Core
	Tickets Warmer
	Gate    *Gate
	Sealer  Sealer // nil is none
}

// PassReport is what one pass found and did: one log line.
type PassReport struct {
	Waiting int           // markers
	AtRisk  int           // of them older than 48 hours
	Oldest  time.Duration // the greatest age
	Due     int           // orders whose turn it is
	Handed  int           // of them handed out
	Strays  int           // notes without a marker, removed
	Strange int           // keys that no version of this program makes
	Whole   bool          // every key was looked at, so that the numbers above are whole
}

// Run makes a pass and logs one line about it: the way in of a process that lives on. What fails is in the log, and the next
// pass's to mend; what fails since the process is stopping is nobody's to mend.
func (r *Refetcher) Run(ctx context.Context, resume bool) {
	if report, err := r.RunReport(ctx, resume); err != nil && !stopped(ctx) {
		r.logPass(ctx, report, err)
	}
}

// RunReport makes a pass and logs one line about it, unless it fails: then the line is the caller's.
func (r *Refetcher) RunReport(ctx context.Context, resume bool) (PassReport, error) {
	report, err := r.Pass(ctx, resume)
	if err == nil && !stopped(ctx) {
		r.logPass(ctx, report, nil)
	}
	return report, err
}

func (r *Refetcher) logPass(ctx context.Context, report PassReport, err error) {
	level := slog.LevelInfo
	if report.AtRisk > 0 || report.Strange > 0 {
		level = slog.LevelWarn
	}
	attrs := report.Attrs()
	if err != nil {
		level = slog.LevelError
		attrs = append(attrs, slog.Any("error", err))
	}
	r.Log.LogAttrs(ctx, level, "pass", attrs...)
}

// Attrs is the report as a log line shows it.
func (p PassReport) Attrs() []slog.Attr {
	return []slog.Attr{
		slog.Int("waiting", p.Waiting), slog.Int("at_risk", p.AtRisk), slog.Duration("oldest", p.Oldest.Round(time.Second)),
		slog.Int("due", p.Due), slog.Int("handed_out", p.Handed), slog.Int("strays", p.Strays), slog.Int("strange", p.Strange),
	}
}

// stopped tells whether the process was asked to stop: what fails then needs nobody. A deadline that passed is another thing.
func stopped(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// Pass hands out each due order as a single try: the oldest first, and no more than will be worked off before the next
// pass. resume is for a process that takes up after another: orders that were never tried are due at once, as a chain.
func (r *Refetcher) Pass(ctx context.Context, resume bool) (PassReport, error) {
	switch err := r.Tickets.Warm(ctx); {
	case stopped(ctx):
		return PassReport{}, ctx.Err()
	case err != nil:
		r.Log.LogAttrs(ctx, slog.LevelError, "ticket could not be refreshed; the pass goes on", slog.Any("error", err))
	}
	p := pass{Refetcher: r, resume: resume}
	var err error
	if p.now, err = r.Archive.Now(ctx); err != nil {
		return PassReport{}, err
	}
	p.checkClock(ctx)
	defer r.seal(ctx)
	if err := p.scan(ctx); err != nil {
		return p.report, err
	}
	return p.report, p.handOut(ctx)
}

// seal comes last: orders that wait are in more of a hurry. What fails is the next pass's to make, and no reason to call this one failed.
func (r *Refetcher) seal(ctx context.Context) {
	if r.Sealer == nil || stopped(ctx) {
		return
	}
	if err := r.Sealer.Seal(ctx); err != nil && !stopped(ctx) {
		r.Log.LogAttrs(ctx, slog.LevelError, "no seal could be made; the next pass tries again", slog.Any("error", err))
	}
}

// pass is one pass under way.
type pass struct {
	*Refetcher
	resume bool
	now    time.Time // the store's clock
	retry  map[archive.Mark]time.Time
	quiet  map[archive.Mark]time.Time
	due    []dueOrder
	report PassReport
}

type dueOrder struct {
	mark  archive.Mark
	at    time.Time
	chain bool
}

func (p *pass) checkClock(ctx context.Context) {
	if skew := p.now.Sub(p.Now()).Abs(); skew > maxClockSkew {
		p.Log.LogAttrs(ctx, slog.LevelError, "this machine's clock is off the store's; no order is given up until they agree",
			slog.Duration("by", skew))
	}
}

// scan lists notes before markers (rule 7): a note whose marker is not there afterwards is a stray.
func (p *pass) scan(ctx context.Context) (err error) {
	if p.retry, err = p.notes(ctx, archive.ScanRetry); err != nil {
		return err
	}
	if p.quiet, err = p.notes(ctx, archive.ScanQuiet); err != nil {
		return err
	}
	for l, err := range p.Archive.Scan(ctx, archive.ScanPending) {
		switch {
		case archive.Strange(err):
			p.report.Strange++
		case err != nil:
			return err
		default:
			p.consider(l)
		}
	}
	if err := p.strays(ctx); err != nil {
		return err
	}
	p.report.Due, p.report.Whole = len(p.due), true
	return nil
}

func (p *pass) notes(ctx context.Context, prefix string) (map[archive.Mark]time.Time, error) {
	notes := make(map[archive.Mark]time.Time)
	for l, err := range p.Archive.Scan(ctx, prefix) {
		switch {
		case archive.Strange(err):
			p.report.Strange++
		case err != nil:
			return nil, err
		default:
			notes[l.Mark] = l.At
		}
	}
	return notes, nil
}

// consider decides from names and times alone whether a marker's order is due. Its notes are no strays then.
func (p *pass) consider(l archive.Listed) {
	age := max(0, p.now.Sub(l.At))
	p.report.Waiting++
	p.report.Oldest = max(p.report.Oldest, age)
	if age > atRiskAge {
		p.report.AtRisk++
	}
	last, quiet := p.quiet[l.Mark]
	retried, noted := p.retry[l.Mark]
	if retried.After(last) {
		last, quiet = retried, false
	}
	delete(p.quiet, l.Mark)
	delete(p.retry, l.Mark)
	fresh := !quiet && !noted
	if fresh {
		last = l.At
	}
	if p.resume && fresh || p.Settings.due(age, since(p.now, last), quiet) {
		p.due = append(p.due, dueOrder{mark: l.Mark, at: l.At, chain: p.resume && fresh})
	}
}

// due tells whether an order's turn has come, from its age and the time since its last try (DESIGN section 3).
func (s Settings) due(age, since time.Duration, quiet bool) bool {
	least := s.RefetchEvery * 8 / 10
	gap := min(max(age/10, least), max(maxRetryGap, least))
	switch {
	case age >= s.Deadline:
		gap = least
	case quiet:
		gap = max(age/2, least)
	}
	return since >= gap
}

// strays removes notes that have no marker, and hands their orders out once, in case a step died between two clearings.
func (p *pass) strays(ctx context.Context) error {
	for _, notes := range []map[archive.Mark]time.Time{p.retry, p.quiet} {
		for mark, at := range notes {
			_, found, err := p.Archive.MarkerTime(ctx, mark)
			if err != nil {
				return err
			}
			if found {
				continue // the listing was stale
			}
			if err := p.Archive.DeleteNotes(ctx, mark); err != nil {
				return err
			}
			delete(p.quiet, mark) // one opening with notes of both kinds is one order to look at
			p.report.Strays++
			p.due = append(p.due, dueOrder{mark: mark, at: at})
		}
	}
	return nil
}

// maxBatch bounds what is given to the delayer in one call.
const maxBatch = 1000

// handOut gives the due orders to the delayer, the ones at greatest risk first.
func (p *pass) handOut(ctx context.Context) error {
	if len(p.due) == 0 {
		return nil
	}
	slices.SortFunc(p.due, func(a, b dueOrder) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.mark.Opening, b.mark.Opening))
	})
	due, err := p.fitting(ctx)
	if err != nil {
		return err
	}
	for batch := range slices.Chunk(due, maxBatch) {
		msgs := make([]Message, len(batch))
		for i, d := range batch {
			msgs[i] = firstStep(d.mark, p.Now())
			msgs[i].Single = !d.chain
		}
		if err := p.Delayer.Delay(ctx, msgs...); err != nil {
			return fmt.Errorf("hand out %d orders: %w", len(msgs), err)
		}
		p.report.Handed += len(msgs)
	}
	return nil
}

// fitting picks what this pass may hand out: what will be worked off before the next pass. While everyone backs off it is
// a single order, as a probe: one that was not itself refused, if there is one.
func (p *pass) fitting(ctx context.Context) ([]dueOrder, error) {
	room, err := p.Delayer.Room(ctx, p.Settings.RefetchEvery)
	if err != nil {
		return nil, fmt.Errorf("ask for room: %w", err)
	}
	room = min(max(room, 0), len(p.due))
	closed, refused, err := p.Gate.Closed(ctx)
	if err != nil || !closed || room == 0 {
		return p.due[:room], err
	}
	i := slices.IndexFunc(p.due, func(d dueOrder) bool { return !slices.Contains(refused, d.mark.Order) })
	i = max(i, 0)
	return p.due[i : i+1], nil
}
