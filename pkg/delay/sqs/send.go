package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

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
	body  string
	delay int32 // seconds
}

// Delay puts messages into the queue. The error tells how many could not be put there.
func (d *Delayer) Delay(ctx context.Context, msgs ...kyc.Message) error {
	entries := make([]entry, len(msgs))
	for i, m := range msgs {
		body, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("encode step message: %w", err)
		}
		entries[i] = entry{body: string(body), delay: d.seconds(m)}
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
func (d *Delayer) seconds(m kyc.Message) int32 {
	now := d.now()
	wait := m.NotBefore.Sub(now)
	if m.Single {
		wait = max(wait, d.slot(now))
	}
	wait = min(max(wait, 0), maxDelay)
	return int32((wait + time.Second - 1) / time.Second) //nolint:gosec // at most 900
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
	_, err := d.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &d.queue, MessageBody: &e.body, DelaySeconds: e.delay})
	if err != nil {
		return d.explain("send message to queue", "sqs:SendMessage", err)
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
	in := &sqs.SendMessageBatchInput{QueueUrl: &d.queue}
	for i, e := range entries {
		id := strconv.Itoa(i)
		in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &e.body, DelaySeconds: e.delay})
	}
	out, err := d.client.SendMessageBatch(ctx, in)
	if err != nil {
		return entries, d.explain("send messages to queue", "sqs:SendMessage", err)
	}
	sent := make(map[string]bool, len(out.Successful))
	for _, ok := range out.Successful {
		sent[deref(ok.Id)] = true
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

// wait waits for some time, or until ctx ends.
func wait(ctx context.Context, long time.Duration) error {
	t := time.NewTimer(long)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
