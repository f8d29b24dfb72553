package ticket

import (
	"context"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

const (
	hints  = 3         // tickets that a cold start reads: the newest two, and one for a damaged one among them
	page   = 1000      // keys in one listing call
	listed = time.Hour // what is older than this, every listing shows
)

// coldStart makes the view that a first reading upwards begins from. What it costs does not grow with the age of the
// archive, nor with an upstream that refused all night: only numbers of the last hour are left to be read one by one.
//
// Listings are hints here. One that is stale makes the reading upwards start lower, or costs one needless refresh after a
// ticket that was not shown an hour after it was written; which number comes next is always decided by reading keys.
func (r *reader) coldStart(ctx context.Context) (view, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*storeTimeout)
	defer cancel()
	numbers, err := r.lastTickets(ctx)
	if err != nil {
		return view{}, fmt.Errorf("list ticket generations: %w", err)
	}
	v := view{from: 1}
	for _, n := range numbers {
		if _, err := r.ticket(ctx, n, &v); err != nil {
			return view{}, err
		}
		v.from = n + 1
	}
	if v.from, err = r.skipDead(ctx, v.from); err != nil {
		return view{}, fmt.Errorf("list leases: %w", err)
	}
	return v, nil
}

// lastTickets gives the highest few numbers that a listing shows, in ascending order.
func (r *reader) lastTickets(ctx context.Context) ([]int64, error) {
	after, err := r.nearEnd(ctx)
	if err != nil {
		return nil, err
	}
	var last []int64
	for o, err := range r.bucket.List(ctx, archive.TicketPrefix, archive.TicketKey(after)) {
		if err != nil {
			return nil, err
		}
		if n, ok := archive.ParseGeneration(o.Key); ok {
			last = append(last, n)
		}
		if len(last) > hints {
			last = last[1:]
		}
	}
	return last, nil
}

// nearEnd finds a number not far below the highest listed one, in a number of listings that grows with its logarithm.
func (r *reader) nearEnd(ctx context.Context) (int64, error) {
	low := int64(0)
	// up: double the step until nothing is listed beyond it; then down: halve it, keeping something listed beyond low
	for step, up := int64(page), true; step >= page; {
		more, err := r.listedAfter(ctx, low+step)
		if err != nil {
			return 0, err
		}
		if more {
			low += step
		}
		if up = up && more; up {
			step *= 2
		} else {
			step /= 2
		}
	}
	return max(0, low-page/10), nil
}

func (r *reader) listedAfter(ctx context.Context, n int64) (bool, error) {
	for o, err := range r.bucket.List(ctx, archive.TicketPrefix, archive.TicketKey(n)) {
		if err != nil {
			return false, err
		}
		if _, ok := archive.ParseGeneration(o.Key); ok {
			return true, nil
		}
	}
	return false, nil
}

// skipDead gives the first number from n on that has no lease, or one of the last hour: the refreshes of the others came to
// nothing, as the listing made before shows no ticket for them.
func (r *reader) skipDead(ctx context.Context, n int64) (int64, error) {
	for o, err := range r.bucket.List(ctx, archive.LeasePrefix, archive.LeaseKey(n-1)) {
		if err != nil {
			return 0, err
		}
		number, ok := archive.ParseGeneration(o.Key)
		if !ok {
			continue
		}
		if number != n || r.clock.time().Sub(o.Modified) < listed {
			break
		}
		n++
	}
	return n, nil
}
