package cosbucket

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// clock is the store's, taken from the Date of its answers: whole seconds.
type clock struct {
	now  func() time.Time
	last atomic.Pointer[sighting]
}

// sighting is a reading of the store's clock and of ours at the same time.
type sighting struct{ theirs, ours time.Time }

// sightingLife is how long a reading is good for: our clock is trusted to go right for as long.
const sightingLife = time.Minute

// requestIDHeader is in every answer of COS (COS "Common Response Headers"), and in none of a proxy that answers in its place.
const requestIDHeader = "X-Cos-Request-Id"

func (c *clock) saw(res *http.Response) {
	if theirs, ok := dateOf(res); ok {
		c.last.Store(&sighting{theirs: theirs, ours: c.now()})
	}
}

// dateOf gives the Date of an answer of COS: one with a request id, or a good one, since some domains in front of a bucket hand on
// no headers of COS, and a proxy that says no in its place has a clock of its own.
func dateOf(res *http.Response) (time.Time, bool) {
	if good := res.StatusCode >= 200 && res.StatusCode < 300; !good && res.Header.Get(requestIDHeader) == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(res.Header.Get("Date"))
	return t, err == nil
}

// read continues the last reading, if that is fresh. A machine that slept, or whose clock was set, shows in the difference
// between the wall clock and the monotonic one.
func (c *clock) read() (time.Time, bool) {
	last := c.last.Load()
	if last == nil {
		return time.Time{}, false
	}
	now := c.now()
	passed, wall := now.Sub(last.ours), now.Round(0).Sub(last.ours.Round(0))
	if passed < 0 || passed > sightingLife || (passed-wall).Abs() > time.Second {
		return time.Time{}, false
	}
	return last.theirs.Add(passed), true
}

var errNoDate = errors.New("no answer of COS had a date")

// Now implements bucket.Bucket: the Date of the last answer, or of one more when that was more than a minute ago. It may
// lag by a second. An answer that refuses has a date too, so no right is needed.
func (b *Bucket) Now(ctx context.Context) (time.Time, error) {
	if t, ok := b.clock.read(); ok {
		return t, ctx.Err()
	}
	_, err := b.do(ctx, func() (*cos.Response, error) { return b.sdk.Bucket.Head(ctx) })
	if t, ok := b.clock.read(); ok && ctx.Err() == nil {
		return t, nil
	}
	return time.Time{}, bucket.Wrap("read clock of bucket", b.config.Bucket, errors.Join(errNoDate, err))
}
