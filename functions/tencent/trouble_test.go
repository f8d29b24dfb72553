package tencent_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/delay/scf/scftest"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestThroughEveryTrouble: fifty orders with all that can go wrong between the parts, and credentials that change half-way; in
// the end every order is archived, and each evidence object was stored once.
func TestThroughEveryTrouble(t *testing.T) {
	t.Parallel()
	d := deploy(t, options{
		cos:   costest.Config{StaleFor: time.Second, Seed: 7}, // listings are of a second ago, all the time
		queue: mischief{lose: 0.1, double: 0.1},
	})
	kinds := []string{"own", "own", "videolate", "photolate", "cut", "oddjpeg", "png", "notsame", "broken", "gzip"}
	var orders []string
	for i := range 50 {
		orders = append(orders, fmt.Sprintf("%sE%d", kinds[i%len(kinds)], i))
	}
	quiet := d.isTroubled()
	dies := d.diesInAPut()
	stop := d.timer()
	for half := range slices.Chunk(orders, len(orders)/2) {
		d.insist(half)
		d.rotate("after " + half[0])
	}
	faults := func() int { return d.cos.Count(func(c costest.Call) bool { return c.Fault }) }
	d.until(time.Minute, func() bool { return faults() >= 100 && dies.Load() }, func() string {
		return fmt.Sprintf("there was little trouble: a function died in a put: %t; %d faults of COS", dies.Load(), faults())
	})
	quiet()
	d.wait(time.Minute, orders...)
	stop()
	d.verify()
	if n := len(d.pull.Starts()); n < 2 {
		t.Errorf("%d starts of pull", n)
	}
	d.evidenceWrittenOnce(len(orders) * 5)
	if s := d.sim.Stats(); s.Replays > 0 || s.Unsigned > 0 || s.Refreshes != 1 {
		t.Errorf("the service was mistreated: %+v", s)
	}
	d.hasItsRights()
	d.holdsSecrets()
}

// insist completes orders, some at once, until each was promised, and throws poisoned events among theirs.
func (d *deployment) insist(orders []string) {
	var wg sync.WaitGroup
	for some := range slices.Chunk(orders, 7) {
		wg.Go(func() {
			for _, o := range some {
				for d.complete(o) >= http.StatusInternalServerError { // who was not promised anything comes again
					time.Sleep(50 * time.Millisecond)
				}
			}
			d.queue.put([]byte("not even JSON"))
			d.queue.put([]byte(`[{"v":1,"orderNo":"../../etc","opening":"x","attempt":1},17,{"v":1,"orderNo":"` + some[0] + `","opening":"` + opening + `","attempt":1}]`))
		})
	}
	wg.Wait()
}

// isTroubled lets COS and the API refuse or break a part of all requests, before and after they had their effect, until the
// function that it gives is called.
func (d *deployment) isTroubled() (end func()) {
	d.t.Helper()
	for _, f := range []costest.Fault{
		{Rate: 0.08, Status: http.StatusServiceUnavailable, Code: "SlowDown"},
		{Rate: 0.05, Status: http.StatusBadGateway}, // of a proxy
		{Rate: 0.05, Reset: true},
		{Rate: 0.05, Reset: true, After: true},
		{Rate: 0.03, Status: http.StatusInternalServerError, Code: "InternalError", After: true},
		{Rate: 0.10, Cut: 10, Action: costest.GetObject},
		{Rate: 0.05, Cut: 100, Action: costest.GetBucket},
	} {
		if err := d.cos.AddFault(f); err != nil {
			d.t.Fatal(err)
		}
	}
	d.apiFaults(func(n int) *scftest.Fault {
		return map[int]*scftest.Fault{
			1: {Code: "RequestLimitExceeded"}, 2: {Lost: true}, 3: {Lost: true, Taken: true}, 4: {Status: http.StatusBadGateway}, 5: {Code: "InternalError.System"},
		}[n%12]
	})
	return func() { d.cos.ClearFaults(); d.apiFaults(nil) }
}

// diesInAPut ends all instances of pull, as the platform may, when half of a video has been put.
func (d *deployment) diesInAPut() *atomic.Bool {
	dead := new(atomic.Bool)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = func(r *http.Request) {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/video.") || !dead.CompareAndSwap(false, true) {
			return
		}
		half := make([]byte, r.ContentLength/2)
		n, _ := io.ReadFull(r.Body, half)
		d.pull.Kill()
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(half[:n]), r.Body), r.Body}
	}
	return dead
}

// TestCostOfAnOrder counts what an order that goes well writes, and what it is billed for, also when its media come late.
func TestCostOfAnOrder(t *testing.T) {
	t.Parallel()
	d := deploy(t, options{sim: faceidtest.Config{MediaAfter: 3 * time.Second}, env: map[string]string{"KYC_STEP_DELAY": "", "KYC_REFETCH_EVERY": ""}})
	if err := d.pass(t.Context()); err != nil { // makes the ticket
		t.Fatal(err)
	}
	for _, c := range []struct {
		order   string
		ended   time.Time
		longest time.Duration // waits are billed
	}{{"own1", time.Now().Add(-time.Minute), 3900 * time.Millisecond}, {"own2", time.Now().Add(3 * time.Second), 8 * time.Second}} {
		d.sim.EndCheck(c.order, c.ended)
		d.promised(c.order)
		d.wait(time.Minute, c.order)
		d.queue.wg.Wait()
		writes := d.cos.Count(func(call costest.Call) bool {
			return call.Changed && call.Action == costest.PutObject && strings.Contains(call.Key, c.order)
		})
		n, busy := d.queue.taken()
		if t.Logf("%s: %d writes; %d invocations of pull, %s", c.order, writes, n, busy.Round(time.Millisecond)); writes != 6 {
			t.Errorf("%d writes, want 6", writes)
		}
		if n != 1 || busy > c.longest {
			t.Errorf("%d invocations for %s, want one for at most %s", n, busy, c.longest)
		}
	}
	if n := len(d.api.Calls()); n != 2 {
		t.Errorf("%d calls of the API for two orders", n)
	}
}

// TestLargeVideos passes videos of 20 and 200 MiB through one pull function: its memory stays flat.
func TestLargeVideos(t *testing.T) {
	peertest.NeedPeak(t)
	d := deploy(t, options{sim: faceidtest.Config{MediaAfter: -1}})
	for _, order := range []string{"big20mb1", "big200mb1"} {
		d.promised(order)
		d.wait(time.Minute, order)
		pids := d.pull.PIDs()
		if len(pids) != 1 {
			t.Fatalf("%d instances", len(pids))
		}
		if peak := peertest.PeakMiB(t, pids[0]); peak > 64 {
			t.Errorf("%s: peak %d MiB, at most 64 are allowed", order, peak)
		} else {
			t.Logf("%s: peak %d MiB", order, peak)
		}
	}
	d.verify()
}
