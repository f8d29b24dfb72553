package tencent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

// parallel is how many orders of an array are worked on at once. Each holds a socket, some buffers and, for larger media, a
// temporary file.
const parallel = 8

// NewPull makes the pull function: an asynchronous invocation brings one step message, or an array of them.
func NewPull(o Options) *Function {
	return &Function{
		core:  newCore(o, special{needs: platform.NeedUpstream | platform.NeedArchive}),
		takes: []kind{stepEvent, otherEvent}, // what is neither is a message that can never work
		run:   pull,
	}
}

// pull works on an event's messages. The error says that every step failed, so that delivering the event again may help.
func pull(ctx context.Context, s *system, t platform.Times, event []byte) ([]byte, error) {
	b := newBatch(s, t)
	b.run(ctx, readMessages(ctx, s.log, event))
	return null, b.err()
}

// readMessages reads the messages of an event. One that can never work is logged and dropped, and takes none of its array with
// it: the marker of its order, if there is one, is in the archive.
func readMessages(ctx context.Context, log *slog.Logger, event []byte) (all []kyc.Message) {
	parts := []json.RawMessage{event}
	if bytes.HasPrefix(bytes.TrimLeft(event, " \t\r\n"), []byte("[")) {
		if err := json.Unmarshal(event, &parts); err != nil {
			parts = []json.RawMessage{event} // refused below
		}
	}
	for i, part := range parts {
		msgs, err := kyc.ParseMessages(part)
		if err != nil {
			log.LogAttrs(ctx, slog.LevelError, "dropped a message that can never work",
				slog.Int("number", i+1), slog.Int("of", len(parts)), slog.Any("error", err))
		}
		all = append(all, msgs...)
	}
	return all
}

// byOrder groups messages, since an order makes one step at a time (DESIGN section 3, rule 8). Orders keep their turn.
func byOrder(msgs []kyc.Message) (groups [][]kyc.Message) {
	place := make(map[archive.Order]int)
	for _, m := range msgs {
		i, known := place[m.Order]
		if !known {
			i = len(groups)
			place[m.Order] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups
}

// errLate ends a chain for whose next step the invocation has no time left.
var errLate = errors.New("no time left in this invocation: the timer takes the order up")

// nextStep is the delayer of a single step: it keeps the message that the step would send, since one invocation makes all
// short steps of an order (PLATFORMS: each Invoke counts, waits are billed either way). A step that would begin too late is
// refused, so that the core notes the try and leaves the order to the re-fetch.
type nextStep struct {
	times platform.Times
	msg   kyc.Message
}

// Delay implements kyc.Delayer.
func (n *nextStep) Delay(_ context.Context, msgs ...kyc.Message) error {
	n.msg = msgs[len(msgs)-1]
	if !n.times.MayBegin(n.msg.NotBefore) {
		return fmt.Errorf("delay step: %w", errLate)
	}
	return nil
}

// Room implements kyc.Delayer.
func (n *nextStep) Room(context.Context, time.Duration) (int, error) { return 1, nil }
