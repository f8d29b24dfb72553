package aws_test

import (
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// TestWebhookEvents: good and bad requests, with what the archive makes of each.
func TestWebhookEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, failed := w.replay("refetch-schedule.json"); failed != nil { // the webhook never refreshes, and the redirect needs a ticket
		t.Fatal(failed)
	}
	for _, c := range []struct {
		file   string
		status int
		order  string
		state  kyc.State // of the order, afterwards
	}{
		{"webhook-completion.json", 202, "ok1001", kyc.StatePending},
		{"webhook-completion.json", 200, "ok1001", kyc.StatePending},
		{"webhook-completion-base64.json", 202, "ok1002", kyc.StatePending},
		{"webhook-redirect.json", 202, "ok1003", kyc.StatePending},
		{"webhook-redirect-forged.json", 401, "ok1005", ""},
		{"webhook-status.json", 200, "ok1001", kyc.StatePending},
		{"webhook-bad-token.json", 401, "ok1004", ""},
		{"webhook-bad-body.json", 400, "", ""},
		{"webhook-bad-base64.json", 400, "", ""},
		{"webhook-bad-large.json", 413, "", ""},
		{"webhook-bad-payload-1.0.json", 400, "", ""},
	} {
		r := w.response(w.replay(c.file))
		if r.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", c.file, r.StatusCode, r.Body, c.status)
		}
		if problem := r.Headers["Content-Type"] == "application/problem+json"; problem != (c.status >= 400) {
			t.Errorf("%s: %d with %v", c.file, r.StatusCode, r.Headers)
		}
		if r.StatusCode == 202 && r.Headers["Location"] != "/v1/orders/"+c.order {
			t.Errorf("%s: headers %v", c.file, r.Headers)
		}
		if strings.HasPrefix(c.order, "ok") && w.state(kycOrder(c.order)) != c.state {
			t.Errorf("%s: order %s is %q, want %q", c.file, c.order, w.state(kycOrder(c.order)), c.state)
		}
	}
	if got := w.metric("webhook", "Accepted"); got != 3 {
		t.Errorf("%v were accepted, want 3", got)
	}
	if w.fn("webhook").Starts() != 1 {
		t.Errorf("the function crashed:\n%s", w.fn("webhook").Logs())
	}
	w.checkLogs()
}

// TestRedirectSendsOn: with a place for the browser, also a forged redirect ends there.
func TestRedirectSendsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "KYC_WEBHOOK_REDIRECT=https://www.example.com/done")
	r := w.response(w.replay("webhook-redirect-forged.json"))
	if r.StatusCode != 303 || r.Headers["Location"] != "https://www.example.com/done?code=0&orderNo=ok1005" || w.state("ok1005") != "" {
		t.Errorf("%d %v", r.StatusCode, r.Headers)
	}
}

// TestWebhookWithoutStore: what can not be promised is a 503, and nothing of the cause is in it.
func TestWebhookWithoutStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1")
	r := w.response(w.replay("webhook-completion.json"))
	if r.StatusCode != 503 || r.Headers["Retry-After"] == "" || strings.Contains(r.Body, "127.0.0.1") {
		t.Errorf("%d %v %s", r.StatusCode, r.Headers, r.Body)
	}
	w.checkLogs()
}

// TestWebhookWithoutQueue: the marker is the promise; the next pass takes the order up.
func TestWebhookWithoutQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "AWS_ENDPOINT_URL_SQS=http://127.0.0.1:1")
	r := w.response(w.replay("webhook-completion.json"))
	if r.StatusCode != 202 || w.state("ok1001") != kyc.StatePending || !strings.Contains(w.fn("webhook").Logs(), "hint failed") {
		t.Errorf("%d %s, state %q\n%s", r.StatusCode, r.Body, w.state("ok1001"), w.fn("webhook").Logs())
	}
	w.checkLogs()
}
