package kyc

import (
	"context"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Message is a hint to look at an order: the step message of DESIGN section 6. Losing one loses nothing, since the marker stays.
type Message struct {
	V         int           `json:"v"`
	Order     archive.Order `json:"orderNo"`
	Opening   string        `json:"opening"`
	Attempt   int           `json:"attempt"`
	NotBefore time.Time     `json:"notBefore"`
	Single    bool          `json:"single,omitempty"` // one try for Refetch: no further steps follow
	Odd       []string      `json:"odd,omitempty"`    // digests of odd media that this chain has already brought (DESIGN section 4)
}

// Delayer delivers each message to a Puller no earlier than its NotBefore, maybe twice, maybe never. Live messages (not
// Single) go first where both are due.
type Delayer interface {
	Delay(ctx context.Context, msgs ...Message) error
	// Room is how many single tries more can be worked off within the given time.
	Room(ctx context.Context, within time.Duration) (int, error)
}
