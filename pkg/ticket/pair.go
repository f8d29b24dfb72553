package ticket

import (
	"errors"
	"math"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

// What an owner answers when it has no ticket to give. None of them holds a value.
var (
	// ErrNone says that there is no ticket at all, and that the call was not one that makes one.
	ErrNone = errors.New("there is no ticket yet")
	// ErrNotOwner says that the pair belongs to the company's ticket service, so that only that can give it.
	ErrNotOwner = errors.New("the ticket belongs to another service, see KYC_TICKET")
	// ErrTooYoung says that the upstream refused a ticket that is too young for that: a new one would be refused just so
	// (DESIGN section 5). It comes wrapped in a *kyc.UpstreamError of class config.
	ErrTooYoung = errors.New("the newest ticket is refused: configuration trouble: another refresher?")
)

const (
	refreshAge = 20 * time.Minute // a pair of this age is refreshed (PROTOCOL section 3)
	forceAge   = 2 * time.Minute  // a younger pair is not refreshed because it was refused (DESIGN section 5)
	maxMargin  = 30 * time.Second // a pair this close to its end is not used any more
	maxAhead   = time.Minute      // a pair from further ahead was made by a clock that was set back afterwards
)

// Pair is one generation of access token and SIGN ticket. Generation 0 is no pair.
type Pair struct {
	Ticket, AccessToken secret.Text
	Generation          int64
	Requested           time.Time // when the refresh was sent; the pair's age counts from here
	Expires             time.Time // the earlier end of the two, each measured from when it was asked for
}

func (p Pair) exists() bool { return p.Generation > 0 }

// usable tells whether the pair may still be used at now, by the clock that its times are from.
func (p Pair) usable(now time.Time) bool {
	return p.exists() && now.Before(p.Expires.Add(-margin(p.Expires.Sub(p.Requested))))
}

// due tells whether the pair should be refreshed.
func (p Pair) due(now time.Time) bool {
	return !p.usable(now) || p.age(now) >= refreshAge
}

// young tells whether the pair is too young to be refreshed because it was refused.
func (p Pair) young(now time.Time) bool {
	return p.exists() && p.age(now) < forceAge
}

// age is how old the pair is; when the clock that it was made by was set back, nobody knows, and it counts as old.
func (p Pair) age(now time.Time) time.Duration {
	if age := now.Sub(p.Requested); age >= -maxAhead {
		return age
	}
	return math.MaxInt64
}

// moved gives the pair with its times on another clock, which is by ahead.
func (p Pair) moved(by time.Duration) Pair {
	p.Requested, p.Expires = p.Requested.Add(by), p.Expires.Add(by)
	return p
}

// margin is how long before its end a value that lives that long is no longer used: time for a query to arrive.
func margin(life time.Duration) time.Duration { return min(maxMargin, life/20) }
