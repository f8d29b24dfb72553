package tencent_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest"
)

// TestEveryEventIsReplayed: each file of events/tencent stands in a test below.
func TestEveryEventIsReplayed(t *testing.T) {
	files, err := filepath.Glob("../../events/tencent/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no events", err)
	}
	source, err := os.ReadFile("replay_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := filepath.Base(f); !strings.Contains(string(source), `"`+name+`"`) {
			t.Errorf("no test replays %s", name)
		}
	}
}

// TestWebhookEvents: function URL and gateway, good and bad, with what the archive makes of each.
func TestWebhookEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.replay("refetch-timer.json"); err != nil { // the webhook never refreshes, and the redirect needs a ticket
		t.Fatal(err)
	}
	for _, c := range []struct {
		file   string
		status int
		order  archive.Order
		state  kyc.State // of the order, afterwards
	}{
		{"webhook-url-completion.json", 202, "ok1001", kyc.StatePending},
		{"webhook-url-completion.json", 200, "ok1001", kyc.StatePending},
		{"webhook-url-redirect.json", 202, "ok1003", kyc.StatePending},
		{"webhook-url-redirect-forged.json", 401, "ok1005", ""},
		{"webhook-url-status.json", 200, "ok1001", kyc.StatePending},
		{"webhook-url-bad-token.json", 401, "ok1004", ""},
		{"webhook-url-bad-body.json", 400, "", ""},
		{"webhook-url-bad-large.json", 413, "ok1004", ""},
		{"webhook-url-bad-shape.json", 400, "", ""},
		{"webhook-gateway-completion.json", 202, "ok1002", kyc.StatePending},
		{"webhook-gateway-base64.json", 202, "ok1006", kyc.StatePending},
		{"webhook-gateway-redirect.json", 202, "ok1007", kyc.StatePending},
		{"webhook-gateway-bad-base64.json", 400, "", ""},
	} {
		r := w.response(w.replay(c.file))
		if r.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", c.file, r.StatusCode, r.Body, c.status)
		}
		if problem := r.Headers["Content-Type"] == "application/problem+json"; problem != (c.status >= 400) {
			t.Errorf("%s: %d with %v", c.file, r.StatusCode, r.Headers)
		}
		if gateway := strings.Contains(c.file, "gateway"); gateway != (r.IsBase64Encoded != nil) {
			t.Errorf("%s: isBase64Encoded is told: %t", c.file, r.IsBase64Encoded != nil)
		}
		if c.order != "" && w.state(c.order) != c.state {
			t.Errorf("%s: order %s is %q, want %q", c.file, c.order, w.state(c.order), c.state)
		}
	}
	if n := w.sent(); n != 5 {
		t.Errorf("%d events were sent, want 5", n)
	}
	w.check()
}

// TestPullEvents: a message, an array, and what can never work, which is dropped and fails no invocation.
func TestPullEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	orders := []archive.Order{"ok2001", "ok2002"}
	for i := 1; i <= 10; i++ {
		orders = append(orders, archive.Order(fmt.Sprintf("ok21%02d", i)))
	}
	w.open(orders...)
	for _, file := range []string{"pull-one.json", "pull-array.json", "pull-poisoned.json", "pull-bad.json"} {
		if answer, err := w.replay(file); err != nil || string(answer) != "null" {
			t.Errorf("%s: %s, %v", file, answer, err)
		}
	}
	for _, o := range orders {
		if state := w.state(o); state != kyc.StateArchived {
			t.Errorf("order %s is %q\n%s", o, state, w.fn("pull").Logs())
		}
	}
	if n := strings.Count(w.fn("pull").Logs(), "dropped a message that can never work"); n != 5 {
		t.Errorf("%d messages were dropped, want 5", n)
	}
	w.check()
}

// TestWrongKinds: the function's answer says what came and what was expected.
func TestWrongKinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for file, want := range map[string]string{
		"webhook-wrong-timer.json": "a timer event came, expected an HTTP event",
		"pull-wrong-url.json":      "an HTTP event (function URL or API gateway) came, expected a step message",
		"pull-wrong-timer.json":    "a timer event came, expected a step message",
		"refetch-wrong-cos.json":   "an event with Records (COS, CMQ or CKafka trigger) came, expected a timer event",
		"refetch-wrong-step.json":  "a step message or an array of them came, expected a timer event",
	} {
		_, err := w.replay(file)
		told, ok := errors.AsType[*scfruntest.Error](err)
		if !ok || told.ShouldExit || !strings.Contains(told.Message, want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
	w.check()
}

// TestWholeWay: a completion through the webhook, its message through the API, the steps, the files; then once more, with
// credentials that rotate between any two invocations.
func TestWholeWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for generation, order := range map[string]archive.Order{"2": "ok1001", "3": "ok1002"} {
		w.rotate(generation + "a")
		file := map[archive.Order]string{"ok1001": "webhook-url-completion.json", "ok1002": "webhook-gateway-completion.json"}[order]
		if r := w.response(w.replay(file)); r.StatusCode != 202 {
			t.Fatalf("%d %s", r.StatusCode, r.Body)
		}
		w.rotate(generation + "b")
		if n := w.deliver(); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
		if state := w.state(order); state != kyc.StateArchived {
			t.Errorf("order %s is %q\n%s", order, state, w.fn("pull").Logs())
		}
	}
	w.rotate("4")
	if r := w.response(w.replay("webhook-url-status.json")); r.StatusCode != 200 || !strings.Contains(r.Body, `"state":"archived"`) {
		t.Errorf("%d %s", r.StatusCode, r.Body)
	}
	w.check()
}

