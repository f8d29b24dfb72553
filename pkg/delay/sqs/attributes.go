package sqs

import (
	"context"
	"fmt"
	"strconv"
)

// attributes are what a queue says of itself.
type attributes map[string]string

// attributesRequest and attributesAnswer are GetQueueAttributes.
type attributesRequest struct {
	QueueURL string   `json:"QueueUrl"`
	Names    []string `json:"AttributeNames"`
}

type attributesAnswer struct {
	Attributes attributes
}

// attributes asks a queue for some of its attributes. One that it does not have is left out of the answer.
func (d *Delayer) attributes(ctx context.Context, queueURL, what string, names ...string) (attributes, error) {
	var out attributesAnswer
	if err := d.client.call(ctx, "GetQueueAttributes", attributesRequest{queueURL, names}, &out); err != nil {
		return nil, explain(what, queueURL, "sqs:GetQueueAttributes", err)
	}
	return out.Attributes, nil
}

// number reads a count, or a time in seconds.
func (a attributes) number(name string) (int, error) {
	n, err := strconv.Atoi(a[name])
	if err != nil || n < 0 {
		return 0, fmt.Errorf("it tells no %s", name)
	}
	return n, nil
}
