package kyc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Puller makes steps. Every change of an order's state happens here.
type Puller struct {
	Core
	Upstream Upstream
	Gate     *Gate
}

// The ends of a step, as Report.Next names them.
const (
	NextDone    = "done"    // the order is archived, or given up: nothing follows
	NextStale   = "stale"   // the hint was about an opening that is over
	NextStep    = "step"    // another step of the chain was sent
	NextRefetch = "refetch" // the scheduled re-fetch goes on
)

// Report is what one step did: one log line.
type Report struct {
	State State // after the step
	Next  string
	Code  string // the last code heard, "" when nothing was
	Class Class  // the class of that code, or of a failed call; "" when nothing was asked
	Bytes int64  // of media stored
	Err   error  // why the upstream gave no answer; the step itself went well

	Committed bool          // this step, and no other, made State hold: it wrote the manifest or the closed entry that did
	Age       time.Duration // then: from the opening to that moment, by the store's clock; 0 for an order without a marker
}

// Step looks at an order and does what is next for it (DESIGN section 3). An error means that the archive could not be
// read or written; the same message may then be delivered again, as it may at any time.
func (p *Puller) Step(ctx context.Context, m Message) (Report, error) {
	v, err := look(ctx, p.Archive, m.Order)
	if err != nil {
		return Report{}, err
	}
	now, err := p.Archive.Now(ctx)
	if err != nil {
		return Report{}, err
	}
	if err := journalAll(ctx, p.Archive, v.manifests); err != nil {
		return Report{}, err
	}
	opened, waiting, err := p.Archive.MarkerTime(ctx, m.Mark())
	if err != nil {
		return Report{}, err
	}
	s := &step{Puller: p, msg: m, v: v, now: now, opened: opened}
	err = s.run(ctx, waiting)
	s.tellEnd()
	return s.report, err
}

func (s *step) run(ctx context.Context, waiting bool) error {
	if settled, err := s.settle(ctx, waiting); err != nil || settled {
		return err
	}
	if err := s.ask(ctx); err != nil {
		return err
	}
	return s.decide(ctx)
}

// tellEnd reports the end that this step made, also when it failed after that: the next step finds it made already.
func (s *step) tellEnd() {
	if s.v.ended.IsZero() {
		return
	}
	s.report.Committed = true
	if state := stateOf(highest(s.v.manifests)); state != "" {
		s.report.State = state
	}
	if !s.opened.IsZero() {
		s.report.Age = max(0, s.v.ended.Sub(s.opened))
	}
}

// mending is the opening of a message that is about no opening: its step asks nothing.
const mending = "mend"

// Mend does what an order needs without a question to the upstream: a manifest for evidence that none names, journal
// entries, and the clearing of an archived order's markers (rules 5 and 6). It is the way of verify.
func (p *Puller) Mend(ctx context.Context, order archive.Order) error {
	_, err := p.Step(ctx, Message{V: MessageVersion, Order: order, Opening: mending, Attempt: 1})
	return err
}

// step is one step under way.
type step struct {
	*Puller
	msg    Message
	v      *view
	now    time.Time // the store's clock
	opened time.Time // when the marker was made, by the store's clock
	note   archive.Note
	odd    []string       // digests of odd media that this chain brought
	heard  map[string]int // answers of this step, by how a note counts them
	final  bool           // a verdict other than "verified" is known
	date   time.Time
	report Report
}

// settle does what needs no question: it extends a manifest that lacks listed evidence, clears the markers of an order
// that is covered, and drops a stale hint (rules 3, 5 and 10).
func (s *step) settle(ctx context.Context, waiting bool) (bool, error) {
	last := highest(s.v.manifests)
	whole := last != nil && last.State == archive.Archived
	if s.v.unnamed() && (whole || !waiting) {
		if err := s.commit(ctx, s.v, s.firstSeen(), s.attempts()); err != nil {
			return false, err
		}
	}
	if s.v.covers(s.Settings.Media) {
		return true, s.archived(ctx)
	}
	if waiting {
		return false, nil
	}
	s.report.Next = NextStale
	s.report.State = stateOf(highest(s.v.manifests))
	return true, nil
}

// stateOf gives the state that a manifest makes, "" without one.
func stateOf(m *archive.Stored) State {
	if m == nil {
		return ""
	}
	return State(m.State)
}

// archived ends an order whose manifest is complete: all markers that were seen go (rule 2), the hint's own among them.
func (s *step) archived(ctx context.Context) error {
	s.report.State, s.report.Next = StateArchived, NextDone
	marks := s.v.seen.Marks()
	if !s.opened.IsZero() && find(s.v.seen.Pending, s.msg.Mark()) == nil {
		marks = append(marks, s.msg.Mark())
	}
	if len(marks) == 0 {
		return nil
	}
	return s.finish(ctx, s.v, marks, true, s.recommit(ctx))
}

// recommit gives the manifest that evidence found at the last look needs.
func (s *step) recommit(ctx context.Context) func() error {
	return func() error { return s.commit(ctx, s.v, s.firstSeen(), s.attempts()) }
}

