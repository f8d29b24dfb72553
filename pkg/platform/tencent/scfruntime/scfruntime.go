// Package scfruntime serves a handler to SCF's Go runtime, as StartHandler of scf-go-lib does: the same calls, with that
// library's messages and context.
//
// It stands here for the size and the start of a function. The library serves through net/rpc, which finds its methods by
// reflection; so the linker has to keep every exported method of every type, those of Tencent's SDKs too, and the functions
// become 12.2 MB instead of 9.0. What goes over the wire is little: requests and answers of net/rpc in gob. A test holds both
// side by side, and net/rpc's own client is what tests call with.
package scfruntime

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"reflect"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"
	"github.com/tencentyun/scf-go-lib/functioncontext"
)

// portVariable names the port that the runtime dials.
const portVariable = "_LAMBDA_SERVER_PORT"

// Handler works on events. Its error is what the platform logs and counts, and what a synchronous caller gets.
type Handler interface {
	Invoke(ctx context.Context, event []byte) ([]byte, error)
}

// Start serves a handler until the process is ended. It never returns.
func Start(h Handler) {
	err := Serve(h, net.JoinHostPort("localhost", os.Getenv(portVariable)))
	fmt.Fprintln(os.Stderr, "serve SCF's runtime:", err)
	os.Exit(1)
}

// Serve listens on an address and serves a handler there. The error says why it ended.
func Serve(h Handler, address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go newConnection(conn, h).serve()
	}
}

// invoke lets the handler work on one invocation.
func invoke(h Handler, r messages.InvokeRequest) (answer messages.InvokeResponse) {
	defer func() {
		if recover() != nil { // what was thrown may hold anything
			answer = failure("the handler panicked", "panic")
			answer.Error.ShouldExit = true
		}
	}()
	fc, err := contextOf(r)
	if err != nil {
		return failure(err.Error(), nameOf(err))
	}
	for name, value := range fc.Environment {
		_ = os.Setenv(name, value) // fails for names that no environment can have
	}
	ctx, cancel := context.WithDeadline(context.Background(), time.Unix(r.Deadline.Seconds, r.Deadline.Nanos))
	defer cancel()
	payload, err := h.Invoke(functioncontext.NewContext(ctx, fc), r.Payload)
	if err != nil {
		return failure(err.Error(), nameOf(err))
	}
	return messages.InvokeResponse{Payload: payload}
}

func failure(message, kind string) messages.InvokeResponse {
	return messages.InvokeResponse{Error: &messages.InvokeResponse_Error{Message: message, Type: kind}}
}

// contextOf is what an invocation says of itself.
func contextOf(r messages.InvokeRequest) (*functioncontext.FunctionContext, error) {
	fc := &functioncontext.FunctionContext{
		RequestID: r.RequestId, InvokedFunctionUnique: r.InvokedFunctionUnique, Namespace: r.Namespace,
		FunctionName: r.FunctionName, FunctionVersion: r.FunctionVersion, MemoryLimitInMb: r.MemoryLimitInMb,
		TimeLimitInMs: r.TimeLimitInMs, TencentcloudRegion: r.TencentcloudRegion, TencentcloudAppID: r.TencentcloudAppID,
		TencentcloudUin: r.TencentcloudUin, FunctionTrace: r.FunctionTrace,
	}
	if len(r.ClientContext) > 0 && json.Unmarshal(r.ClientContext, &fc.ClientContext) != nil {
		return nil, fmt.Errorf("read invocation: its client context is not of its form")
	}
	if r.Environment != "" && json.Unmarshal([]byte(r.Environment), &fc.Environment) != nil {
		return nil, fmt.Errorf("read invocation: its environment is not an object of strings")
	}
	return fc, nil
}

// nameOf is the name of an error's type, as scf-go-lib gives it.
func nameOf(err error) string {
	t := reflect.TypeOf(err)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}
