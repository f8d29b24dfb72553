package kyc

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Class is what a code, or a failed call, means for what to do next (PROTOCOL section 5).
type Class string

// The classes of PROTOCOL section 5.
const (
	OK        Class = "ok"        // verified: media are due
	Final     Class = "final"     // a verdict other than "verified": record it; media may exist
	Pending   Class = "pending"   // ask again, to a bound; also every code that is not in the table
	Ticket    Class = "ticket"    // the ticket is not accepted: refresh once, then alarm
	Config    Class = "config"    // nobody's order is at fault: alarm, keep the order pending
	Busy      Class = "busy"      // too many requests: back off well (400501, 400504, 400506)
	Transient Class = "transient" // network, cut short, not the protocol: ask again
)

// NoSuchResult is the code for "no such result": too early, walked away, risk control and more look alike (PROTOCOL section 5).
const NoSuchResult = "66660011"

// ErrForeign says that a whole reply was about another order or app id than was asked for: an alarm; nothing of it may be stored.
var ErrForeign = errors.New("reply is about another order or app id")

// Reply is a whole, well-formed answer to one query. Media went to the sinks meanwhile.
type Reply struct {
	Code     string
	Class    Class
	Msg      string         // the service's text, trimmed: show it, never compare it
	Result   map[string]any // scalar fields of the verdict as they came (string, json.Number, bool), without media and without what differs from query to query
	Occurred string         // occurredTime, yyyyMMddHHmmss in Beijing time, or ""
	Date     time.Time      // the service's clock (HTTP Date), zero where it gave none
}

// Sink opens the place for one medium's plain bytes. It is called when the first byte of a non-empty medium is at
// hand, maybe more than once for a kind. What was written counts only if Query then returns no error.
type Sink func(kind archive.Kind) (io.Writer, error)

// Upstream asks the face check service about an order; pkg/faceid is the real one. Query returns an error when there
// is no whole reply (class Transient unless it is a *UpstreamError that says otherwise); a reply with any code is not an error.
type Upstream interface {
	Query(ctx context.Context, order archive.Order, want Media, sink Sink) (Reply, error)
}

// UpstreamError is a failed call to the service whose class is known. Its text holds no URL query, secret, ticket or sign.
type UpstreamError struct {
	Class Class
	Code  string // the service's code, "" where there was none
	Err   error
}

// Error implements error.
func (e *UpstreamError) Error() string {
	if e.Code != "" {
		return "upstream code " + e.Code + " (" + string(e.Class) + "): " + e.Err.Error()
	}
	return "upstream (" + string(e.Class) + "): " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *UpstreamError) Unwrap() error { return e.Err }

// ClassOf gives the class of an error of Query: what a *UpstreamError in it says, else Transient.
func ClassOf(err error) Class {
	if ue, ok := errors.AsType[*UpstreamError](err); ok {
		return ue.Class
	}
	return Transient
}
