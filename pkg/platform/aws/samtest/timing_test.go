package samtest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

// What the code waits for, at most, before it gives up by itself: a function's time-out must come later.
const (
	ticketWait = 75 * time.Second // pkg/ticket: patience
	connect    = 20 * time.Second // pkg/faceid: to connect, and for the TLS handshake
	header     = 30 * time.Second // pkg/faceid: for a reply's header
	stall      = 30 * time.Second // pkg/faceid: without a byte of a body
	completion = 15 * time.Second // pkg/webhook: workTimeout
	reply      = 512              // MiB of a reply that are read, pkg/faceid: Limits.Body; three quarters of it are media
)

// rule is a rule of time or number, and whether it holds.
type rule struct {
	what  string
	holds bool
}

// TestTimes checks what "Using Lambda with Amazon SQS" and "Asynchronous invocation" ask for, and our own clocks.
func TestTimes(t *testing.T) {
	for name, parameters := range map[string]map[string]string{"defaults": least(), "everything": everything()} {
		s := stack(t, parameters)
		for _, r := range append(queueRules(t, s), scheduleRules(t, s)...) {
			if !r.holds {
				t.Errorf("%s: not so: %s", name, r.what)
			}
		}
	}
}

func queueRules(t *testing.T, s *samtest.Stack) []rule {
	pull, visible := seconds(t, s, "PullFunction", "Timeout"), seconds(t, s, "Queue", "VisibilityTimeout")
	kept, receives := seconds(t, s, "Queue", "MessageRetentionPeriod"), property(t, s, "Queue", "RedrivePolicy", "maxReceiveCount")
	source := func(path ...string) int {
		return property(t, s, "PullFunction", append([]string{"Events", "Steps", "Properties"}, path...)...)
	}
	workers := map[string]string{}
	for _, function := range s.Functions() {
		env, err := s.Environment(function)
		if err != nil {
			t.Fatal(err)
		}
		workers[env["KYC_WORKERS"]] = function
	}
	return []rule{
		{"every function knows how many steps are made at once", len(workers) == 1 && workers[fmt.Sprint(source("ScalingConfig", "MaximumConcurrency"))] != ""},
		{"messages stay hidden for six times pull's time-out", visible >= 6*pull},
		{"a message may fail five times", receives >= 5},
		{"the queue keeps a message until it is a dead letter", kept > time.Duration(receives)*visible},
		{"a dead letter outlives the queue's messages", seconds(t, s, "DeadLetters", "MessageRetentionPeriod") > kept},
		{"one message an invocation", source("BatchSize") == 1},
		{"at least two steps at a time", source("ScalingConfig", "MaximumConcurrency") >= 2},
		{"a failed message alone comes again", fmt.Sprint(samtest.At(s.Resources["PullFunction"].Properties,
			"Events", "Steps", "Properties", "FunctionResponseTypes")) == "[ReportBatchItemFailures]"},
		{"pull waits longer than all of its calls", pull > ticketWait+2*(connect+header+stall)},
		{"a reply finds room in /tmp", property(t, s, "PullFunction", "EphemeralStorage", "Size") > reply*3/4},
		{"the webhook waits longer than a completion", seconds(t, s, "WebhookFunction", "Timeout") > completion},
		{"an old message is told of when it could have come again", seconds(t, s, "OldestMessage", "Threshold") > visible},
	}
}

func scheduleRules(t *testing.T, s *samtest.Stack) []rule {
	every := interval(t, s)
	retry := func(name string) int {
		return property(t, s, "RefetchFunction", "Events", "Pass", "Properties", "RetryPolicy", name)
	}
	async := func(name string) int { return property(t, s, "RefetchFunction", "EventInvokeConfig", name) }
	silent := seconds(t, s, "RefetchSilent", "Period") * time.Duration(property(t, s, "RefetchSilent", "EvaluationPeriods"))
	env, err := s.Environment("RefetchFunction")
	if err != nil {
		t.Fatal(err)
	}
	told, err := time.ParseDuration(env["KYC_REFETCH_EVERY"])
	return []rule{
		{"KYC_REFETCH_EVERY is what the schedule says", err == nil && told == every},
		{"a pass ends before the next", seconds(t, s, "RefetchFunction", "Timeout") < every},
		{"a pass waits longer than for a ticket", seconds(t, s, "RefetchFunction", "Timeout") > ticketWait},
		{"one pass at a time", property(t, s, "RefetchFunction", "ReservedConcurrentExecutions") == 1},
		{"the schedule tries once", retry("MaximumRetryAttempts") == 0},
		{"its call does not wait", retry("MaximumEventAgeInSeconds") == 60},
		{"Lambda tries once", async("MaximumRetryAttempts") == 0},
		{"and does not wait", async("MaximumEventAgeInSeconds") == 60},
		{"silence is told of when two passes did not come", silent >= 2*every},
		{"a metric of a pass comes in each of its periods", seconds(t, s, "OrdersAtRisk", "Period") >= every},
	}
}

func seconds(t *testing.T, s *samtest.Stack, resource string, path ...string) time.Duration {
	t.Helper()
	return time.Duration(property(t, s, resource, path...)) * time.Second
}

// interval reads the schedule's rate.
func interval(t *testing.T, s *samtest.Stack) time.Duration {
	t.Helper()
	var minutes int
	rate, _ := samtest.At(s.Resources["RefetchFunction"].Properties, "Events", "Pass", "Properties", "ScheduleExpression").(string)
	if _, err := fmt.Sscanf(rate, "rate(%d minutes)", &minutes); err != nil {
		t.Fatalf("schedule %q: %v", rate, err)
	}
	return time.Duration(minutes) * time.Minute
}