// TestPassHandsOut: what is due goes to the pull function in one event.
func TestPassHandsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(map[string]string{"KYC_REFETCH_EVERY": "100ms"}) // so that an order is due at once
	w.open("ok6001", "ok6002", "ok6003")
	for end := time.Now().Add(20 * time.Second); w.sent() == 0 && time.Now().Before(end); {
		if answer, err := w.replay("refetch-timer.json"); err != nil || string(answer) != "null" {
			t.Fatalf("%s, %v\n%s", answer, err, w.fn("refetch").Logs())
		}
	}
	w.rotate("2")
	if n := w.deliver(); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	for _, o := range []archive.Order{"ok6001", "ok6002", "ok6003"} {
		if state := w.state(o); state != kyc.StateArchived {
			t.Errorf("order %s is %q\n%s", o, state, w.fn("pull").Logs())
		}
	}
	w.check()
}

// TestWrongSettings: every invocation tells all that is wrong, the log does once, and a stranger hears nothing of it; the
// process goes on, and works when the settings do.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := w.env["KYC_ARCHIVE"]
	w.set(map[string]string{"KYC_ARCHIVE": "file:///planted", "KYC_STEPS": "11", "KYC_APP_ID": ""})
	for range 2 {
		for _, file := range []string{"pull-one.json", "refetch-timer.json"} {
			_, err := w.replay(file)
			for _, variable := range []string{"KYC_ARCHIVE: ", "KYC_STEPS: ", "KYC_APP_ID: "} {
				if err == nil || !strings.Contains(err.Error(), variable) {
					t.Errorf("%s: %v does not tell of %s", file, err, variable)
				}
			}
		}
		r := w.response(w.replay("webhook-url-completion.json"))
		if r.StatusCode != 500 || strings.Contains(r.Body, "KYC_") || r.Headers["Content-Type"] != "application/problem+json" {
			t.Errorf("%d %v %s", r.StatusCode, r.Headers, r.Body)
		}
	}
	for _, f := range w.fns {
		if n := strings.Count(f.Logs(), "settings are wrong"); n != 1 {
			t.Errorf("%d lines of it\n%s", n, f.Logs())
		}
	}
	w.set(map[string]string{"KYC_ARCHIVE": good, "KYC_STEPS": "3", "KYC_APP_ID": appID})
	if r := w.response(w.replay("webhook-url-completion.json")); r.StatusCode != 202 {
		t.Errorf("%d %s", r.StatusCode, r.Body)
	}
	w.check()
}

// TestWithoutStoreOrAPI: what can not be promised is a 503; a message that does not go out costs only time.
func TestWithoutStoreOrAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(map[string]string{"KYC_SCF_ENDPOINT": "http://127.0.0.1:1"})
	if r := w.response(w.replay("webhook-url-completion.json")); r.StatusCode != 202 || w.state("ok1001") != kyc.StatePending {
		t.Errorf("without the API: %d %s", r.StatusCode, r.Body)
	}
	if log := w.fn("webhook").Logs(); !strings.Contains(log, "hint failed") {
		t.Errorf("the log says nothing of it:\n%s", log)
	}
	w.check()

	w = newWorld(t)
	w.set(map[string]string{"KYC_ARCHIVE": "cos://vault-1250000000?endpoint=http://127.0.0.1:1"})
	r := w.response(w.replay("webhook-url-completion.json"))
	if r.StatusCode != 503 || r.Headers["Retry-After"] == "" || strings.Contains(r.Body, "127.0.0.1") {
		t.Errorf("without the store: %d %v %s", r.StatusCode, r.Headers, r.Body)
	}
	if _, err := w.replay("pull-one.json"); err == nil || !strings.Contains(err.Error(), "all 1 steps of this event failed") {
		t.Errorf("pull without the store: %v", err)
	}
	if _, err := w.replay("refetch-timer.json"); err == nil || !strings.Contains(err.Error(), "the pass failed") {
		t.Errorf("refetch without the store: %v", err)
	}
}

// TestKilledFunctionLosesNothing: the process dies while it waits for an order's next step; the platform delivers again.
func TestKilledFunctionLosesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(map[string]string{"KYC_STEP_DELAY": "20s"})
	if r := w.response(w.replay("webhook-url-completion.json")); r.StatusCode != 202 {
		t.Fatalf("%d %s", r.StatusCode, r.Body)
	}
	pull := w.fn("pull")
	ended := make(chan error, 1)
	go func() { _, err := pull.Invoke(t.Context(), w.first()); ended <- err }()
	for !strings.Contains(pull.Logs(), "function started") {
		time.Sleep(time.Millisecond)
	}
	pull.Kill()
	if err := <-ended; !errors.Is(err, scfruntest.ErrExited) {
		t.Error(err)
	}
	w.set(map[string]string{"KYC_STEP_DELAY": "100ms"})
	if n := w.deliver(); n != 1 || w.state("ok1001") != kyc.StateArchived {
		t.Errorf("%d events; the order is %q\n%s", n, w.state("ok1001"), w.fn("pull").Logs())
	}
}

// TestSizes: SCF fetches the binary before each cold start.
func TestSizes(t *testing.T) {
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 3 || !slices.IsSorted(files) {
		t.Fatal(files, err)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil || info.Size() > 10_000_000 {
			t.Errorf("%s: %d bytes, %v; want at most 10,000,000", filepath.Base(f), info.Size(), err)
		}
	}
}
