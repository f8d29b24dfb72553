package aws

import (
	"context"
	"time"
)

// Times before the end of an invocation, which Lambda ends by a kill. Both are less where the function's time-out is short.
const (
	answerTime = 2 * time.Second  // to note what was cut off, and to answer
	stepTime   = 20 * time.Second // less is not worth beginning a step for: it may be a large video
)

// times are the marks of one invocation. Without a deadline both are zero.
type times struct {
	begin time.Time // after it nothing new is begun
	end   time.Time // then the contexts of what is under way end
}

// timesOf reckons from what is left of an invocation at its beginning.
func timesOf(ctx context.Context, now time.Time) times {
	deadline, ok := ctx.Deadline()
	if !ok {
		return times{}
	}
	left := deadline.Sub(now)
	return times{begin: deadline.Add(-min(stepTime, left/4)), end: deadline.Add(-min(answerTime, left/10))}
}

// mayBegin tells whether there is time for something new.
func (t times) mayBegin(now time.Time) bool { return t.begin.IsZero() || now.Before(t.begin) }

// bound gives a context that ends a little before the invocation does.
func (t times) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.end.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, t.end)
}
