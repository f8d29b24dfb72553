package aws_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// TestRightsAreLeast leads orders to every end that there is, and holds the calls that the functions made against the template's
// policies, both ways. What takes hours is told by the store's files: their times are set back.
func TestRightsAreLeast(t *testing.T) {
	w := newCloud(t, faceidtest.Config{MediaAfter: -1})
	w.promised("own1")
	for len(w.files("journal/*/*.own1.*")) == 0 { // before the schedule's first pass: pull makes the ticket
		w.poll(t.Context(), w.pulls[0], mischief{})
	}
	w.send(`{"v":1,"orderNo":"own1","opening":"` + opening + `","attempt":1,"notBefore":"2026-11-23T19:05:45Z"}`) // of an order that is archived
	stop := w.run(mischief{})
	w.wait(time.Minute, w.promised("oddjpegA1", "busy1xA1")...) // the service refuses everyone for a while

	w.promised("walkaway1", "novideo1")
	w.waitFor("retry/walkaway1.*", "retry/novideo1.*")
	w.longAgo(2*time.Minute, "retry/novideo1.*")
	w.promised("novideo1") // a new hint
	w.longAgo(40*time.Minute, "pending/walkaway1.*", "retry/walkaway1.*")
	w.waitFor("quiet/walkaway1.*")
	w.longAgo(2*time.Minute, "quiet/walkaway1.*")
	w.promised("walkaway1") // the same for a quiet order
	w.longAgo(73*time.Hour, "pending/walkaway1.*", "pending/novideo1.*")
	w.waitFor("closed/walkaway1.*", "orders/novideo1/manifest.json")
	w.get("/v1/orders/walkaway1", "", "walkaway1")
	w.promised("walkaway1")

	query, err := w.sim.RedirectQuery("png1", "0")
	if err != nil {
		t.Fatal(err)
	}
	if code := w.get("/v1/completions", query.Encode(), ""); code != http.StatusAccepted {
		t.Errorf("redirect: status %d", code)
	}
	w.wait(time.Minute, "png1")
	stop()
	w.passMakesTheTicket()
	w.rightsAreLeast(w.functions()...)
}

// passMakesTheTicket: a fresh refetch function finds no ticket.
func (w *cloud) passMakesTheTicket() {
	w.t.Helper()
	for _, file := range append(w.files("system/ticket/*"), w.files("system/lease/*")...) {
		if err := os.Remove(file); err != nil {
			w.t.Fatal(err)
		}
	}
	w.refetch.Kill()
	if _, failed := w.refetch.Invoke(w.t.Context(), []byte(`{}`), timeout); failed != nil {
		w.t.Fatal(failed)
	}
}

// promised completes orders.
func (w *cloud) promised(orders ...string) []string {
	w.t.Helper()
	for _, o := range orders {
		if code := w.complete(o); code != http.StatusAccepted && code != http.StatusOK {
			w.t.Fatalf("completion of %s: status %d\n%s", o, code, w.logs())
		}
	}
	return orders
}

// get asks the function URL with an order's token, if one is named.
func (w *cloud) get(path, query, order string) int {
	w.t.Helper()
	var e events.LambdaFunctionURLRequest
	e.Version, e.RawPath, e.RawQueryString, e.Headers = "2.0", path, query, map[string]string{}
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.Path = http.MethodGet, path
	if order != "" {
		token, err := webhook.MintToken(secret.New(jwtKey), webhook.JWT, archive.Order(order), time.Hour, time.Now())
		if err != nil {
			w.t.Fatal(err)
		}
		e.Headers["authorization"] = "Bearer " + token
	}
	return w.ask(e)
}

// ask invokes the webhook, and gives the status of its answer.
func (w *cloud) ask(e events.LambdaFunctionURLRequest) int {
	w.t.Helper()
	event, err := json.Marshal(e)
	if err != nil {
		w.t.Fatal(err)
	}
	data, failed := w.webhook.Invoke(w.t.Context(), event, timeout)
	if failed != nil {
		w.t.Logf("webhook: %v", failed)
		return http.StatusInternalServerError
	}
	var answer events.LambdaFunctionURLResponse
	if err := json.Unmarshal(data, &answer); err != nil {
		w.t.Fatalf("webhook answered %q", data)
	}
	return answer.StatusCode
}

// files are the store's files for keys of a pattern.
func (w *cloud) files(pattern string) []string {
	w.t.Helper()
	all, err := filepath.Glob(filepath.Join(w.s3.Root, w.stack.Bucket(), w.stack.Prefix(), pattern))
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// waitFor waits until there is an object for each pattern.
func (w *cloud) waitFor(patterns ...string) {
	w.t.Helper()
	end := time.Now().Add(time.Minute)
	for _, pattern := range patterns {
		for len(w.files(pattern)) == 0 {
			if time.Now().After(end) {
				w.t.Fatalf("there is no %s\n%s", pattern, w.logs())
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

// longAgo sets the time back at which objects were written.
func (w *cloud) longAgo(by time.Duration, patterns ...string) {
	w.t.Helper()
	then := time.Now().Add(-by)
	for _, pattern := range patterns {
		for _, file := range w.files(pattern) {
			if err := os.Chtimes(file, then, then); err != nil && !os.IsNotExist(err) {
				w.t.Fatal(err)
			}
		}
	}
}

// rightsAreLeast: every call that a function made is allowed by the template, and every right that a run shows was used.
func (w *cloud) rightsAreLeast(functions ...*function) {
	w.t.Helper()
	for id, unseen := range w.callsAreAllowed(functions...) {
		for _, r := range unseen {
			w.t.Errorf("%s has the right %s %s, and no call shows it", id, r.Action, r.Where)
		}
	}
}

// callsAreAllowed: every call that a function made is allowed by the template. It gives the rights that no call shows.
func (w *cloud) callsAreAllowed(functions ...*function) (unseen map[string][]samtest.Right) {
	w.t.Helper()
	policies, err := w.stack.Policies()
	if err != nil {
		w.t.Fatal(err)
	}
	calls, unseen := make(map[string][]samtest.Call), make(map[string][]samtest.Right)
	for _, f := range functions {
		calls[f.id] = append(calls[f.id], w.asIAM(f)...)
	}
	for id, made := range calls {
		var forbidden []samtest.Call
		forbidden, unseen[id] = policies.Compare(id, made)
		for _, c := range forbidden {
			w.t.Errorf("%s may not make its call %s", id, c)
		}
	}
	return unseen
}
