package faceid

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
)

// errConnDied says that a kept connection broke before a byte of the reply came: the server had most likely closed it
// while it was idle. Whether the request was heard is not known.
var errConnDied = errors.New("the kept connection had died")

// sendOnce keeps net/http from sending a request again by itself, as it does with a GET whose kept connection turns out
// to be dead: the copy would carry a nonce that the service may have seen, and a token call would be made twice. It
// leaves alone what has a body it can not get anew.
func sendOnce(req *http.Request) {
	if req.Body == nil || req.Body == http.NoBody {
		req.Body = noBytes{}
	}
	req.GetBody = nil
}

// noBytes is an empty body that net/http does not know to be one; nothing is sent for it.
type noBytes struct{}

func (noBytes) Read([]byte) (int, error) { return 0, io.EOF }
func (noBytes) Close() error             { return nil }

// watch notes whether a request went out on a kept connection, and whether anything came back.
func (x *exchange) watch(req *http.Request) *http.Request {
	return req.WithContext(httptrace.WithClientTrace(x.ctx, &httptrace.ClientTrace{
		GotConn:              func(info httptrace.GotConnInfo) { x.kept.Store(info.Reused) },
		GotFirstResponseByte: func() { x.heard.Store(true) },
	}))
}

// died tells whether err is a kept connection's death, and not a time-out or the caller's own end.
func (x *exchange) died(err error) bool {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return false
	}
	return x.kept.Load() && !x.heard.Load() && x.ctx.Err() == nil
}
