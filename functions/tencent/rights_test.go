package tencent_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/platform/tencent/serverlesstest"
)

// unseen are the rights that no call of this test shows, with their reason.
var unseen = map[string]string{
	"webhook cos:HeadBucket": "the store's clock, for an instance that heard nothing of COS for a minute",
	"pull cos:HeadBucket":    "the same",
}

// TestRightsAreLeast leads orders to every end that there is, lets the hours before be sealed, loses an answer in every folder, and
// holds the calls that the functions made against the shipped policies, both ways. What takes hours is done by setting objects'
// times back.
func TestRightsAreLeast(t *testing.T) {
	t.Parallel()
	d := deploy(t, options{sim: faceidtest.Config{MediaAfter: -1}, env: map[string]string{"KYC_STEP_DELAY": "200ms"}})
	d.archivedAt("old1", d.past(5))
	private, _ := sealKey(t)
	d.reset(sealing(private, d.past(3)))
	d.losesAnswers()
	d.strays("retry/stray1.", "quiet/stray2.")
	d.promised("own1")
	d.wait(time.Minute, "own1") // before the first pass: pull makes the ticket
	d.queue.put([]byte(`{"v":1,"orderNo":"own1","opening":"` + opening + `","attempt":1}`))
	stop := d.timer()
	waits := d.promised("oddjpegA1", "busy1xA1") // the service refuses everyone for a while
	d.waitFor("system/backoff")
	waits = append(waits, d.promised("own2")...) // another order probes sooner than the refused one
	d.waitFor("system/probe/")                   // it stays, since who made it did not hear that it did
	d.longAgo(10*time.Minute, "system/probe/")   // so that another one succeeds it
	d.wait(time.Minute, waits...)

	d.promised("walkaway1", "novideo1")
	d.waitFor("retry/walkaway1.", "retry/novideo1.")
	d.longAgo(2*time.Minute, "retry/novideo1.")
	d.promised("novideo1") // a new hint
	d.longAgo(40*time.Minute, "pending/walkaway1.", "retry/walkaway1.")
	d.waitFor("quiet/walkaway1.")
	d.longAgo(2*time.Minute, "quiet/walkaway1.")
	d.promised("walkaway1") // the same for a quiet order
	d.longAgo(73*time.Hour, "pending/walkaway1.", "pending/novideo1.")
	d.waitFor("closed/walkaway1.", "orders/novideo1/manifest.json")
	if code := d.ask(http.MethodGet, "/v1/orders/walkaway1", nil, "walkaway1", ""); code != http.StatusOK {
		t.Errorf("status of an order: %d", code)
	}
	d.promised("walkaway1")
	d.redirected("png1")
	d.wait(time.Minute, "png1")
	stop()
	d.passMakesTheTicket()
	d.hasItsRights()
	d.usesItsRights()
}

// strays are notes that steps left which died within their clearing.
func (d *deployment) strays(begins ...string) {
	d.t.Helper()
	for _, begin := range begins {
		if err := d.bucket.Put(d.t.Context(), begin+opening, bucket.Bytes([]byte(`{"v":1}`), "application/json")); err != nil {
			d.t.Fatal(err)
		}
	}
}

// redirected brings an order by the H5 redirect.
func (d *deployment) redirected(order string) {
	d.t.Helper()
	query, err := d.sim.RedirectQuery(order, "0")
	if err != nil {
		d.t.Fatal(err)
	}
	flat := map[string]string{}
	for name := range query {
		flat[name] = query.Get(name)
	}
	if code := d.ask(http.MethodGet, "/v1/completions", flat, "", ""); code != http.StatusAccepted {
		d.t.Errorf("redirect: status %d", code)
	}
}

// losesAnswers breaks, for each function and folder, the connection of the first create, after it had its effect: the driver
// then looks whether the object is there.
func (d *deployment) losesAnswers() {
	d.t.Helper()
	var mu sync.Mutex
	lost := map[string]bool{}
	err := d.cos.AddFault(costest.Fault{Action: costest.PutObject, Times: -1, Reset: true, After: true, Match: func(c costest.Call) bool {
		mu.Lock()
		defer mu.Unlock()
		folder := serverlesstest.Folder(strings.TrimPrefix(c.Key, prefix))
		if !c.ForbidOverwrite || lost[folder] {
			return false
		}
		lost[folder] = true
		return true
	}})
	if err != nil {
		d.t.Fatal(err)
	}
}

// passMakesTheTicket: a fresh refetch function finds no ticket, and its answers get lost.
func (d *deployment) passMakesTheTicket() {
	d.t.Helper()
	for _, key := range append(d.archived("system/ticket/"), d.archived("system/lease/")...) {
		if err := d.bucket.Delete(d.t.Context(), strings.TrimPrefix(key, prefix)); err != nil {
			d.t.Fatal(err)
		}
	}
	d.refetch.Kill()
	d.losesAnswers()
	if err := d.pass(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// usesItsRights: of every right that a role has, there was a call.
func (d *deployment) usesItsRights() {
	d.t.Helper()
	used := map[string]bool{}
	for _, c := range d.cos.History() {
		function, folder := functionOf(c.SecretID), serverlesstest.Folder(strings.TrimPrefix(c.Key, prefix))
		used[function+" "+c.Action] = true
		used[function+" "+c.Action+" "+folder] = true
	}
	for _, function := range serverlesstest.Functions() {
		for _, right := range d.rights.Granted(function) {
			if key := function + " " + right; !used[key] && unseen[key] == "" {
				d.t.Errorf("%s may %s, and no call shows it", function, right)
			}
		}
	}
	calls := map[string]int{}
	for _, c := range d.api.Calls() {
		calls[functionOf(c.SecretID)]++
	}
	if calls["webhook"] == 0 || calls["refetch"] == 0 || calls["pull"] != 0 {
		d.t.Errorf("calls of the API: %v", calls)
	}
}
