package local

import (
	"container/heap"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

const (
	window       = 1000            // orders that are begun and not ended, at most: the list itself waits in its file's order
	archiveAgain = 5 * time.Second // an order for which the archive failed is tried again after this
	archiveTries = 3               // so often; then it counts as failed
	failedRow    = 16              // so many failed orders in a row, and the run ends
	blamedOrders = 2               // so many orders refused with never a good answer, and the run ends (PullOptions.Wait)
	refusalsOwn  = 3               // an order refused so often between good answers to others is refused for itself
	refusalsBusy = 10              // the same, where the refusal is about load
	leastWait    = 5 * time.Second // an order that is refused for itself shows as such within this
	othersFirst  = 8               // good answers to others before a refused order is asked about again
)

// backfill is one Pull under way. Only run's goroutine touches it; steps are made by others, on copies.
type backfill struct {
	*Server
	options PullOptions
	pace    pace
	markers markers

	fresh   []archive.Order // not begun
	waiting steps           // between two steps of a chain
	again   []turn          // refused, or not asked about: to be asked about again
	working int             // steps under way
	ends    chan turn       // steps that have ended

	total     int
	blamed    map[archive.Order]bool // refused while the service never answered well
	loaded    bool                   // load was a reason of refusals
	failedRow int
	resting   bool
	stopped   error // why nothing new begins
}

// run goes through all orders.
func (b *backfill) run(ctx context.Context) error {
	steps, cancel := outlive(ctx, grace)
	defer cancel()
	stop := ctx.Done()
	for {
		now := time.Now()
		b.patience(now)
		b.launch(steps, now)
		if b.working == 0 && (b.stopped != nil || b.left() == 0) {
			break
		}
		b.tellResting(now)
		sleep := time.NewTimer(b.idle(now))
		select {
		case t := <-b.ends:
			b.working--
			b.after(t)
		case <-stop:
			b.stopped, stop = ErrInterrupted, nil
		case <-sleep.C:
		}
		sleep.Stop()
	}
	b.leave()
	return b.stopped
}

// left is how many orders wait for a turn.
func (b *backfill) left() int { return len(b.fresh) + len(b.waiting) + len(b.again) }

// launch begins steps, as many as the pace allows.
func (b *backfill) launch(ctx context.Context, now time.Time) {
	for b.stopped == nil && b.working < b.pace.limit && !now.Before(b.pace.from) {
		t, ok := b.pick(now)
		if !ok {
			return
		}
		b.working++
		go func() { b.ends <- b.work(ctx, t) }()
	}
}

// pick chooses whose turn it is: steps that are due, then orders that were refused and had others before them, then fresh ones.
func (b *backfill) pick(now time.Time) (turn, bool) {
	if len(b.waiting) > 0 && !b.waiting[0].at.After(now) {
		return heap.Pop(&b.waiting).(dueTurn).turn, true
	}
	begun := b.working + len(b.waiting) + len(b.again)
	fresh := len(b.fresh) > 0 && begun < window
	if len(b.again) > 0 && (!fresh || b.pace.goods >= b.again[0].goods+othersFirst) {
		t := b.again[0]
		b.again = slices.Delete(b.again, 0, 1)
		return t, true
	}
	if !fresh {
		return turn{}, false
	}
	t := turn{order: b.fresh[0]}
	b.fresh = b.fresh[1:]
	return t, true
}

// idle is how long nothing can begin unless a step ends.
func (b *backfill) idle(now time.Time) time.Duration {
	const long = time.Minute
	switch {
	case b.stopped != nil || b.working >= b.pace.limit:
		return long
	case now.Before(b.pace.from):
		return b.pace.from.Sub(now)
	case len(b.waiting) > 0:
		return min(long, max(0, b.waiting[0].at.Sub(now)))
	}
	return long
}

// after decides what follows a step.
func (b *backfill) after(t turn) {
	now := time.Now()
	if t.err != nil {
		b.archiveFailed(t, now)
		return
	}
	b.failedRow = 0
	b.hear(t.report, now)
	switch {
	case t.already:
		b.end(t, PulledAlready)
	case errors.Is(t.report.Err, kyc.ErrBackoff):
		b.again = append(b.again, t)
	case refusal(t.report.Class):
		b.refused(t)
	case t.report.Next == kyc.NextStep:
		heap.Push(&b.waiting, dueTurn{t, t.msg.NotBefore})
	case t.report.Next == kyc.NextRefetch && unheard(t.report):
		b.refused(t)
	default: // a state is the end's name: archived, partial, unavailable, expired or pending
		b.end(t, string(t.status.State))
	}
}

// refusal tells whether an answer is about everyone, and not about the order.
func refusal(c kyc.Class) bool { return c == kyc.Busy || c == kyc.Ticket || c == kyc.Config }

// unheard tells whether the service had nothing to say: it was not reached, broke off, or is in trouble itself.
func unheard(r kyc.Report) bool { return r.Class == kyc.Transient && !errors.Is(r.Err, kyc.ErrForeign) }

// hear lets the pace follow what the service said.
func (b *backfill) hear(r kyc.Report, now time.Time) {
	switch {
	case errors.Is(r.Err, kyc.ErrBackoff):
		b.pace.back(now)
	case refusal(r.Class):
		b.loaded = b.loaded || r.Class == kyc.Busy
		b.pace.refused(now)
	case unheard(r):
		b.pace.failed(now)
	case r.Class != "":
		b.pace.good()
	}
}

// refused has an order asked about again later, unless it is refused while others are answered: then it is left to a later run.
func (b *backfill) refused(t turn) {
	if b.pace.goods == 0 {
		b.blamed[t.order] = true
	}
	if b.pace.goods > t.goods {
		t.refusals++
	}
	most := refusalsOwn
	if t.report.Class == kyc.Busy {
		most = refusalsBusy
	}
	if t.goods = b.pace.goods; t.refusals >= most {
		b.end(t, PulledPending)
		return
	}
	b.again = append(b.again, t)
}

// archiveFailed tries an order again after a while. One that could not even be marked counts as failed at once, and when
// that goes on and on, the run ends.
func (b *backfill) archiveFailed(t turn, now time.Time) {
	if t.failures++; t.msg.Opening != "" && t.failures <= archiveTries && b.stopped == nil {
		heap.Push(&b.waiting, dueTurn{t, now.Add(archiveAgain)})
		return
	}
	if errors.Is(t.err, archive.ErrDamaged) || errors.Is(t.err, archive.ErrNewer) {
		b.failedRow = 0 // this order's alone
	} else if b.failedRow++; b.failedRow >= failedRow && b.stopped == nil {
		b.stopped = ErrNoArchive
	}
	b.end(t, PulledFailed)
}

// patience ends the run when there has been no good answer for too long.
func (b *backfill) patience(now time.Time) {
	wait := b.options.Wait
	if wait == 0 {
		wait = DefaultWait
		if b.pace.goods == 0 && !b.loaded && len(b.blamed) >= min(blamedOrders, b.total) {
			wait = -1
		}
	} else {
		wait = max(wait, leastWait)
	}
	if b.stopped == nil && b.pace.bad > 0 && now.Sub(b.pace.since) > wait {
		b.stopped = ErrNoAnswer
	}
}

// tellResting tells when the run begins to wait for the service, and when it goes on.
func (b *backfill) tellResting(now time.Time) {
	if resting := b.stopped == nil && b.pace.resting(now); resting != b.resting {
		b.resting = resting
		b.options.Waiting(resting)
	}
}

func (b *backfill) end(t turn, end string) { b.options.Done(t.pulled(end)) }

// leave tells of the orders that had no end.
func (b *backfill) leave() {
	for _, w := range b.waiting {
		b.end(w.turn, PulledPending)
	}
	for _, t := range b.again {
		b.end(t, PulledPending)
	}
	for _, o := range b.fresh {
		b.end(turn{order: o}, PulledUntouched)
	}
}

// dueTurn is an order between two steps.
type dueTurn struct {
	turn
	at time.Time
}

// steps is a heap, the earliest first.
type steps []dueTurn

func (s steps) Len() int           { return len(s) }
func (s steps) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s steps) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *steps) Push(x any)        { *s = append(*s, x.(dueTurn)) }
func (s *steps) Pop() any {
	last := len(*s) - 1
	t := (*s)[last]
	*s = (*s)[:last]
	return t
}
