package sqs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
)

// About is what a queue says of itself. Counts are approximate ("GetQueueAttributes").
type About struct {
	Ready    int           // messages that wait for a worker
	Delayed  int           // messages whose time has not come
	UnderWay int           // messages that a worker has, or that failed and are hidden for Visibility
	Work     time.Duration // what the workers need for Ready

	Visibility time.Duration // a message that nobody acknowledges comes again after it
	Retention  time.Duration // an older message is gone
	DeadLetters
}

// DeadLetters is where messages go that failed too often.
type DeadLetters struct {
	Queue    string // its name; "" is none
	Receives int    // how often a message is tried before
	Dead     int    // messages there
	Unknown  error  // why Dead is not known
}

// About asks the queue about itself, for who looks after it: the functions do not need it.
func (d *Delayer) About(ctx context.Context) (About, error) {
	const what = "ask queue"
	have, err := d.attributes(ctx, d.queue, what, "All")
	if err != nil {
		return About{}, err
	}
	a, err := aboutOf(have)
	if err != nil {
		return About{}, fmt.Errorf("%s %s: %w", what, d.name(), err)
	}
	a.Work = time.Duration(a.Ready) * stepTime / time.Duration(d.workers)
	if a.Queue != "" {
		a.Dead, a.Unknown = d.dead(ctx, a.Queue)
	}
	return a, nil
}

func aboutOf(have attributes) (a About, err error) {
	number := func(name string) int {
		n, missing := have.number(name)
		err = errors.Join(err, missing)
		return n
	}
	seconds := func(name string) time.Duration { return time.Duration(number(name)) * time.Second }
	a = About{
		Ready: number(ready), Delayed: number(delayed), UnderWay: number(underWay),
		Visibility: seconds("VisibilityTimeout"), Retention: seconds("MessageRetentionPeriod"),
	}
	if have["RedrivePolicy"] == "" {
		return a, err
	}
	var redrive struct {
		ARN      string      `json:"deadLetterTargetArn"`
		Receives json.Number `json:"maxReceiveCount"` // with or without quotes
	}
	if json.Unmarshal([]byte(have["RedrivePolicy"]), &redrive) != nil {
		return a, errors.Join(err, errors.New("its RedrivePolicy can not be read"))
	}
	receives, _ := redrive.Receives.Int64()
	a.Receives = int(receives)
	a.Queue = redrive.ARN[strings.LastIndex(redrive.ARN, ":")+1:]
	return a, err
}

// dead counts the messages of the dead-letter queue, which is of the same account and region ("Using dead-letter queues").
func (d *Delayer) dead(ctx context.Context, name string) (int, error) {
	url := strings.TrimSuffix(d.queue, path.Base(d.queue)) + name
	have, err := d.attributes(ctx, url, "ask dead-letter queue", ready)
	if err != nil {
		return 0, err
	}
	return have.number(ready)
}

// RegionOf is the region in the address of a queue of Amazon's, "" of another one. A request is signed for the queue's region,
// which need not be the one that its sender is in.
func RegionOf(queueURL string) string {
	origin, err := originOf(queueURL)
	if err != nil {
		return ""
	}
	_, host, _ := strings.Cut(origin, "://")
	parts := strings.Split(host, ".") // sqs.REGION.amazonaws.com
	if len(parts) < 4 || parts[0] != "sqs" || parts[2] != "amazonaws" {
		return ""
	}
	return parts[1]
}
