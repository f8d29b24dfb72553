package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/delay/sqs"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

// queue looks at the functions' queue on AWS, where one is set. This command has none of its own: its steps wait in the process.
func (d *doctor) queue(ctx context.Context, cfg platform.Config) {
	if cfg.QueueURL == "" {
		return
	}
	about, err := aboutQueue(ctx, cfg)
	if err != nil {
		d.add(unseen(err))
		return
	}
	d.add(depth(about, cfg))
	d.add(visibility(about))
	d.add(retention(about))
	d.add(redrive(about))
	if about.Queue != "" {
		d.add(deadLetters(about))
	}
}

func aboutQueue(ctx context.Context, cfg platform.Config) (sqs.About, error) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	queue, err := local.OpenQueue(cfg)
	if err != nil {
		return sqs.About{}, err
	}
	return queue.About(ctx)
}

// unseen is a queue that can not be looked at: whether it does its work is not known where this user alone may not ask.
func unseen(err error) finding {
	if errors.Is(err, sqs.ErrNoRight) {
		return finding{Check: "queue", Level: levelWarning, Found: err.Error(), Means: "whether the functions' steps come through it is not known",
			Do: "give this user the right sqs:GetQueueAttributes"}
	}
	return finding{Check: "queue", Level: levelBad, Found: err.Error(), Means: "no step reaches the pull function: orders wait",
		Do: "look at KYC_QUEUE_URL, region and profile (AWS_PROFILE)"}
}

// depth compares what waits with what the pull functions get done. While that is more than one pass's time, the re-fetch hands
// out nothing.
func depth(a sqs.About, cfg platform.Config) finding {
	f := finding{Check: "queue", Level: levelOK, Found: fmt.Sprintf("reached; %d messages ready, %d delayed, %d hidden", a.Ready, a.Delayed, a.UnderWay)}
	switch {
	case a.Work <= cfg.RefetchEvery:
	case a.UnderWay == 0:
		f.Level, f.Means = levelBad, "messages wait, and nobody takes any: no step is made"
		f.Do = "look whether the pull function's event source is enabled, and whether its concurrency is 0"
	default:
		f.Level, f.Means = levelWarning, fmt.Sprintf("%d steps at once need about %s for it; the re-fetch hands out nothing meanwhile", cfg.Workers, roughly(a.Work))
		f.Do = "raise PullConcurrency, if the service allows as many queries"
	}
	return f
}

// What the queue of template.yaml has; its reasons are in docs/aws.md and "Using Lambda with Amazon SQS".
const (
	pullTime     = 10 * time.Minute // the pull function's time-out
	visibleAfter = 6 * pullTime
	leastTries   = 5
	longestDelay = 15 * time.Minute // that a message can have
)

func visibility(a sqs.About) finding {
	f := finding{Check: "queue's visibility", Level: levelOK, Found: fmt.Sprintf("a message that is not done comes again after %s", a.Visibility)}
	switch {
	case a.Visibility < pullTime:
		f.Level, f.Means = levelWarning, "a large video's step may take longer: then it is made twice at once, and its message ends among the dead letters"
	case a.Visibility < visibleAfter:
		f.Level, f.Means = levelWarning, "messages that are held up before the function count as failed"
	default:
		return f
	}
	f.Do = "make it six times the pull function's time-out: 3600 s with the template's"
	return f
}

func retention(a sqs.About) finding {
	f := finding{Check: "queue's retention", Level: levelOK, Found: a.Retention.String()}
	switch {
	case a.Retention <= longestDelay:
		f.Level, f.Means = levelBad, "messages are gone before their time comes: steps are never made"
	case a.Retention <= time.Duration(max(a.Receives, 1))*a.Visibility:
		f.Level, f.Means = levelWarning, "a message that fails is gone before it is a dead letter: nobody hears of it"
	default:
		return f
	}
	f.Do = "make it a day, as the template does"
	return f
}

func redrive(a sqs.About) finding {
	f := finding{Check: "dead-letter queue", Level: levelOK, Found: fmt.Sprintf("%s, after %d tries", a.Queue, a.Receives)}
	switch {
	case a.Queue == "":
		f.Level, f.Found, f.Means = levelWarning, "none", "nobody sees steps that fail again and again; the re-fetch looks after their orders"
	case a.Receives < leastTries:
		f.Level, f.Means = levelWarning, "a few moments without a free function make dead letters of good messages"
	default:
		return f
	}
	f.Do = "give the queue a redrive policy with a dead-letter queue and maxReceiveCount 5"
	return f
}

func deadLetters(a sqs.About) finding {
	const check = "dead letters"
	switch {
	case a.Unknown != nil:
		return finding{Check: check, Level: levelInfo, Found: a.Unknown.Error(), Means: "how many there are is not known"}
	case a.Dead > 0:
		return finding{Check: check, Level: levelWarning, Found: fmt.Sprint(a.Dead), Means: "as many steps have failed again and again; the re-fetch looks after their orders",
			Do: "look in the pull function's log for the reason (docs/aws.md, Dead letters)"}
	}
	return finding{Check: check, Level: levelOK, Found: "none"}
}
