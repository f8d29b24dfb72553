package kyc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// MessageVersion is the version of a step message. Raise it when an older reader would misunderstand a newer message.
const MessageVersion = 1

// Message is a hint to look at an order: the step message of DESIGN section 6. Losing one loses nothing, since the marker stays.
type Message struct {
	V         int           `json:"v"`
	Order     archive.Order `json:"orderNo"`
	Opening   string        `json:"opening"`
	Attempt   int           `json:"attempt"` // from 1
	NotBefore time.Time     `json:"notBefore"`
	Single    bool          `json:"single,omitempty"` // one try for Refetch: no further steps follow
	Odd       []string      `json:"odd,omitempty"`    // digests of odd media that this chain has already brought (DESIGN section 4)
	Early     int           `json:"early,omitempty"`  // how often messages of this chain came before their time and were sent anew
}

// MaxEarly is how often messages of one chain are sent anew since they came too early; the one after that is worked on at
// once, which does no harm. Lambda ends a chain of more than 16 invocations (PLATFORMS): the webhook, at most ten steps
// (KYC_STEPS), and these leave one to spare.
const MaxEarly = 4

// Sooner tells whether the message came too early, and gives the one to send instead. slack is how much too early is soon
// enough.
func (m Message) Sooner(now time.Time, slack time.Duration) (anew Message, early bool) {
	if m.NotBefore.Sub(now) <= slack || m.Early >= MaxEarly {
		return m, false
	}
	m.Early++
	return m, true
}

// Mark is the opening that the message is about.
func (m Message) Mark() archive.Mark { return archive.Mark{Order: m.Order, Opening: m.Opening} }

// ErrMessage says that a step message can never work: it is logged and dropped.
var ErrMessage = errors.New("not a step message")

// maxMessages bounds an array of messages; what a platform can carry in one event is far less.
const maxMessages = 10_000

// ParseMessages reads one step message, or an array of them. The error wraps ErrMessage and repeats nothing of the data.
func ParseMessages(data []byte) ([]Message, error) {
	var msgs []Message
	var err error
	if first := firstByte(data); first == '[' {
		err = json.Unmarshal(data, &msgs)
	} else {
		msgs = make([]Message, 1)
		err = json.Unmarshal(data, &msgs[0])
	}
	if err != nil {
		return nil, fmt.Errorf("%w: not JSON of its shape", ErrMessage)
	}
	if len(msgs) > maxMessages {
		return nil, fmt.Errorf("%w: an array of %d", ErrMessage, len(msgs))
	}
	for i, m := range msgs {
		if err := m.check(); err != nil {
			return nil, fmt.Errorf("%w: message %d: %w", ErrMessage, i+1, err)
		}
	}
	return msgs, nil
}

func firstByte(data []byte) byte {
	for _, c := range data {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
	}
	return 0
}

// check refuses what no version up to this one sends.
func (m Message) check() error {
	if m.V < 1 || m.V > MessageVersion {
		return fmt.Errorf("version %d, this program knows 1 to %d", m.V, MessageVersion)
	}
	if _, err := archive.ParseOrder(string(m.Order)); err != nil {
		return err
	}
	if err := archive.CheckOpening(m.Opening); err != nil {
		return err
	}
	if m.Attempt < 1 || m.Early < 0 {
		return fmt.Errorf("attempt %d, %d times early", m.Attempt, m.Early)
	}
	return nil
}

// Delayer delivers each message to a Puller no earlier than its NotBefore, maybe twice, maybe never. Live messages (not
// Single) go first where both are due.
type Delayer interface {
	Delay(ctx context.Context, msgs ...Message) error
	// Room is how many single tries more can be worked off within the given time.
	Room(ctx context.Context, within time.Duration) (int, error)
}
