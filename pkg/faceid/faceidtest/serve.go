package faceidtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// ErrNotLoopback says that an address is not this machine's own: the fake never listens anywhere else.
var ErrNotLoopback = errors.New("the fake service listens on a loopback address only")

// Listen opens a loopback address, "127.0.0.1:0" for any free port.
func Listen(addr string) (net.Listener, error) {
	if !isLoopback(addr) {
		return nil, fmt.Errorf("listen: %w", ErrNotLoopback)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if !isLoopback(ln.Addr().String()) { // "localhost" may be made to mean anything
		return nil, errors.Join(fmt.Errorf("listen: %w", ErrNotLoopback), ln.Close())
	}
	return ln, nil
}

// shutdownTime is how long replies under way get to end.
const shutdownTime = 5 * time.Second

// Serve answers on ln until ctx ends, which is no error; replies that stall or trickle end with it.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		if server.Shutdown(end) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(ln)
	if stop() {
		return fmt.Errorf("serve: %w", err)
	}
	<-stopped
	return nil
}

// ListenAndServe is Listen and Serve.
func (s *Server) ListenAndServe(ctx context.Context, addr string) error {
	ln, err := Listen(addr)
	if err != nil {
		return err
	}
	return s.Serve(ctx, ln)
}
