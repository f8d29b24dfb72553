package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
)

const (
	maxDelay   = 15 * time.Minute       // "SendMessage": DelaySeconds is 0 to 900
	batch      = 10                     // "SendMessageBatch": at most ten entries
	rounds     = 3                      // times that an entry of a batch is sent, the first included
	roundPause = 200 * time.Millisecond // before an entry is sent again; doubled each time
)

// entry is a message in the form of the queue.
type entry struct {
	Body  string `json:"MessageBody"`
	Delay int    `json:"DelaySeconds"` // 0 too: else the queue's own would count
}

// sendRequest is SendMessage.
type sendRequest struct {
	QueueURL string `json:"QueueUrl"`
	entry
}

// batchRequest and batchAnswer are SendMessageBatch.
type batchRequest struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []batchEntry
}

type batchEntry struct {
	ID string `json:"Id"`
	entry
}

type batchAnswer struct {
	Successful []struct {
		ID string `json:"Id"`
	}
	Failed []failedEntry
}

type failedEntry struct {
	Code        string
	SenderFault bool
}

// Delay puts messages into the queue. The error tells how many could not be put there.
func (d *Delayer) Delay(ctx context.Context, msgs ...kyc.Message) error {
	entries := make([]entry, len(msgs))
	for i, m := range msgs {
		body, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode step message: %w", err)
		}
		entries[i] = entry{Body: string(body), Delay: d.seconds(m)}
	}
	switch len(entries) {
	case 0:
		return nil
	case 1:
		return d.send(ctx, entries[0])
	}
	return d.sendAll(ctx, entries)
}

// sendAll sends messages in tens. What goes wrong with an entry is that entry's; a request that fails, which the client has
// tried some times, would fail for the next ten too.
func (d *Delayer) sendAll(ctx context.Context, entries []entry) error {
	lost, reason, done := 0, error(nil), 0
	for chunk := range slices.Chunk(entries, batch) {
		left, err := d.sendBatch(ctx, chunk)
		done += len(chunk)
		lost += left
		if err == nil {
			continue
		}
		reason = err
		if err.cause != nil {
			lost += len(entries) - done
			break
		}
	}
	if reason == nil {
		return nil
	}
	return fmt.Errorf("send %d of %d messages: %w", lost, len(entries), reason)
}

// seconds is the delay of a message: up to its time, rounded up, since a message that comes early is one more invocation.
// Single tries are spread so that the workers can just keep up: then the queue stays shallow, and a completion's message,
// which comes meanwhile, has few before it.
func (d *Delayer) seconds(m kyc.Message) int {
	now := d.now()
	wait := m.NotBefore.Sub(now)
	if m.Single {
		wait = max(wait, d.slot(now))
	}
	wait = min(max(wait, 0), maxDelay)
	return int((wait + time.Second - 1) / time.Second)
}

// slot is the time until a worker is free for one more single try. It goes on from call to call, since a pass hands out in
// several; what an earlier instance of the function handed out, Room has counted.
func (d *Delayer) slot(now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.free.Before(now) {
		d.free = now
	}
	wait := d.free.Sub(now)
	d.free = d.free.Add(stepTime / time.Duration(d.workers))
	return wait
}

func (d *Delayer) send(ctx context.Context, e entry) error {
	var out struct {
		MessageID string `json:"MessageId"`
	}
	if err := d.client.call(ctx, "SendMessage", sendRequest{d.queue, e}, &out); err != nil {
		return explain("send message to queue", d.queue, "sqs:SendMessage", err)
	}
	if out.MessageID == "" {
		return fmt.Errorf("send message to queue %s: the answer names no message", d.name())
	}
	return nil
}

// sendBatch sends at most ten messages in one request. The request may go well and entries fail, each for a reason of its own
// ("SendMessageBatch"): those that failed are sent again, a few times. It tells how many are left, and why.
func (d *Delayer) sendBatch(ctx context.Context, entries []entry) (left int, err *fault) {
	for round := 1; ; round++ {
		if entries, err = d.sendOnce(ctx, entries); len(entries) == 0 {
			return 0, nil
		}
		if round == rounds || !err.again || wait(ctx, roundPause<<(round-1)) != nil {
			return len(entries), err
		}
	}
}

// sendOnce makes one request, and gives the entries that are not in the queue, with the reason.
func (d *Delayer) sendOnce(ctx context.Context, entries []entry) ([]entry, *fault) {
	in, out := batchRequest{QueueURL: d.queue}, batchAnswer{}
	for i, e := range entries {
		in.Entries = append(in.Entries, batchEntry{strconv.Itoa(i), e})
	}
	if err := d.client.call(ctx, "SendMessageBatch", in, &out); err != nil {
		return entries, explain("send messages to queue", d.queue, "sqs:SendMessage", err)
	}
	sent := make(map[string]bool, len(out.Successful))
	for _, ok := range out.Successful {
		sent[ok.ID] = true
	}
	var failed []entry
	for i, e := range entries {
		if !sent[strconv.Itoa(i)] {
			failed = append(failed, e)
		}
	}
	if len(failed) == 0 {
		return nil, nil
	}
	return failed, d.entryError(out.Failed)
}
