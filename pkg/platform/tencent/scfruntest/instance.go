package scfruntest

import (
	"context"
	"fmt"
	"io"
	"net/rpc"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/kycvault/kycvault/pkg/peertest"
)

const (
	startTime = 30 * time.Second // how long an instance may take to answer Ping: a loaded machine is slow
	pollEvery = time.Millisecond // how often it is dialled until then
	exitTime  = 5 * time.Second  // how long a connection that broke may be ahead of the end of its process
	portTries = 5                // a port that was free may be taken before the function listens
)

// instance is a process of a function.
type instance struct {
	cmd    *exec.Cmd
	client *rpc.Client
	ready  time.Duration // from the start to the answer to Ping
	ended  chan struct{}
}

// startInstance starts a process and waits until it answers Ping.
func startInstance(t testing.TB, program, temp string, logs io.Writer) (i *instance, err error) {
	for range portTries {
		if i, err = tryInstance(program, peertest.FreePort(t), temp, logs); err == nil {
			return i, nil
		}
	}
	return nil, err
}

func tryInstance(program string, port int, temp string, logs io.Writer) (*instance, error) {
	i := &instance{cmd: exec.Command(program), ended: make(chan struct{})}
	i.cmd.Env = []string{"_LAMBDA_SERVER_PORT=" + strconv.Itoa(port), "TMPDIR=" + temp}
	i.cmd.Stdout, i.cmd.Stderr = logs, logs
	begin := time.Now()
	if err := i.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { defer close(i.ended); _ = i.cmd.Wait() }()
	for time.Since(begin) < startTime && i.runs() {
		client, err := rpc.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			time.Sleep(pollEvery)
			continue
		}
		i.client = client
		if err = client.Call("Function.Ping", messages.PingRequest{}, &messages.PingResponse{}); err == nil {
			i.ready = time.Since(begin)
			return i, nil
		}
		break
	}
	i.kill()
	return nil, fmt.Errorf("no answer to Ping on port %d: %s", port, i.cmd.ProcessState)
}

// runs tells whether the process has not ended.
func (i *instance) runs() bool {
	select {
	case <-i.ended:
		return false
	default:
		return true
	}
}

// kill ends the process at once, and waits for it.
func (i *instance) kill() {
	_ = i.cmd.Process.Kill()
	<-i.ended
	if i.client != nil {
		_ = i.client.Close()
	}
}

// invoke makes one call, and gives up on the instance when the time is over or its caller is gone.
func (i *instance) invoke(ctx context.Context, r messages.InvokeRequest, limit time.Duration) (messages.InvokeResponse, error) {
	var answer messages.InvokeResponse
	call := i.client.Go("Function.Invoke", r, &answer, make(chan *rpc.Call, 1))
	over := time.NewTimer(limit)
	defer over.Stop()
	select {
	case <-over.C:
		return messages.InvokeResponse{}, ErrTimeLimit
	case <-ctx.Done():
		return messages.InvokeResponse{}, ctx.Err()
	case <-call.Done:
	}
	if call.Error == nil {
		return answer, nil
	}
	select {
	case <-i.ended:
		return messages.InvokeResponse{}, ErrExited
	case <-time.After(exitTime):
		return messages.InvokeResponse{}, fmt.Errorf("invoke: %w", call.Error)
	}
}
