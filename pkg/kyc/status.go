package kyc

import (
	"errors"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// State is what a user sees of an order (DESIGN section 3).
type State string

// The states of an order. Where several hold, the manifest comes before pending before the newest closed entry.
const (
	StatePending     State = "pending"     // told of, not archived yet; nothing to do
	StateArchived    State = "archived"    // the manifest names a file for every medium
	StatePartial     State = "partial"     // given up with something missing; the manifest names what came
	StateUnavailable State = "unavailable" // the service never knew a result for it
	StateExpired     State = "expired"     // given up for other reasons: nothing came
)

// ErrUnknownOrder says that the archive holds nothing about an order.
var ErrUnknownOrder = errors.New("order is not known here")

// Outcome is Intake's answer to a completion.
type Outcome struct {
	State   State // after the call
	Created bool  // this call opened the order: the HTTP answer is 202
}

// Status is what the archive knows of an order: the body of GET /v1/orders/{orderNo}.
type Status struct {
	Order      archive.Order  `json:"orderNo"`
	State      State          `json:"state"`
	FirstSeen  time.Time      `json:"firstSeen,omitzero"`
	Attempts   int            `json:"attempts"`
	ArchivedAt time.Time      `json:"archivedAt,omitzero"`
	Files      []archive.File `json:"files"`
	Missing    []string       `json:"missing"`
}
