package sqs_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/delay/sqs"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// TestOneMessage: it comes out as it went in, after its time rounded up.
func TestOneMessage(t *testing.T) {
	q := open(t)
	d := q.delayer(nil)
	m := message(0, epoch)
	m.Odd, m.Early = []string{"digest"}, 2
	if err := d.Delay(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, q.receive(t.Context())); diff != "" {
		t.Errorf("-sent +received:\n%s", diff)
	}
	for _, wait := range []time.Duration{1, time.Second, 1200 * time.Millisecond, 2 * time.Second, -time.Hour, 15 * time.Minute, 15*time.Minute + 1, 24 * time.Hour} {
		if err := d.Delay(t.Context(), message(0, epoch.Add(wait))); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{0, 1, 1, 2, 2, 0, 900, 900, 900}, q.delays()); diff != "" {
		t.Errorf("delays -want +got:\n%s", diff)
	}
	if err := d.Delay(t.Context()); err != nil || len(q.asked()) != 9 {
		t.Errorf("nothing to send: %v, %d requests", err, len(q.asked()))
	}
}

// TestManyMessages: they go in tens, and single tries are spread so that the workers can just keep up, over several calls too.
func TestManyMessages(t *testing.T) {
	q := open(t)
	d := q.delayer(func(c *sqs.Config) { c.Workers = 4 })
	if err := d.Delay(t.Context(), messages(25, false)...); err != nil {
		t.Fatal(err)
	}
	sizes := []int{}
	for _, r := range q.asked() {
		sizes = append(sizes, len(r.Entries))
	}
	if diff := cmp.Diff([]int{10, 10, 5}, sizes); diff != "" || q.depth() != 25 {
		t.Errorf("%d arrived, batches -want +got:\n%s", q.depth(), diff)
	}
	if slices.Max(q.delays()) != 0 {
		t.Errorf("live messages that are due wait: %v", q.delays())
	}
	for _, n := range []int{7, 4} { // a pass hands out in several calls
		if err := d.Delay(t.Context(), messages(n, true)...); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5}, q.delays()[25:]); diff != "" {
		t.Errorf("delays of single tries -want +got:\n%s", diff)
	}
	if err := d.Delay(t.Context(), message(0, epoch)); err != nil || q.delays()[36] != 0 {
		t.Errorf("a live message after them: %v, waits %d s", err, q.delays()[36])
	}
}

// TestSpreadEnds: what was handed out long ago delays nothing, and the queue's limit holds.
func TestSpreadEnds(t *testing.T) {
	q := open(t)
	now := epoch
	d := q.delayer(func(c *sqs.Config) { c.Workers, c.Now = 1, func() time.Time { return now } })
	for _, step := range []time.Duration{0, time.Second, time.Hour} {
		now = now.Add(step)
		if err := d.Delay(t.Context(), messages(2, true)...); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]int{0, 2, 3, 5, 0, 2}, q.delays()); diff != "" {
		t.Errorf("delays -want +got:\n%s", diff)
	}
	if err := d.Delay(t.Context(), messages(460, true)...); err != nil {
		t.Fatal(err)
	}
	if got := q.delays(); got[len(got)-1] != 900 || got[len(got)-11] != 900 || !slices.IsSorted(got[6:]) {
		t.Errorf("delays of a hand-out that is too large end in %v", got[len(got)-12:])
	}
}

