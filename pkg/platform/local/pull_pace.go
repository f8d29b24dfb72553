package local

import "time"

const (
	gatePoll    = time.Second      // how often one order looks whether everyone still has to back off
	failedPause = time.Second      // the first pause when the service can not be reached; it doubles
	longestRest = 30 * time.Second // the longest such pause
)

// pace is how many orders may be in work, and from when on. It follows the service: every refusal halves it, every good
// answer adds one again. Whether anyone may ask at all is decided by kyc.Gate, for all processes.
type pace struct {
	most   int
	limit  int
	from   time.Time // no step begins before
	bad    int       // calls without a good answer since the last one
	goods  int       // good answers so far
	closed bool      // everyone has to back off
	since  time.Time // the first trouble since the last good answer; zero in good times
}

func (p *pace) good() {
	p.goods, p.bad, p.closed = p.goods+1, 0, false
	p.limit = min(p.most, p.limit+1)
	p.since, p.from = time.Time{}, time.Time{}
}

// refused is for an answer that is no order's fault: too many requests, ticket, configuration.
func (p *pace) refused(now time.Time) {
	p.trouble(now)
	p.limit = max(1, p.limit/2)
}

// failed is for no answer at all. One order's trouble slows nobody; when nothing else comes, everything slows down.
func (p *pace) failed(now time.Time) {
	p.trouble(now)
	if over := p.bad - p.most; over > 0 {
		p.limit = 1
		p.from = now.Add(min(longestRest, failedPause<<min(over, 10)))
	}
}

func (p *pace) trouble(now time.Time) {
	p.bad++
	if p.since.IsZero() {
		p.since = now
	}
}

// back is for an order that was not asked about since everyone has to back off: one at a time looks, until one may probe.
func (p *pace) back(now time.Time) {
	p.trouble(now)
	p.closed, p.limit = true, 1
	p.from = now.Add(gatePoll)
}

// resting tells whether the run waits for the service.
func (p *pace) resting(now time.Time) bool { return p.closed || now.Before(p.from) }
