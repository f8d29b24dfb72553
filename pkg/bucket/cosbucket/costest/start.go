package costest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// TB is the part of testing.TB that Start needs, so that this package does not import testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Running is a Server that answers on a free port of 127.0.0.1.
type Running struct {
	*Server
	URL string // the bucket's own URL: http://127.0.0.1:PORT
}

// Start runs a Server until the test ends.
func Start(tb TB, c Config) *Running {
	tb.Helper()
	s, err := New(c)
	if err != nil {
		tb.Fatalf("start COS test server: %v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("start COS test server: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	tb.Cleanup(func() {
		cancel() // ends delays
		closing := server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			tb.Fatalf("COS test server: %v", err)
		}
		if err := errors.Join(closing, s.Close()); err != nil {
			tb.Fatalf("stop COS test server: %v", err)
		}
	})
	return &Running{Server: s, URL: "http://" + ln.Addr().String()}
}
