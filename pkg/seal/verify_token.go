package seal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// maxStampDelay is how long after its window a timestamp may be of, once there are timestamps at all: passes ask for a week.
const maxStampDelay = lookback + 24*time.Hour

// stamped is a window and the time of its timestamp.
type stamped struct {
	window Window
	at     time.Time
}

// token checks that a checkpoint has its timestamp, if it is to have one, and that it is good.
func (v *verifier) token(ctx context.Context, s parts, c Checkpoint, signed []byte) error {
	key := archive.SealKey(s.start, archive.SealToken)
	soon := v.now.Before(c.Window.End.Add(2*v.o.Grace + slack))
	switch {
	case c.Timestamp && !s.token && !soon:
		v.tell(key, archive.Missing, "its checkpoint says that there is one; if the authority did not answer, kycvault seal asks again")
	case !c.Timestamp && v.wanted && v.o.Stamped:
		v.tell(archive.SealKey(s.start, archive.SealCheckpoint), BadTimestamp, "it wants no timestamp, although one before it did")
	}
	v.wanted = v.wanted || c.Timestamp
	if !s.token || v.o.CheckToken == nil {
		return nil
	}
	token, found, err := v.a.ReadSeal(ctx, s.start, archive.SealToken)
	if errors.Is(err, archive.ErrDamaged) { // too large
		v.tell(key, BadTimestamp, err.Error())
		return nil
	}
	if err != nil || !found {
		return fmt.Errorf("read %s: %w", key, err)
	}
	at, err := v.o.CheckToken(signed, token)
	switch {
	case err != nil:
		v.tell(key, BadTimestamp, err.Error())
	case at.Before(c.Window.End):
		v.tell(key, BadTimestamp, "it is of "+at.Format(time.RFC3339)+", before the window was over")
	default:
		v.sum.Stamps++
		v.stamps = append(v.stamps, stamped{c.Window, at})
	}
	return nil
}

// judgeStamps reports timestamps that are of long after their window, although there were timestamps then: a seal that was made
// anew has one of when that was done. What was over before the first timestamp of all could have none in time.
func (v *verifier) judgeStamps() {
	first := v.firstStamp()
	v.sum.FirstStamp = first
	for _, s := range v.stamps {
		delay := s.at.Sub(s.window.End)
		if !s.window.End.After(first) {
			continue
		}
		v.sum.Slowest = max(v.sum.Slowest, Delay(delay))
		if delay > maxStampDelay {
			v.tell(archive.SealKey(s.window.Start, archive.SealToken), BadTimestamp,
				fmt.Sprintf("it is of %s, %d days after the window was over: sealing stood still, or the seal was made anew", s.at.Format(time.RFC3339), int(delay.Hours()/24)))
		}
	}
}

// firstStamp is the earliest of the timestamps; zero is none.
func (v *verifier) firstStamp() (first time.Time) {
	for _, s := range v.stamps {
		if first.IsZero() || s.at.Before(first) {
			first = s.at
		}
	}
	return first
}
