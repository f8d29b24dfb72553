package s3bucket

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// fresh is how long a comparison of the clocks counts: clocks drift by milliseconds meanwhile, and are set now and then.
const fresh = 2 * time.Minute

// clock knows how far the store's clock is ahead of this machine's.
//
// An answer's Date is a whole second, so one answer says: the offset is between Date minus now, and Date plus a second
// minus when the request was sent. Each further answer narrows this; one that contradicts it says that a clock was set.
type clock struct {
	local func() time.Time

	mu       sync.Mutex
	low      time.Duration
	high     time.Duration
	seen     time.Time // by the local wall clock, which goes on while a function is frozen
	compared bool
}

// note takes in the Date of an answer to a request that was sent then.
func (c *clock) note(date string, sent time.Time) {
	at, err := http.ParseTime(date)
	if err != nil {
		return // some answer without a clock; the next one has it
	}
	now := wall(c.local())
	low, high := at.Sub(now), at.Add(time.Second).Sub(wall(sent))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.isFresh(now) {
		if l, h := max(low, c.low), min(high, c.high); l <= h {
			low, high = l, h
		}
	}
	c.low, c.high, c.seen, c.compared = low, high, now, true
}

// isFresh tells whether the last comparison still counts.
func (c *clock) isFresh(now time.Time) bool {
	return c.compared && now.Sub(c.seen).Abs() < fresh
}

// now is the store's time, if it is known.
func (c *clock) now() (time.Time, bool) {
	now := wall(c.local())
	c.mu.Lock()
	defer c.mu.Unlock()
	return now.Add((c.low + c.high) / 2), c.isFresh(now)
}

// wall drops the monotonic reading: it stands still while a function is frozen.
func wall(t time.Time) time.Time { return t.Round(0) }

// Now implements bucket.Bucket. Where no answer was seen for minutes it makes a small request: any answer has the time, also
// one that refuses.
func (b *Bucket) Now(ctx context.Context) (time.Time, error) {
	if now, ok := b.clock.now(); ok {
		return now, nil
	}
	_, err := b.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &b.config.Bucket})
	if now, ok := b.clock.now(); ok {
		return now, nil
	}
	if err == nil {
		err = errors.New("its answers have no Date")
	}
	return time.Time{}, bucket.Wrap("read clock of bucket", b.config.Bucket, b.explain(ctx, "s3:ListBucket", err))
}
