package cosbucket

import (
	"context"
	"net/http"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"
)

// ourPauses lie between the tries of one call: four in all. A store that is busy for longer is the caller's matter: the order
// has its marker, and is looked at again.
func ourPauses() []time.Duration {
	return []time.Duration{200 * time.Millisecond, 600 * time.Millisecond, 1800 * time.Millisecond}
}

// do makes a call until it is answered for good. Its error is explained.
func (b *Bucket) do(ctx context.Context, call func() (*cos.Response, error)) (*cos.Response, error) {
	for n := 0; ; n++ {
		res, err := b.once(ctx, call)
		if err == nil || !b.again(ctx, err, n) {
			return res, err
		}
	}
}

// once makes a call once.
func (b *Bucket) once(ctx context.Context, call func() (*cos.Response, error)) (*cos.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	res, err := call()
	return res, b.explain(ctx, res, err)
}

// again tells whether another try can help, after the pause before it.
func (b *Bucket) again(ctx context.Context, err error, n int) bool {
	if n >= len(b.pauses) || ctx.Err() != nil {
		return false
	}
	switch kindOf(err) {
	case Busy, Unreachable:
	case BadCredentials:
		if n > 0 { // they may have changed just now: each try asks for them
			return false
		}
	default:
		return false
	}
	return b.pause(ctx, b.pauses[n])
}

// pause waits for half the time and up to the other half, as the clock's nanoseconds have it: so that many who were
// refused together do not come back together.
func (b *Bucket) pause(ctx context.Context, d time.Duration) bool {
	d = d/2 + time.Duration(b.config.Now().Nanosecond())%(d/2)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// passes tells of a status whether the same request may be answered otherwise in a moment.
func passes(status int) bool {
	return status >= 500 && status != http.StatusNotImplemented || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}
