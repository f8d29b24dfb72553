package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/rpc"
	"path/filepath"
	"strconv"
	"time"
)

// scfFunctions measures each SCF function's cold start, from its start to its answer to Ping, beside a function of scf-go-lib
// that does nothing; and how large its binary is. Their variables come with an invocation, so there are none yet.
func scfFunctions(ctx context.Context, s settings, t *table) error {
	return compareFunctions(ctx, s, t, cloud{name: "SCF", folder: "functions/tencent/", bare: "cmd/kycvault-bench/barescf", arch: "amd64", start: pingedStart})
}

// pollPing is how often a function is dialled until it listens: a small part of its start.
const pollPing = 200 * time.Microsecond

// pingedStart starts a function, and ends it when it has answered Ping.
func pingedStart(ctx context.Context, program string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, longestStart)
	defer cancel()
	p, err := begin(ctx, []string{"_LAMBDA_SERVER_PORT=" + strconv.Itoa(port)}, program)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { _, err := p.wait(); ended <- err }()
	for {
		client, err := rpc.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			err = client.Call("Function.Ping", struct{}{}, &struct{}{})
			_ = client.Close()
			_ = p.cmd.Process.Kill()
			if <-ended == nil {
				return errEndedItself
			}
			return err
		}
		select {
		case err := <-ended:
			return fmt.Errorf("%s listens nowhere: %w", filepath.Base(program), errors.Join(errors.New("it ended"), err))
		case <-time.After(pollPing):
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}