// firstSeen is when this opening was made; without a marker, when the first evidence was stored.
func (s *step) firstSeen() time.Time {
	if !s.opened.IsZero() {
		return s.opened
	}
	var first time.Time
	for _, e := range s.v.listed {
		first = earlier(first, e.At)
	}
	if first.IsZero() {
		return s.now
	}
	return first
}

// attempts counts the steps that asked about this opening, this one included.
func (s *step) attempts() int {
	if s.msg.Single {
		return s.note.Attempts + 1
	}
	return s.note.Attempts + s.msg.Attempt
}

// age is how long the opening has waited, by the store's clock; a marker from the future is new.
func (s *step) age() time.Duration { return max(0, s.now.Sub(s.opened)) }

// decide ends the step after what was asked has been stored.
func (s *step) decide(ctx context.Context) error {
	switch {
	case s.v.lacking(s.Settings.Media) == 0 && s.v.hasResult():
		if err := s.commit(ctx, s.v, s.firstSeen(), s.attempts()); err != nil {
			return err
		}
		return s.archived(ctx)
	case s.over():
		return s.giveUp(ctx)
	}
	return s.goOn(ctx)
}

// over tells whether an order that is not whole is given up: an hour after a final verdict, or at the deadline. What the
// service says of its own troubles never counts against an order, and clocks that disagree close nothing.
func (s *step) over() bool {
	switch s.report.Class {
	case "", Ticket, Config, Busy:
		return false
	}
	if s.final && s.now.Sub(s.verdictAt()) >= verdictGrace {
		return s.clocksAgree()
	}
	return s.age() >= s.Settings.Deadline && s.clocksAgree()
}

// verdictAt is when the verdict was first stored, or this opening was made if that was later.
func (s *step) verdictAt() time.Time {
	at := s.now
	for _, e := range s.v.listed {
		if e.Kind == archive.Result && !e.At.IsZero() {
			at = earlier(at, e.At)
		}
	}
	if at.Before(s.opened) {
		return s.opened
	}
	return at
}

// giveUp ends an opening with what there is: a partial manifest, or a closed entry when nothing was ever stored.
func (s *step) giveUp(ctx context.Context) error {
	if len(s.v.listed) > 0 || len(s.v.manifests) > 0 {
		if err := s.commit(ctx, s.v, s.firstSeen(), s.attempts()); err != nil {
			return err
		}
	} else if err := s.close(ctx); err != nil {
		return err
	}
	err := s.finish(ctx, s.v, []archive.Mark{s.msg.Mark()}, false, s.recommit(ctx))
	s.report.Next = NextDone
	if state := stateOf(highest(s.v.manifests)); state != "" {
		s.report.State = state
	}
	return err
}

// close writes why nothing came.
func (s *step) close(ctx context.Context) error {
	tries := s.countTry()
	s.report.State = StateExpired
	if neverHeard(tries) {
		s.report.State = StateUnavailable
	}
	created, err := s.Archive.Close(ctx, s.msg.Mark(), archive.Closed{
		State: string(s.report.State), FirstSeen: s.opened.UTC(), ClosedAt: s.now.UTC(),
		Attempts: s.attempts(), Tries: tries, Code: s.report.Code,
	})
	if created {
		s.v.ended = s.now
	}
	return err
}

// goOn sends the next step of the chain, or leaves the order to Refetch.
func (s *step) goOn(ctx context.Context) error {
	s.report.State, s.report.Next = StatePending, NextRefetch
	if !s.msg.Single && s.msg.Attempt < s.Settings.Steps {
		next := s.msg
		next.Attempt++
		next.NotBefore = s.Now().Add(s.Settings.StepDelay).UTC()
		next.Odd = s.odd
		if err := s.Delayer.Delay(ctx, next); err == nil {
			s.report.Next = NextStep
			return nil
		} else if s.report.Err == nil {
			s.report.Err = fmt.Errorf("send next step: %w", err)
		}
	}
	if s.report.Class == "" { // nothing was asked: everyone backs off, and this was no try
		return nil
	}
	return s.writeNote(ctx)
}

// Run makes a step and logs one line about it: the platforms' way in.
func (p *Puller) Run(ctx context.Context, m Message) error {
	_, err := p.RunReport(ctx, m)
	return err
}

// RunReport is Run for a caller that goes by what the step did.
func (p *Puller) RunReport(ctx context.Context, m Message) (Report, error) {
	start := time.Now()
	r, err := p.Step(ctx, m)
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("order", string(m.Order)), slog.String("opening", m.Opening), slog.Int("attempt", m.Attempt),
		slog.String("state", string(r.State)), slog.String("next", r.Next), slog.String("code", r.Code),
		slog.String("class", string(r.Class)), slog.Int64("bytes", r.Bytes), slog.Duration("took", time.Since(start)),
	}
	if r.Err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Any("upstream", r.Err))
	}
	switch {
	case errors.Is(r.Err, ErrForeign):
		level = slog.LevelError
	case errors.Is(r.Err, ErrBackoff):
		level = slog.LevelInfo // what everyone waits for has been told once, as an error
	}
	if err != nil {
		return r, fmt.Errorf("step of order %s, attempt %d: %w", m.Order, m.Attempt, err)
	}
	p.Log.LogAttrs(ctx, level, "step", attrs...)
	return r, nil
}
