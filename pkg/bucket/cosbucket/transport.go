package cosbucket

import (
	"context"
	"net"
	"net/http"
	"time"
)

// How long a network may take. There is no limit to a whole request, since an object may be large; what must not be is that
// nothing moves.
const (
	dialTime   = 5 * time.Second
	headerTime = 30 * time.Second // from the last byte sent to the answer's header
	stallTime  = 30 * time.Second // without a byte in either direction while a request is under way
	idleTime   = 20 * time.Second // shorter than stallTime, and than what servers and frozen functions let die unseen
)

// newTransport speaks HTTP/1.1 only: one large body a connection gains nothing from HTTP/2's windows.
func newTransport() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           dial(stallTime),
		TLSHandshakeTimeout:   dialTime,
		ResponseHeaderTimeout: headerTime,
		IdleConnTimeout:       idleTime,
		MaxIdleConnsPerHost:   32,
		DisableCompression:    true,
		WriteBufferSize:       64 << 10,
		Protocols:             protocols,
	}
}

// dial gives connections that break when nothing moves for the stall time.
func dial(stall time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: dialTime, KeepAlive: 30 * time.Second}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &movingConn{Conn: c, stall: stall}, nil
	}
}

// movingConn moves its deadline with each call. net/http reads all the time, also while it writes: so a write moves the
// deadline of the read that waits, and a long upload is no stall.
type movingConn struct {
	net.Conn
	stall time.Duration
}

func (c *movingConn) Read(p []byte) (int, error) {
	_ = c.SetReadDeadline(time.Now().Add(c.stall)) // where it fails, reading does, and tells why
	return c.Conn.Read(p)
}

func (c *movingConn) Write(p []byte) (int, error) {
	_ = c.SetDeadline(time.Now().Add(c.stall))
	return c.Conn.Write(p)
}
