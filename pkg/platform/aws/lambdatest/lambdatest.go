// Package lambdatest runs a compiled Lambda function as Lambda does: a process that asks the runtime API for events ("Using the
// Lambda runtime API", version 2018-06-01), over real HTTP on 127.0.0.1.
//
// A Function is one execution environment: it takes one event at a time. Its process is killed when an event's time is over,
// and a crash ends the event that was under way; either way the next event starts the process anew, which is a cold start.
// What real Lambda does beside that is not done here: the process is not frozen between events, and keeps its TMPDIR.
//
//	fn := lambdatest.Start(t, "bin/bootstrap", "KYC_APP_ID=TIDA0001", …)
//	response, failed := fn.Invoke(ctx, event, 10*time.Second)
package lambdatest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// initTime is how long a process may take until it asks for its first event ("Lambda execution environment lifecycle").
const initTime = 10 * time.Second

// Function is a function with one execution environment. It is stopped when the test ends.
type Function struct {
	t      testing.TB
	binary string
	env    []string
	output *os.File

	turn sync.Mutex // one event at a time

	mu      sync.Mutex
	process *process
	starts  int
}

// Error is an event that failed, as Lambda tells its invoker.
type Error struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// The types of the errors that Lambda makes itself. Others are the function's own.
const (
	TimedOut = "Sandbox.Timedout"  // the event's time was over, and the process was killed
	Exited   = "Runtime.ExitError" // the process ended
)

// Error implements error.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Start starts a function's process. The environment is what Lambda gives every function, in region us-east-1 with
// credentials that are not secret, and env, which goes before it ("NAME=value"); nothing of the test's own environment.
func Start(t testing.TB, binary string, env ...string) *Function {
	t.Helper()
	output, err := os.OpenFile(filepath.Join(t.TempDir(), "output"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f := &Function{t: t, binary: binary, output: output}
	f.env = append([]string{
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=testsecret", "AWS_SESSION_TOKEN=",
		"AWS_EXECUTION_ENV=AWS_Lambda_provided.al2023", "AWS_LAMBDA_FUNCTION_NAME=function", "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand", "AWS_LAMBDA_LOG_FORMAT=Text",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/function", "AWS_LAMBDA_LOG_STREAM_NAME=stream", "_HANDLER=bootstrap",
		"LAMBDA_TASK_ROOT=" + filepath.Dir(binary), "LAMBDA_RUNTIME_DIR=/var/runtime", "LANG=en_US.UTF-8", "TZ=:UTC",
		"PATH=/usr/local/bin:/usr/bin:/bin", "TMPDIR=" + t.TempDir(),
	}, env...)
	t.Cleanup(f.close)
	f.running()
	return f
}

// Invoke gives the function an event, and waits until it has answered and asked for the next one. The process is killed when
// the time is over, or when ctx ends.
func (f *Function) Invoke(ctx context.Context, event []byte, timeout time.Duration) ([]byte, *Error) {
	f.turn.Lock()
	defer f.turn.Unlock()
	p := f.running()
	if failed := p.initialised(ctx); failed != nil {
		p.kill()
		return nil, failed
	}
	return p.invoke(ctx, event, timeout)
}

// running gives the process, started anew if it has ended.
func (f *Function) running() *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.process == nil || f.process.over() {
		f.process = start(f.t, f.binary, f.env, f.output)
		f.starts++
	}
	return f.process
}

func (f *Function) last() *process {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.process
}

// Kill ends the process as a crash does, also in the middle of an event. It returns when the process is gone.
func (f *Function) Kill() { f.last().kill() }

// PID is the process's id, 0 if it has ended.
func (f *Function) PID() int {
	p := f.last()
	if p.over() {
		return 0
	}
	return p.cmd.Process.Pid
}

// Starts is how many processes there were: cold starts.
func (f *Function) Starts() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.starts
}

// Init is how long the last process took from its start until it asked for its first event, 0 if it has not yet.
func (f *Function) Init() time.Duration { return f.last().init() }

// Logs is all that the processes wrote so far, stdout and stderr as they came.
func (f *Function) Logs() string {
	text, err := os.ReadFile(f.output.Name())
	if err != nil {
		f.t.Errorf("read output of %s: %v", f.binary, err)
	}
	return string(text)
}

// Metric gives every value of a metric that was written in CloudWatch's embedded metric format, in order.
func (f *Function) Metric(name string) (values []float64) {
	for line := range strings.Lines(f.Logs()) {
		var members map[string]any
		if json.Unmarshal([]byte(line), &members) != nil || members["_aws"] == nil {
			continue
		}
		if value, ok := members[name].(float64); ok {
			values = append(values, value)
		}
	}
	return values
}

func (f *Function) close() {
	f.last().kill()
	if err := f.output.Close(); err != nil {
		f.t.Error(err)
	}
}

func timedOut(timeout time.Duration) *Error {
	return &Error{TimedOut, fmt.Sprintf("Task timed out after %.2f seconds", timeout.Seconds())}
}
