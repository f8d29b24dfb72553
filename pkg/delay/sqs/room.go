package sqs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// depth are the attributes that add up to all messages of a queue. They are approximate, and settle within a minute
// ("GetQueueAttributes"): the next pass corrects what this one misjudged.
var depth = []types.QueueAttributeName{
	types.QueueAttributeNameApproximateNumberOfMessages,
	types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
	types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
}

// Room is what the workers get done within the given time, less what is in the queue already.
func (d *Delayer) Room(ctx context.Context, within time.Duration) (int, error) {
	out, err := d.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &d.queue, AttributeNames: depth})
	if err != nil {
		return 0, d.explain("read depth of queue", "sqs:GetQueueAttributes", err)
	}
	room := int(within/stepTime)*d.workers + int(within%stepTime)*d.workers/int(stepTime)
	for _, name := range depth {
		n, err := strconv.Atoi(out.Attributes[string(name)])
		if err != nil || n < 0 {
			return 0, fmt.Errorf("read depth of queue %s: it tells no %s", d.name(), name)
		}
		room -= n
	}
	return max(0, room), nil
}
