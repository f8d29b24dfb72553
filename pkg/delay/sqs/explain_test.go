package sqs_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/delay/sqs"
)

// TestFailedRequests: each trouble is told in words that help, without what the other side said, and tried as often as it helps.
func TestFailedRequests(t *testing.T) {
	says := func(status int, code string) func(int, http.ResponseWriter, request) bool {
		return func(_ int, w http.ResponseWriter, r request) bool {
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": "planted " + r.Body})
			return true
		}
	}
	shared := open(t)
	for _, c := range []struct {
		harm     func(int, http.ResponseWriter, request) bool
		want     string
		requests int
	}{
		{says(400, "com.amazon.coral.service#AccessDeniedException"), "no right to sqs:SendMessage on the queue, or the queue's policy forbids it (400 AccessDenied)", 1},
		{says(403, "AccessDenied"), "no right to sqs:SendMessage on the queue", 1},
		{says(403, "Strange"), "the role may not do that (403 Strange)", 1},
		{says(400, "com.amazonaws.sqs#QueueDoesNotExist"), "there is no such queue for this region and account; look at KYC_QUEUE_URL (400 QueueDoesNotExist)", 1},
		{says(400, "com.amazonaws.sqs#RequestThrottled"), "SQS throttles; the next pass takes up what is left (400 RequestThrottled)", 3},
		{says(400, "com.amazonaws.sqs#KmsAccessDenied"), "kms:GenerateDataKey", 1},
		{says(403, "ExpiredToken"), "the session's credentials have expired (403 ExpiredToken)", 1},
		{says(503, "ServiceUnavailable"), "SQS refuses (503 ServiceUnavailable)", 3},
		{says(400, "planted code with blanks"), "SQS refuses (400", 1},
		{func(_ int, w http.ResponseWriter, _ request) bool {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return true
		}, "SQS can not be reached: EOF", 3},
	} {
		t.Run(c.want, func(t *testing.T) {
			t.Parallel()
			q := shared.behindProxy(t)
			q.harm = c.harm
			d := q.delayer(nil)
			for _, n := range []int{1, 25} { // a queue that is in trouble is not asked for each batch
				before := len(q.asked())
				err := d.Delay(t.Context(), messages(n, true)...)
				if got := len(q.asked()) - before; err == nil || !strings.Contains(err.Error(), c.want) || got != c.requests {
					t.Errorf("%d messages, %d requests: %v", n, got, err)
				}
				if strings.Contains(text(err), "planted") || strings.Contains(text(err), q.proxy.URL) || strings.Contains(text(err), "order") {
					t.Errorf("it shows too much: %v", err)
				}
				if n == 25 && !strings.Contains(text(err), "send 25 of 25 messages") {
					t.Errorf("it does not count: %v", err)
				}
			}
		})
	}
}

// TestQueueThatIsNotThere is judged by the real server; Room tells of it too.
func TestQueueThatIsNotThere(t *testing.T) {
	q := open(t)
	d := q.delayer(func(c *sqs.Config) { c.QueueURL = strings.Replace(c.QueueURL, "/steps", "/gone", 1) })
	const want = " queue gone: there is no such queue"
	if err := d.Delay(t.Context(), message(0, epoch)); err == nil || !strings.Contains(err.Error(), "send message to"+want) {
		t.Errorf("Delay: %v", err)
	}
	if _, err := d.Room(t.Context(), time.Hour); err == nil || !strings.Contains(err.Error(), "read depth of"+want) {
		t.Errorf("Room: %v", err)
	}
}

// TestNobodyThere: a queue that does not answer, and one that nobody listens for, are given up in time.
func TestNobodyThere(t *testing.T) {
	q := open(t)
	ended := make(chan struct{})
	q.harm = func(int, http.ResponseWriter, request) bool { <-ended; return true }
	defer close(ended)
	d := q.delayer(func(c *sqs.Config) { c.Client = &http.Client{Timeout: 20 * time.Millisecond} })
	if err := d.Delay(t.Context(), message(0, epoch)); err == nil || !strings.Contains(err.Error(), "no answer in time; is there a way to SQS") {
		t.Errorf("silent: %v", err)
	}
	d = q.delayer(func(c *sqs.Config) { c.Endpoint = "http://127.0.0.1:1" })
	err := d.Delay(t.Context(), message(0, epoch))
	if err == nil || !strings.Contains(err.Error(), "SQS can not be reached: dial tcp 127.0.0.1:1: connect: connection refused") {
		t.Errorf("nobody: %v", err)
	}
}
