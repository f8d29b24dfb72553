package kyc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// tryNoSuch is the class under which a note counts 66660011, the one pending code that can make an order quiet.
const tryNoSuch = "nosuch"

// tryForeign is the class under which a note counts replies about another order.
const tryForeign = "foreign"

// tryFailed is the class under which a note counts calls that brought no code: nothing was heard then.
const tryFailed = "failed"

// tryClass is how a note counts the last answer.
func (s *step) tryClass() string {
	switch {
	case errors.Is(s.report.Err, ErrForeign):
		return tryForeign
	case s.report.Class == Pending && s.report.Code == NoSuchResult:
		return tryNoSuch
	case s.report.Class == Transient && s.report.Code == "":
		return tryFailed
	}
	return string(s.report.Class)
}

// hear counts an answer: a step may hear two.
func (s *step) hear() {
	if s.heard == nil {
		s.heard = make(map[string]int)
	}
	s.heard[s.tryClass()]++
}

// countTry adds what this step heard to the note's tries.
func (s *step) countTry() map[string]int {
	tries := maps.Clone(s.note.Tries)
	if tries == nil {
		tries = make(map[string]int)
	}
	for class, n := range s.heard {
		tries[class] += n
	}
	return tries
}

// neverHeard tells whether 66660011 is all that the service ever said about the order. Its troubles with everyone, and
// calls without an answer, are not about the order.
func neverHeard(tries map[string]int) bool {
	for _, class := range []string{string(OK), string(Final), string(Pending), string(Transient), tryForeign} {
		if tries[class] > 0 {
			return false
		}
	}
	return tries[tryNoSuch] > 0
}

// readNote reads what earlier tries of this opening left.
func (s *step) readNote(ctx context.Context) (err error) {
	mark, seen := s.msg.Mark(), s.v.seen
	if find(seen.Quiet, mark) == nil && find(seen.Retry, mark) == nil {
		return nil
	}
	kind, _ := lastTry(seen, archive.Listed{Mark: mark})
	s.note, err = s.Archive.ReadNote(ctx, kind, mark)
	return err
}

// writeNote notes the try. An order that the service does not know is quiet from half an hour of age (DESIGN section 3).
func (s *step) writeNote(ctx context.Context) error {
	kind := archive.Retry
	if s.tryClass() == tryNoSuch && len(s.v.listed) == 0 && s.age() >= quietAfter {
		kind = archive.Quiet
	}
	note := archive.Note{Attempts: s.attempts(), Tries: s.countTry(), Code: s.report.Code, Odd: s.odd}
	return s.Archive.WriteNote(ctx, kind, s.msg.Mark(), note)
}

// clocksAgree tells whether this machine's clock, the store's and the service's (where it told its time) are close enough
// to give an order up. When they are not, the order stays pending, and the operator is told.
func (s *step) clocksAgree() bool {
	skew := s.now.Sub(s.Now()).Abs()
	if !s.date.IsZero() {
		skew = max(skew, s.now.Sub(s.date).Abs())
	}
	if skew <= maxClockSkew {
		return true
	}
	s.report.Err = errors.Join(s.report.Err, fmt.Errorf("clocks differ by %s: order %s is not given up before they agree", skew.Round(time.Second), s.msg.Order))
	return false
}
