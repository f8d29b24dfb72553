package aws_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform/aws/lambdatest"
)

func kycOrder(s string) archive.Order { return archive.Order(s) }

// failures reads a partial batch response.
func (w *world) failures(answer []byte, failed *lambdatest.Error) (ids []string) {
	w.t.Helper()
	if failed != nil {
		w.t.Fatalf("the function failed: %v\n%s", failed, w.fn("pull").Logs())
	}
	var r struct {
		Failures []struct {
			ID string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if err := json.Unmarshal(answer, &r); err != nil || r.Failures == nil {
		w.t.Fatalf("answer %s: %v", answer, err)
	}
	for _, f := range r.Failures {
		ids = append(ids, f.ID)
	}
	return ids
}

// TestPullEvents: one, ten, poisoned, early, and an event of another service.
func TestPullEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten := []archive.Order{"own3000", "own3001", "own3002", "own3003", "own3004", "own3005", "own3006", "own3007", "own3008", "own3009", "ok3010"}
	w.open(append(ten, "ok2001", "ok4000", "ok5001")...)
	for _, c := range []struct {
		file     string
		archived []archive.Order
	}{
		{"pull-one.json", []archive.Order{"ok2001"}},
		{"pull-ten.json", ten},
		{"pull-ten.json", ten}, // delivered twice
		{"pull-poisoned.json", []archive.Order{"ok4000"}},
		{"pull-early.json", nil},
	} {
		if ids := w.failures(w.replay(c.file)); ids != nil {
			t.Errorf("%s: %q come again", c.file, ids)
		}
		for _, o := range c.archived {
			if w.state(o) != kyc.StateArchived {
				t.Errorf("%s: order %s is %q", c.file, o, w.state(o))
			}
		}
	}
	if w.metric("pull", "Archived") != 13 || w.metric("pull", "Dropped") != 8 || w.metric("pull", "Bytes") == 0 || w.metric("pull", "TicketRefreshes") != 1 {
		t.Errorf("archived %v, dropped %v, bytes %v", w.metric("pull", "Archived"), w.metric("pull", "Dropped"), w.metric("pull", "Bytes"))
	}
	if w.state("ok5001") != kyc.StatePending || strings.Contains(w.fn("pull").Logs(), "ok5001") {
		t.Error("a step was made long before its time")
	}
	if _, failed := w.replay("pull-bad.json"); failed == nil || failed.Type != "Event.WrongKind" {
		t.Errorf("another service's event: %v", failed)
	}
	if w.fn("pull").Starts() != 1 {
		t.Error("the function crashed")
	}
	w.checkLogs()
}

// TestPullWithoutStore: what can not be done comes again, and one record does not stop another.
func TestPullWithoutStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env = append(w.env, "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1", "AWS_ENDPOINT_URL_SQS=http://127.0.0.1:1")
	ids := w.failures(w.replay("pull-poisoned.json"))
	if len(ids) != 1 || !strings.Contains(w.fn("pull").Logs(), "SQS delivers it again") {
		t.Errorf("come again: %q\n%s", ids, w.fn("pull").Logs())
	}
	if ids := w.failures(w.replay("pull-early.json")); len(ids) != 1 {
		t.Errorf("an early one that could not be sent anew: %q", ids)
	}
	w.checkLogs()
}

// TestPullDeadline: a reply that does not end is cut off in time to answer; what could not be begun comes again too.
func TestPullDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("stall99x1", "ok2001")
	message := func(o archive.Order) string {
		data, _ := json.Marshal(kyc.Message{V: 1, Order: o, Opening: opening, Attempt: 1})
		return string(data)
	}
	answer, failed := w.fn("pull").Invoke(t.Context(), event(message("stall99x1"), message("ok2001")), 5*time.Second)
	if ids := w.failures(answer, failed); !slices.Equal(ids, []string{"a", "b"}) {
		t.Errorf("come again: %q", ids)
	}
	if w.fn("pull").Starts() != 1 || !strings.Contains(w.fn("pull").Logs(), "no time left") {
		t.Errorf("%d starts\n%s", w.fn("pull").Starts(), w.fn("pull").Logs())
	}
	if ids := w.failures(w.fn("pull").Invoke(t.Context(), event(message("ok2001")), timeout)); ids != nil || w.state("ok2001") != kyc.StateArchived {
		t.Errorf("after it: %q, %q", ids, w.state("ok2001"))
	}
	w.checkLogs()
}

// TestPullIsKilled: a function that dies in the middle of a step loses nothing; the message comes again.
func TestPullIsKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("slow1")
	if _, failed := w.replay("refetch-schedule.json"); failed != nil { // who dies while refreshing the ticket leaves a lease behind
		t.Fatal(failed)
	}
	w.fn("pull")
	message, _ := json.Marshal(kyc.Message{V: 1, Order: "slow1", Opening: opening, Attempt: 1})
	ended := make(chan *lambdatest.Error)
	go func() {
		_, failed := w.fns["pull"].Invoke(t.Context(), event(string(message)), timeout)
		ended <- failed
	}()
	asked := func(c faceidtest.Call) bool { return c.Route == faceidtest.Sync }
	for !slices.ContainsFunc(w.service.History(), asked) { // then the answer trickles in, for three seconds
		time.Sleep(5 * time.Millisecond)
	}
	w.fns["pull"].Kill()
	if failed := <-ended; failed == nil || failed.Type != lambdatest.Exited {
		t.Errorf("killed: %v", failed)
	}
	if ids := w.failures(w.fn("pull").Invoke(t.Context(), event(string(message)), timeout)); ids != nil || w.state("slow1") != kyc.StateArchived {
		t.Errorf("again: %q, %q\n%s", ids, w.state("slow1"), w.fn("pull").Logs())
	}
}
