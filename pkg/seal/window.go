package seal

import (
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Window is the time that one seal covers: from Start up to and without End, whole seconds in UTC.
type Window struct {
	Start, End time.Time
}

// Bounds of KYC_SEAL_EVERY. Below a minute there would be more seals than orders.
const (
	MinEvery = time.Minute
	MaxEvery = 30 * 24 * time.Hour
)

// floor is the last multiple of every, counted from 1970 in UTC, that is not after t. every is whole seconds.
func floor(t time.Time, every time.Duration) time.Time {
	period := int64(every / time.Second)
	at := t.Unix()
	past := at % period
	if past < 0 {
		past += period
	}
	return time.Unix(at-past, 0).UTC()
}

// windowOf is the window that t lies in.
func windowOf(t time.Time, every time.Duration) Window {
	return windowFrom(floor(t, every), every)
}

// windowFrom is the window that begins at start and ends at the next multiple. Start is a multiple too, unless every was
// changed since the window before was sealed: then it is where that one ended, so that the chain has no gap.
func windowFrom(start time.Time, every time.Duration) Window {
	return Window{Start: start, End: floor(start, every).Add(every)}
}

// Has tells whether a time lies in the window.
func (w Window) Has(t time.Time) bool { return !t.Before(w.Start) && t.Before(w.End) }

// clockSkew is how far the clocks of a store's machines may be apart, of a folder that several share.
const clockSkew = 5 * time.Minute

// errAhead says that a window was sealed which is not over.
var errAhead = errors.New("its window is not over: it was sealed while the clock was ahead, or the clock is behind now")

// future is errAhead, with what to do, for a window that has a seal and ends after now. Nothing is sealed before its end: what is archived
// meanwhile would be on time in none.
func (w Window) future(now time.Time) error {
	if !w.End.After(now.Add(clockSkew)) {
		return nil
	}
	return fmt.Errorf("window %s: %w; set the clock right, and if it is, nothing is sealed before %s: run kycvault seal then, which takes in what was archived meanwhile",
		w, errAhead, w.End.Format(time.RFC3339))
}

// String gives start and end as seals write them.
func (w Window) String() string { return archive.SealName(w.Start) + " " + archive.SealName(w.End) }
