package faceidtest

import "context"

// TB is the part of testing.TB that Start needs, so that this package does not import testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Running is a Server that answers on a free port of 127.0.0.1.
type Running struct {
	*Server
	URL string // http://127.0.0.1:PORT
}

// Start runs a Server until the test ends.
func Start(tb TB, c Config) *Running {
	tb.Helper()
	ln, err := Listen("127.0.0.1:0")
	if err != nil {
		tb.Fatalf("start fake service: %v", err)
	}
	r := &Running{Server: New(c), URL: "http://" + ln.Addr().String()}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, ln) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Fatalf("fake service: %v", err)
		}
	})
	return r
}
