package scfruntime

import (
	"bytes"
	"context"
	"net"
	"net/rpc"
	"strings"
	"testing"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"
)

// talk is a connection of net/rpc's client to a handler.
func talk(t *testing.T, h Handler) *rpc.Client {
	t.Helper()
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); newConnection(there, h).serve() }()
	client := rpc.NewClient(here)
	t.Cleanup(func() { _ = client.Close(); <-done })
	return client
}

type handler func(ctx context.Context, event []byte) ([]byte, error)

func (h handler) Invoke(ctx context.Context, event []byte) ([]byte, error) { return h(ctx, event) }

// TestCallsOverlap: a call that takes long holds up no other one, Ping neither.
func TestCallsOverlap(t *testing.T) {
	release := make(chan struct{})
	client := talk(t, handler(func(_ context.Context, event []byte) ([]byte, error) {
		if string(event) == "slow" {
			<-release
		}
		return event, nil
	}))
	var slow, quick messages.InvokeResponse
	call := client.Go("Function.Invoke", messages.InvokeRequest{Payload: []byte("slow")}, &slow, nil)
	for range 3 {
		if err := client.Call("Function.Ping", messages.PingRequest{}, &messages.PingResponse{}); err != nil {
			t.Fatal(err)
		}
		if err := client.Call("Function.Invoke", messages.InvokeRequest{Payload: []byte("quick")}, &quick); err != nil || string(quick.Payload) != "quick" {
			t.Fatalf("%q, %v", quick.Payload, err)
		}
	}
	close(release)
	if <-call.Done; call.Error != nil || string(slow.Payload) != "slow" {
		t.Errorf("%q, %v", slow.Payload, call.Error)
	}
}

// TestUnknownMethods are refused, and the connection goes on.
func TestUnknownMethods(t *testing.T) {
	client := talk(t, handler(func(context.Context, []byte) ([]byte, error) { return nil, nil }))
	for _, method := range []string{"Function.Stop", "Function", "Other.Ping", ""} {
		err := client.Call(method, messages.InvokeRequest{Payload: []byte("x")}, &messages.InvokeResponse{})
		if err == nil || !strings.Contains(err.Error(), "can't find") {
			t.Errorf("%q: %v", method, err)
		}
	}
	if err := client.Call("Function.Ping", messages.PingRequest{}, &messages.PingResponse{}); err != nil {
		t.Error(err)
	}
}

// TestBadInvocations are answered with an error that repeats nothing of them.
func TestBadInvocations(t *testing.T) {
	client := talk(t, handler(func(context.Context, []byte) ([]byte, error) { panic("planted") }))
	for want, r := range map[string]messages.InvokeRequest{
		"its environment is not":    {Environment: `{"SECRET":1,"planted":"planted"}`},
		"its client context is not": {ClientContext: []byte(`"planted"`)},
		"the handler panicked":      {},
	} {
		var a messages.InvokeResponse
		if err := client.Call("Function.Invoke", r, &a); err != nil {
			t.Fatal(err)
		}
		if a.Error == nil || !strings.Contains(a.Error.Message, want) || strings.Contains(a.Error.Message, "planted") {
			t.Errorf("%+v, want %q", a.Error, want)
		}
	}
}

// TestGarbageEndsTheConnection, and nothing else.
func TestGarbageEndsTheConnection(t *testing.T) {
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() { defer close(done); newConnection(there, nil).serve() }()
	garbage := append([]byte{8}, bytes.Repeat([]byte{0xff}, 8)...) // a message of eight bytes that says nothing
	if _, err := here.Write(garbage); err != nil {
		t.Fatal(err)
	}
	<-done
}
