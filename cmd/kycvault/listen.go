package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// checkListen refuses what can not be an address to listen on. The port must be there: an empty address is any free port on
// every interface of the machine, which nobody should get by leaving something out.
func checkListen(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return errors.New("--listen must be HOST:PORT, such as 127.0.0.1:8080")
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return errors.New("--listen must have a port from 0 (any free one) to 65535")
	}
	return nil
}

// listen opens an address that checkListen took.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %s: another program, perhaps another kycvault, has this address: %w", addr, syscall.EADDRINUSE)
	}
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}
