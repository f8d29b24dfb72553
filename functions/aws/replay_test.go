package aws_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// replayed are the events of events/aws that a test below replays; TestEveryEventIsReplayed holds the two together.
var replayed = []string{
	"pull-bad.json", "pull-early.json", "pull-one.json", "pull-poisoned.json", "pull-ten.json", "refetch-other.json", "refetch-schedule.json",
	"webhook-bad-base64.json", "webhook-bad-body.json", "webhook-bad-large.json", "webhook-bad-payload-1.0.json", "webhook-bad-token.json",
	"webhook-completion-base64.json", "webhook-completion.json", "webhook-redirect-forged.json", "webhook-redirect.json", "webhook-status.json",
}

func TestEveryEventIsReplayed(t *testing.T) {
	files, err := filepath.Glob("../../events/aws/*")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		files[i] = filepath.Base(f)
	}
	if !slices.Equal(files, replayed) {
		t.Errorf("events/aws has %q, replayed are %q", files, replayed)
	}
	var text strings.Builder
	for _, f := range []string{"replay_test.go", "pull_test.go", "webhook_test.go"} {
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(source)
	}
	for _, f := range replayed {
		if strings.Count(text.String(), `"`+f+`"`) < 2 {
			t.Errorf("no test replays %s", f)
		}
	}
}

// TestRefetchEvents: a pass makes the ticket and hands out what is due. One that fails is an error of the function, told once.
func TestRefetchEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "KYC_REFETCH_EVERY=100ms") // so that an order is due at once
	w.open("ok6001", "ok6002")
	answer, failed := w.replay("refetch-schedule.json")
	if failed != nil || string(answer) != "null" {
		t.Fatalf("%s, %v\n%s", answer, failed, w.fn("refetch").Logs())
	}
	if n := len(w.fn("refetch").Metric("TicketRefreshes")); n != 1 {
		t.Errorf("%d refreshes were told of", n)
	}
	if w.metric("refetch", "Waiting") != 2 || len(w.fn("refetch").Metric("AtRisk")) != 1 {
		t.Errorf("metrics: %s", w.fn("refetch").Logs())
	}
	if _, failed := w.replay("refetch-other.json"); failed != nil {
		t.Error(failed)
	}
	w.checkLogs()

	broken := newWorld(t)
	broken.env = append(broken.env, "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1")
	_, failed = broken.replay("refetch-schedule.json")
	logs := broken.fn("refetch").Logs()
	if failed == nil || failed.Type != "Refetch.PassFailed" || strings.Count(logs, `"msg":"pass"`) != 1 || strings.Contains(logs, "errorMessage") {
		t.Errorf("without a store: %v, log:\n%s", failed, logs)
	}
	broken.checkLogs()
}

// TestWholeWay: a completion through the webhook, its message through the queue, the step, the files.
func TestWholeWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if r := w.response(w.replay("webhook-completion.json")); r.StatusCode != 202 {
		t.Fatalf("%d %s", r.StatusCode, r.Body)
	}
	if answer, failed := w.fn("pull").Invoke(t.Context(), event(w.message()), timeout); failed != nil || string(answer) != `{"batchItemFailures":[]}` {
		t.Fatalf("%s, %v\n%s", answer, failed, w.fn("pull").Logs())
	}
	if w.state("ok1001") != kyc.StateArchived {
		t.Errorf("state is %q\n%s", w.state("ok1001"), w.fn("pull").Logs())
	}
	if age := w.fn("pull").Metric("SecondsToArchive"); len(age) != 1 || age[0] < 0 || age[0] > 60 || w.metric("webhook", "Accepted") != 1 {
		t.Errorf("seconds to archive %v", age)
	}
	damages := 0
	if _, err := w.archive.Verify(t.Context(), func(archive.Damage) { damages++ }); err != nil || damages > 0 {
		t.Errorf("%d damages, %v", damages, err)
	}
	if r := w.response(w.replay("webhook-status.json")); r.StatusCode != 200 || !strings.Contains(r.Body, `"state":"archived"`) {
		t.Errorf("%d %s", r.StatusCode, r.Body)
	}
	if r := w.response(w.replay("webhook-completion.json")); r.StatusCode != 200 || w.metric("webhook", "Accepted") != 1 {
		t.Errorf("again: %d %s", r.StatusCode, r.Body)
	}
	w.checkLogs()
}

// TestWrongSettings: each function tells Lambda all that is wrong, in one error and one log line, and takes no event.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "KYC_ARCHIVE=file:///planted", "KYC_STEPS=11", "KYC_QUEUE_URL=")
	for _, name := range []string{"webhook", "pull", "refetch"} {
		for range 2 { // each event tries anew
			_, failed := w.fn(name).Invoke(t.Context(), []byte(`{}`), timeout)
			if failed == nil || failed.Type != "Runtime.ConfigInvalid" {
				t.Fatalf("%s: %v", name, failed)
			}
			for _, variable := range []string{"KYC_ARCHIVE", "KYC_STEPS", "KYC_QUEUE_URL"} {
				if !strings.Contains(failed.Message, variable+": ") {
					t.Errorf("%s: it does not tell of %s: %s", name, variable, failed.Message)
				}
			}
		}
		if n := strings.Count(w.fn(name).Logs(), "settings are wrong"); n != 2 {
			t.Errorf("%s: %d lines of it\n%s", name, n, w.fn(name).Logs())
		}
	}
	w.checkLogs()
}

// TestSizes: Lambda fetches the binary before each cold start.
func TestSizes(t *testing.T) {
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"webhook", "pull", "refetch"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Size() > 10_000_000 {
			t.Errorf("%s: %d bytes, %v; want at most 10,000,000", name, info.Size(), err)
		}
	}
}