// TestEntriesThatFail: each entry's result counts. What failed is sent again, a few times; the rest is reported.
func TestEntriesThatFail(t *testing.T) {
	const name = `"orderAc"` // the third order
	for _, c := range []struct {
		name     string
		fail     func(n int, body string) (string, bool)
		requests int
		lost     string // "" is none
	}{
		{"once", func(n int, body string) (string, bool) {
			if n == 1 && strings.Contains(body, name) {
				return "InternalError", false
			}
			return "", false
		}, 3, ""},
		{"all of one batch, twice", func(n int, _ string) (string, bool) {
			if n < 3 {
				return "RequestThrottled", false
			}
			return "", false
		}, 4, ""},
		{"always", func(_ int, body string) (string, bool) {
			if strings.Contains(body, name) {
				return "InternalError", false
			}
			return "", false
		}, 4, "send 1 of 12 messages: send messages to queue steps: an entry failed (InternalError)"},
		{"by our own fault", func(_ int, body string) (string, bool) {
			if strings.Contains(body, name) {
				return "AWS.SimpleQueueService.KmsDisabled", true
			}
			return "", false
		}, 2, "send 1 of 12 messages: send messages to queue steps: an entry failed (KmsDisabled): the queue's KMS key is disabled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := open(t)
			q.fail = c.fail
			err := q.delayer(nil).Delay(t.Context(), messages(12, false)...)
			want := 12
			if c.lost != "" {
				want = 11
			}
			if text(err) != c.lost || len(q.asked()) != c.requests || q.depth() != want {
				t.Errorf("%d requests, %d arrived: %q", len(q.asked()), q.depth(), text(err))
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestEntriesThatAreNotToldOf: an answer that leaves entries out is no success.
func TestEntriesThatAreNotToldOf(t *testing.T) {
	q := open(t)
	q.harm = func(_ int, w http.ResponseWriter, _ request) bool {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{"Successful":[{"Id":"0","MessageId":"x"}]}`))
		return true
	}
	err := q.delayer(nil).Delay(t.Context(), messages(4, false)...)
	if err == nil || !strings.Contains(err.Error(), "send 1 of 4 messages") || len(q.asked()) != 3 {
		t.Errorf("%d requests: %v", len(q.asked()), err) // with each request one more is told of
	}
}

// TestRoom: what the workers get done, less what waits, is delayed or under way; never less than nothing.
func TestRoom(t *testing.T) {
	q := open(t)
	d := q.delayer(nil)
	room := func(within time.Duration) int {
		t.Helper()
		n, err := d.Room(t.Context(), within)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for within, want := range map[time.Duration]int{5 * time.Minute: 1500, 24 * time.Hour: 432000, 3 * time.Second: 15, 100 * time.Millisecond: 0} {
		if got := room(within); got != want {
			t.Errorf("room within %s is %d, want %d", within, got, want)
		}
	}
	if err := d.Delay(t.Context(), append(messages(11, false), message(11, epoch.Add(time.Hour)))...); err != nil {
		t.Fatal(err)
	}
	if got := room(5 * time.Minute); got != 1488 {
		t.Errorf("room beside 12 messages is %d, want 1488", got)
	}
	q.receive(t.Context())
	if got := room(5 * time.Minute); got > 1488 {
		t.Errorf("room beside 11 messages and one under way is %d, want 1488 (this server counts that one twice)", got)
	}
	if got := room(2 * time.Second); got != 0 {
		t.Errorf("room where more waits than can be done is %d", got)
	}
}

// TestRoomBesideFailures: steps that failed are hidden for an hour; they are no worker's burden.
func TestRoomBesideFailures(t *testing.T) {
	q := open(t)
	q.harm = func(_ int, w http.ResponseWriter, _ request) bool {
		_, _ = w.Write([]byte(`{"Attributes":{"ApproximateNumberOfMessages":"3","ApproximateNumberOfMessagesDelayed":"4","ApproximateNumberOfMessagesNotVisible":"5000"}}`))
		return true
	}
	if got, err := q.delayer(nil).Room(t.Context(), 5*time.Minute); err != nil || got != 1500-3-4-10 {
		t.Errorf("room is %d, %v", got, err)
	}
}

// TestTrace: Lambda's trace goes with each message, so that Lambda can count how long a chain is. What can be none stays here.
func TestTrace(t *testing.T) {
	q := open(t)
	d := q.delayer(nil)
	const id = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0;Lineage=1:a87bd80c:2"
	for _, c := range []struct{ given, sent string }{{id, id}, {"", ""}, {"a\r\nb", ""}, {strings.Repeat("x", 1025), ""}} {
		ctx := context.WithValue(t.Context(), "x-amzn-trace-id", c.given) //nolint:staticcheck // aws-lambda-go's own key
		for _, n := range []int{1, 2} {
			if err := d.Delay(ctx, messages(n, false)...); err != nil {
				t.Fatal(err)
			}
			if asked := q.asked(); asked[len(asked)-1].Trace != c.sent {
				t.Errorf("trace is %q, want %q", asked[len(asked)-1].Trace, c.sent)
			}
		}
	}
}

// TestNewRefuses: what can never work is refused before anything is sent.
func TestNewRefuses(t *testing.T) {
	good := sqs.Config{QueueURL: "https://sqs.eu-west-1.amazonaws.com/123456789012/steps", Region: "eu-west-1", Credentials: keys}
	if _, err := sqs.New(good); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*sqs.Config){
		"steps.fifo is a FIFO queue": func(c *sqs.Config) { c.QueueURL += ".fifo" },
		"the queue's URL is not one": func(c *sqs.Config) { c.QueueURL = "steps" },
		"not one such as":            func(c *sqs.Config) { c.QueueURL = "https://planted-id:planted-secret@sqs/1/q" },
		"the queue's URL is not":     func(c *sqs.Config) { c.QueueURL = "https://sqs.eu-west-1.amazonaws.com/" },
		"no region":                  func(c *sqs.Config) { c.Region = "" },
		"no credentials":             func(c *sqs.Config) { c.Credentials = nil },
		"-1 workers":                 func(c *sqs.Config) { c.Workers = -1 },
	} {
		c := good
		change(&c)
		if _, err := sqs.New(c); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

// TestEndpointIsTheQueues: without one, requests go where the queue's URL says.
func TestEndpointIsTheQueues(t *testing.T) {
	q := open(t)
	d := q.delayer(func(c *sqs.Config) { c.Endpoint, c.QueueURL = "", q.proxy.URL+"/000000000000/steps" })
	if err := d.Delay(t.Context(), message(0, epoch)); err != nil || q.depth() != 1 {
		t.Errorf("%d arrived, %v", q.depth(), err)
	}
}

var _ kyc.Delayer = (*sqs.Delayer)(nil)

// TestContextEnds: a call under way, and the wait before entries are sent again, end with it.
func TestContextEnds(t *testing.T) {
	q := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	q.fail = func(int, string) (string, bool) { cancel(); return "InternalError", false }
	err := q.delayer(nil).Delay(ctx, messages(2, false)...)
	if err == nil || len(q.asked()) != 1 {
		t.Errorf("%d requests: %v", len(q.asked()), err)
	}
}
