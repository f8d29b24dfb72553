// Package scfruntest runs a compiled function as SCF's Go runtime does: it starts the binary with a port in
// _LAMBDA_SERVER_PORT and nothing else of its variables, waits until it answers Ping, and sends it each event by net/rpc,
// with the messages of scf-go-lib. Variables and credentials come with each invocation, as in SCF.
//
// An instance works on one invocation at a time; when all are busy another one is started, up to a number. One that does not
// answer in time, or says that it should, is ended; the next invocation starts another.
package scfruntest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction/messages"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// Options say what to run, and how.
type Options struct {
	Program     string            // the binary
	Environment map[string]string // delivered with each invocation, never to the process itself
	TimeLimit   time.Duration     // of an invocation; 0 is a minute
	Instances   int               // at most at once; what comes then waits. 0 is one
	Name        string            // of the function; "" is "function"
	Region      string            // "" is ap-guangzhou
}

// Function is a deployed function.
type Function struct {
	t       testing.TB
	options Options
	temp    string        // their TMPDIR
	slots   chan struct{} // a place an instance at work

	mu          sync.Mutex
	environment map[string]string
	idle        []*instance
	busy        []*instance
	starts      []time.Duration
	requests    int
	logs        peertest.Log
}

// How an invocation can fail.
var (
	// ErrTimeLimit says that the invocation took too long; its instance was ended.
	ErrTimeLimit = errors.New("the invocation took longer than its time limit")
	// ErrExited says that the instance ended before it answered.
	ErrExited = errors.New("the function ended before it answered")
)

// Error is what the function itself answered in place of a payload.
type Error struct {
	Message, Type string
	ShouldExit    bool // the runtime ends the instance then
}

// Error implements error.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// New deploys a function. Its instances end with the test.
func New(t testing.TB, o Options) *Function {
	if o.TimeLimit == 0 {
		o.TimeLimit = time.Minute
	}
	if o.Name == "" {
		o.Name = "function"
	}
	if o.Region == "" {
		o.Region = "ap-guangzhou"
	}
	f := &Function{t: t, options: o, temp: t.TempDir(), slots: make(chan struct{}, max(1, o.Instances)), environment: maps.Clone(o.Environment)}
	if f.environment == nil {
		f.environment = make(map[string]string)
	}
	t.Cleanup(f.Kill) // before the folder goes
	return f
}

// Set changes variables from the next invocation on; an empty value takes a variable away.
func (f *Function) Set(environment map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, value := range environment {
		if f.environment[name] = value; value == "" {
			delete(f.environment, name)
		}
	}
}

// Invoke lets the function work on an event, and gives its answer. The error is an *Error, ErrTimeLimit, ErrExited, or why
// no instance could be started.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	i, err := f.take()
	if err != nil {
		return nil, err
	}
	answer, err := i.invoke(ctx, f.request(event), f.options.TimeLimit)
	if err == nil && answer.Error != nil {
		err = &Error{Message: answer.Error.Message, Type: answer.Error.Type, ShouldExit: answer.Error.ShouldExit}
	}
	f.put(i, err)
	return answer.Payload, err
}

// Start starts an instance and gives the time from there until it answered Ping.
func (f *Function) Start() (time.Duration, error) {
	i, err := f.start()
	if err != nil {
		return 0, err
	}
	f.put(i, nil)
	return i.ready, nil
}

// Kill ends all instances as a power cut does, also at work. The next invocation starts another.
func (f *Function) Kill() {
	f.mu.Lock()
	all := append(f.idle, f.busy...)
	f.idle = nil
	f.mu.Unlock()
	for _, i := range all {
		i.kill()
	}
}

// PIDs gives the processes that run.
func (f *Function) PIDs() (pids []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range append(slices.Clone(f.idle), f.busy...) {
		pids = append(pids, i.cmd.Process.Pid)
	}
	return pids
}

// Starts gives, for each instance that was started so far, the time from its start until it answered Ping.
func (f *Function) Starts() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.starts)
}

// Logs gives what all instances wrote to standard output and standard error.
func (f *Function) Logs() string { return f.logs.String() }

// take gives an instance that waits, or starts one.
func (f *Function) take() (*instance, error) {
	f.mu.Lock()
	for len(f.idle) > 0 {
		i := f.idle[len(f.idle)-1]
		f.idle = f.idle[:len(f.idle)-1]
		if i.runs() {
			f.busy = append(f.busy, i)
			f.mu.Unlock()
			return i, nil
		}
	}
	f.mu.Unlock()
	return f.start()
}

func (f *Function) start() (*instance, error) {
	i, err := startInstance(f.t, f.options.Program, f.temp, &f.logs)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", f.options.Name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy = append(f.busy, i)
	f.starts = append(f.starts, i.ready)
	return i, nil
}

// put takes an instance back after an invocation.
func (f *Function) put(i *instance, err error) {
	if told, ok := errors.AsType[*Error](err); err != nil && (!ok || told.ShouldExit) {
		i.kill()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy = slices.DeleteFunc(f.busy, func(b *instance) bool { return b == i })
	if i.runs() {
		f.idle = append(f.idle, i)
	}
}

// request is an invocation as the runtime sends it.
func (f *Function) request(event []byte) messages.InvokeRequest {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	environment, _ := json.Marshal(f.environment) // strings
	end := time.Now().Add(f.options.TimeLimit)
	return messages.InvokeRequest{
		Payload: event, RequestId: fmt.Sprintf("00000000-0000-4000-8000-%012d", f.requests),
		Deadline:    messages.InvokeRequest_Timestamp{Seconds: end.Unix(), Nanos: int64(end.Nanosecond())},
		Environment: string(environment), Namespace: "default", FunctionName: f.options.Name, FunctionVersion: "$LATEST",
		MemoryLimitInMb: 128, TimeLimitInMs: int32(f.options.TimeLimit.Milliseconds()),
		TencentcloudRegion: f.options.Region, TencentcloudAppID: "1250000000", TencentcloudUin: "100000000000",
	}
}
