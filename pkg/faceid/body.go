package faceid

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// exchange is one request under way. Its errors are safe to show.
type exchange struct {
	parent context.Context // the caller's
	ctx    context.Context // the request's
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
	res    *http.Response
	kept   atomic.Bool   // it went out on a connection used before
	heard  atomic.Bool   // a byte of the reply came
	waited time.Duration // for the body
	bytes  int64         // of the body
}

// begin sends the request and waits for the reply's header.
func (a *API) begin(req *http.Request) (*exchange, error) {
	parent := req.Context()
	ctx, cancel := context.WithCancelCause(parent)
	x := &exchange{parent: parent, ctx: ctx, cancel: cancel, stall: a.limits.Stall}
	x.timer = time.AfterFunc(x.stall, func() { cancel(errStalled) })
	x.timer.Stop()
	sendOnce(req)
	res, err := a.client.Do(x.watch(req)) //nolint:bodyclose // end does
	if err != nil {
		died := x.died(err)
		if err = x.explain(err); died {
			err = fmt.Errorf("%w: %w", errConnDied, err)
		}
		cancel(nil)
		return nil, err
	}
	x.res = res
	return x, nil
}

// end gives the connection back, or cuts it where the body was not read to its end.
func (x *exchange) end() {
	x.timer.Stop()
	_ = x.res.Body.Close()
	x.cancel(nil)
}

// explain makes an error of net/http safe, and says who is to blame for a cancelled request.
func (x *exchange) explain(err error) error {
	switch {
	case x.parent.Err() != nil:
		return x.parent.Err()
	case errors.Is(context.Cause(x.ctx), errStalled):
		return errStalled
	}
	return safeCause(err)
}

// Beyond the first minute of waiting a body must have come at eight kilobytes a second at least: a trickle would hold its place
// for hours, and a few of them everyone's.
const (
	slowTime = time.Minute
	slowRate = 8 << 10 // bytes a second
)

// Read reads the raw body, and gives it up when not a byte comes for the stall time, or only a trickle. The time that the
// caller takes between two reads does not count.
func (x *exchange) Read(p []byte) (int, error) {
	x.timer.Reset(x.stall)
	began := time.Now()
	n, err := x.res.Body.Read(p)
	x.timer.Stop()
	x.waited += time.Since(began)
	x.bytes += int64(n)
	if err == nil && x.waited > slowTime && x.bytes < int64(x.waited.Seconds())*slowRate {
		x.cancel(errTooSlow)
		return n, errTooSlow
	}
	if err != nil && err != io.EOF {
		err = x.explain(err)
	}
	return n, err
}

// body is the reply's plain bytes: bounded before and after decompression, and gzip undone although we never ask for it,
// since proxies compress on their own.
func (x *exchange) body(limit int64) (io.Reader, error) {
	if x.res.ContentLength > limit {
		return nil, errTooLarge
	}
	raw := &limitedReader{r: x, left: limit}
	switch encoding := strings.ToLower(strings.TrimSpace(x.res.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return raw, nil
	case "gzip", "x-gzip":
		zr, err := gzip.NewReader(raw)
		if err == io.EOF {
			err = errCut
		}
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
		return &limitedReader{r: zr, left: limit}, nil
	default:
		return nil, errors.New("reply has an unknown Content-Encoding")
	}
}

// limitedReader fails, other than io.LimitReader, when there is more than the limit.
type limitedReader struct {
	r    io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n, errTooLarge
	}
	return n, err
}
