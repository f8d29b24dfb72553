package s3bucket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// The time-outs, chosen for a client that may sit beside the store or behind a slow link. There is none for a whole call:
// 200 MB may take an hour, and the caller's context bounds it.
const (
	connectTime = 5 * time.Second  // a SYN that is lost is sent again after 1 and 3 s
	tlsTime     = 10 * time.Second // two round trips and a signature
	idleTime    = 50 * time.Second // below the minute after which many a gateway drops a silent connection
	// maxIdle keeps a connection for each order that is pulled at once (16), and as many for listings and markers.
	maxIdle = 32
)

// newClient makes a client for one host and large bodies. HTTP/1.1 only: one large body a connection gains nothing from
// HTTP/2's windows, and S3 offers none. Nothing is compressed: a digest is of the plain bytes.
func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: connectTime, KeepAlive: 30 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    tlsTime,
		ExpectContinueTimeout:  time.Second, // bodies of 2 MB and more ask first: a taken key costs no upload
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		Protocols:              protocols,
	}}
}

// door is where each request goes out and each answer comes in: the SDK's HTTPClient. It gives up what stands still, and
// reads the store's clock.
type door struct {
	client *http.Client
	clock  *clock
}

// Do implements s3.HTTPClient. A redirect is handed back: a signature is for the host that it was made for.
func (d *door) Do(req *http.Request) (*http.Response, error) {
	parent := req.Context()
	ctx, cancel := context.WithCancelCause(parent)
	w := newWatch(cancel, req.ContentLength)
	req = req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &upload{req.Body, w}
	}
	client := *d.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	sent := d.clock.local()
	res, err := client.Do(req)
	w.rest()
	if err != nil {
		defer cancel(nil)
		return nil, blame(parent, ctx, err)
	}
	d.clock.note(res.Header.Get("Date"), sent)
	res.Body = &download{ReadCloser: res.Body, watch: w, parent: parent, ctx: ctx}
	return res, nil
}

// blame gives the reason for an error of net/http: a caller who left, or the watch.
func blame(parent, ctx context.Context, err error) error {
	if parent.Err() != nil {
		return parent.Err()
	}
	if cause, ok := errors.AsType[*stalledError](context.Cause(ctx)); ok {
		return cause
	}
	return err
}
