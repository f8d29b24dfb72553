package lambdatest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/platform/aws/lambdatest"
)

// start compiles the function of testdata, and starts it.
func start(t *testing.T, env ...string) *lambdatest.Function {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "bootstrap")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-o", binary, "./testdata/function")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return lambdatest.Start(t, binary, env...)
}

const soon = 20 * time.Second

// TestEvents: good and bad ends of an event, and what the process does after each.
func TestEvents(t *testing.T) {
	t.Setenv("PLANTED", "the test's own")
	fn := start(t)
	for _, c := range []struct {
		event, response, failed string
		starts                  int
	}{
		{"work", `"did work"`, "", 1},
		{"error", "", "errorString: no luck", 1},
		{"arn", `"arn:aws:lambda:us-east-1:123456789012:function:function Root= "`, "", 1},
		{"left", `"5m0s"`, "", 1},
		{"panic", "", "string: no nerves", 1},
		{"work", `"did work"`, "", 2},
		{"exit", "", "Runtime.ExitError: Runtime exited with error: exit status 4", 2},
		{"large", "", "Function.ResponseSizeTooLarge: Response payload size exceeded", 3},
		{"metric", `"did metric"`, "", 4}, // aws-lambda-go exits after a response that was refused
	} {
		timeout := soon
		if c.event == "left" {
			timeout = 5 * time.Minute
		}
		response, failed := fn.Invoke(t.Context(), []byte(`"`+c.event+`"`), timeout)
		text := ""
		if failed != nil {
			text = failed.Error()
		}
		if string(response) != c.response || !strings.HasPrefix(text, c.failed) || text != "" && c.failed == "" || fn.Starts() != c.starts {
			t.Errorf("%s: %.100s, %q, %d starts", c.event, response, text, fn.Starts())
		}
	}
	if got := fn.Metric("Done"); len(got) != 1 || got[0] != 2 || !strings.Contains(fn.Logs(), "no nerves") {
		t.Errorf("metric %v, logs:\n%s", got, fn.Logs())
	}
	if fn.Init() <= 0 || fn.PID() == 0 {
		t.Errorf("init took %s, process %d", fn.Init(), fn.PID())
	}
}

// TestDeadline: the process is killed when the time is over, and the next event starts it anew.
func TestDeadline(t *testing.T) {
	fn := start(t)
	before := fn.PID()
	_, failed := fn.Invoke(t.Context(), []byte(`"sleep"`), 300*time.Millisecond)
	if failed == nil || failed.Type != lambdatest.TimedOut || failed.Message != "Task timed out after 0.30 seconds" || fn.PID() != 0 {
		t.Errorf("%v, process %d", failed, fn.PID())
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	if _, failed := fn.Invoke(ctx, []byte(`"sleep"`), time.Hour); failed == nil || failed.Type != "Invoke.Canceled" {
		t.Errorf("cancelled: %v", failed)
	}
	if got, failed := fn.Invoke(t.Context(), []byte(`"work"`), soon); failed != nil || string(got) != `"did work"` || fn.PID() == before {
		t.Errorf("after it: %s, %v, process %d", got, failed, fn.PID())
	}
}

// TestKill: in the middle of an event, and between two.
func TestKill(t *testing.T) {
	fn := start(t)
	ended := make(chan *lambdatest.Error)
	go func() {
		_, failed := fn.Invoke(context.Background(), []byte(`"sleep"`), time.Hour)
		ended <- failed
	}()
	for !strings.Contains(fn.Logs(), "asleep") {
		time.Sleep(5 * time.Millisecond)
	}
	fn.Kill()
	if failed := <-ended; failed == nil || failed.Error() != "Runtime.ExitError: Runtime exited with error: signal: killed" {
		t.Errorf("in the middle: %v", failed)
	}
	for range 2 {
		if got, failed := fn.Invoke(t.Context(), []byte(`"work"`), soon); failed != nil || string(got) != `"did work"` {
			t.Errorf("after it: %s, %v", got, failed)
		}
		fn.Kill()
	}
	if fn.Starts() != 3 {
		t.Errorf("%d starts, want 3", fn.Starts())
	}
}

// TestInitFails: a process that ends before it asks for an event fails each event, with a new try for each.
func TestInitFails(t *testing.T) {
	fn := start(t, "EXIT=yes")
	for range 2 {
		_, failed := fn.Invoke(t.Context(), []byte(`"work"`), soon)
		if failed == nil || failed.Error() != "Runtime.ExitError: Runtime exited with error: exit status 3" || fn.Init() != 0 {
			t.Errorf("%v, init %s", failed, fn.Init())
		}
	}
}
