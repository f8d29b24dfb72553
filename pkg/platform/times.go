package platform

import (
	"context"
	"time"
)

// Times before the end of an invocation, which both clouds end by a kill. Both are less where the function's time-out is short.
const (
	answerTime = 2 * time.Second  // to note what was cut off, and to answer
	stepTime   = 20 * time.Second // less is not worth beginning a step for: it may be a large video
)

// Times are the marks of one invocation of a cloud function. Without a deadline both are zero.
type Times struct {
	Begin time.Time // after it nothing new is begun
	End   time.Time // then the contexts of what is under way end
}

// TimesOf reckons from what is left of an invocation at its beginning.
func TimesOf(ctx context.Context, now time.Time) Times {
	deadline, ok := ctx.Deadline()
	if !ok {
		return Times{}
	}
	left := deadline.Sub(now)
	return Times{Begin: deadline.Add(-min(stepTime, left/4)), End: deadline.Add(-min(answerTime, left/10))}
}

// MayBegin tells whether there is time for something new at a time.
func (t Times) MayBegin(at time.Time) bool { return t.Begin.IsZero() || at.Before(t.Begin) }

// Bound gives a context that ends a little before the invocation does.
func (t Times) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.End.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, t.End)
}
