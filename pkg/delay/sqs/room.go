package sqs

import (
	"context"
	"fmt"
	"math"
	"time"
)

// The attributes that add up to all messages of a queue. They are approximate, and settle within a minute
// ("GetQueueAttributes"): the next pass corrects what this one misjudged.
const (
	ready    = "ApproximateNumberOfMessages"
	delayed  = "ApproximateNumberOfMessagesDelayed"
	underWay = "ApproximateNumberOfMessagesNotVisible"
)

// Room is what the workers get done within the given time, less what is in the queue already. Each worker has one message at a
// time, so what is under way beyond that is none: those are steps that failed, hidden until the visibility time-out. Counted,
// an outage of minutes would let nothing be handed out for an hour after it.
func (d *Delayer) Room(ctx context.Context, within time.Duration) (int, error) {
	have, err := d.attributes(ctx, d.queue, "read depth of queue", ready, delayed, underWay)
	if err != nil {
		return 0, err
	}
	room := int(within/stepTime)*d.workers + int(within%stepTime)*d.workers/int(stepTime)
	for name, most := range map[string]int{ready: math.MaxInt, delayed: math.MaxInt, underWay: d.workers} {
		n, err := have.number(name)
		if err != nil {
			return 0, fmt.Errorf("read depth of queue %s: %w", d.name(), err)
		}
		room -= min(n, most)
	}
	return max(0, room), nil
}
