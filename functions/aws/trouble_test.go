package aws_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestThroughEveryTrouble: fifty orders with all that can go wrong between the parts; in the end every order is archived, each
// evidence object was written once, and nothing is among the dead letters.
func TestThroughEveryTrouble(t *testing.T) {
	w := newCloud(t, faceidtest.Config{})
	kinds := []string{"own", "own", "videolate", "photolate", "cut", "oddjpeg", "png", "notsame", "broken", "gzip"}
	var orders []string
	for i := range 50 {
		orders = append(orders, fmt.Sprintf("%sE%d", kinds[i%len(kinds)], i))
	}
	w.s3IsTroubled()
	dies := w.diesInAPut()
	stop := w.run(mischief{lose: 0.1, double: 0.1})
	for i, o := range orders {
		for w.complete(o) >= http.StatusInternalServerError { // who was not promised anything comes again
			time.Sleep(50 * time.Millisecond)
		}
		if i%10 == 0 {
			w.send(`{"v":1,"orderNo":"../../etc","opening":"x","attempt":1}`)
			w.send("not even JSON")
		}
	}
	w.wait(2*time.Minute, orders...)
	stop()
	w.verify()
	if !dies.Load() {
		t.Error("no function died in a put")
	}
	w.evidenceWrittenOnce()
	if n := w.depth(w.dlq); n != "0" {
		t.Errorf("%s dead letters", n)
	}
	if s := w.sim.Stats(); s.Replays > 0 || s.Unsigned > 0 || s.Refreshes != 1 {
		t.Errorf("the service was mistreated: %+v", s)
	}
	w.holdsSecrets()
}

// s3IsTroubled lets S3 refuse or break every third request of every function for some seconds, or lose its answer.
func (w *cloud) s3IsTroubled() {
	var n atomic.Int64
	end := time.Now().Add(6 * time.Second)
	for _, f := range w.functions() {
		f.s3.make(func(call) trouble {
			switch i := n.Add(1); {
			case time.Now().After(end) || i%3 != 0:
				return nil
			case i%9 == 0:
				return f.s3.lose
			case i%2 == 0:
				return slowDown
			}
			return reset
		})
	}
}

// diesInAPut kills the first pull function as it puts a video, with half of it sent.
func (w *cloud) diesInAPut() *atomic.Bool {
	f, dead := w.pulls[0], new(atomic.Bool)
	f.s3.make(func(c call) trouble {
		if !c.puts("/video.") || !dead.CompareAndSwap(false, true) {
			return nil
		}
		return func(_ http.ResponseWriter, r *http.Request) {
			_, _ = r.Body.Read(make([]byte, c.size/2))
			f.Kill()
			panic(http.ErrAbortHandler)
		}
	})
	return dead
}

// evidenceWrittenOnce: of every object below orders/ and journal/ one put went well, whatever was tried.
func (w *cloud) evidenceWrittenOnce() {
	w.t.Helper()
	if n := writtenOnce(w.t, w.s3Calls(), "/orders/", "/journal/"); n < 50*5 {
		w.t.Errorf("only %d objects were written", n)
	}
}

// writtenOnce wants one put that went well of each object whose key holds one of the texts, and counts the objects.
func writtenOnce(t *testing.T, calls []call, parts ...string) int {
	t.Helper()
	puts := make(map[string]int)
	for _, c := range calls {
		if c.status == http.StatusOK && slices.ContainsFunc(parts, c.puts) {
			puts[c.url.Path]++
		}
	}
	for key, n := range puts {
		if n != 1 {
			t.Errorf("%s was written %d times", key, n)
		}
	}
	return len(puts)
}

// holdsSecrets: no log holds a secret.
func (w *cloud) holdsSecrets() {
	w.t.Helper()
	for _, f := range w.functions() {
		for _, s := range append([]string{w.s3.SecretKey, "Signature=", "PRIVATE+KEY"}, planted...) {
			if strings.Contains(f.Logs(), s) {
				w.t.Errorf("the log of %s holds a secret", f.name)
			}
		}
	}
}

// TestCostOfAnOrder counts what an order that goes well writes, and what a late one is billed for.
func TestCostOfAnOrder(t *testing.T) {
	w := newCloud(t, faceidtest.Config{MediaAfter: 3 * time.Second}, "KYC_REFETCH_EVERY=10s")
	if _, failed := w.refetch.Invoke(t.Context(), []byte(`{}`), timeout); failed != nil { // makes the ticket
		t.Fatal(failed)
	}
	w.sim.EndCheck("own1", time.Now().Add(-time.Minute))
	if code := w.complete("own1"); code != http.StatusAccepted {
		t.Fatalf("status %d", code)
	}
	stop := w.run(mischief{})
	w.wait(time.Minute, "own1")
	stop()
	writes := 0
	for _, c := range w.s3Calls() {
		if c.puts("own1") {
			writes++
		}
	}
	if writes != 6 {
		t.Errorf("%d writes for an order that goes well, want 6", writes)
	}
	w.spans = nil
	began := time.Now()
	w.sim.EndCheck("own2", began) // its media come 3 s later
	if code := w.complete("own2"); code != http.StatusAccepted {
		t.Fatalf("status %d", code)
	}
	stop = w.run(mischief{})
	w.wait(time.Minute, "own2")
	stop()
	w.passesTheTrace()
	var busy time.Duration
	for _, s := range w.spans {
		busy += s.took
	}
	asleep := time.Since(began)
	t.Logf("an order whose media came 3 s late: %d invocations, busy for %s; a function that sleeps would be billed for about 3 s", len(w.spans), busy.Round(time.Millisecond))
	if busy > asleep/2 {
		t.Errorf("busy for %s of %s: it sleeps", busy, asleep)
	}
}

// passesTheTrace: Lambda counts by the trace how long a chain of messages is.
func (w *cloud) passesTheTrace() {
	w.t.Helper()
	for _, f := range append([]*function{w.webhook}, w.pulls...) {
		for _, c := range f.sqs.seen() {
			if trace := c.header.Get("X-Amzn-Trace-Id"); !strings.HasPrefix(trace, "Root=") {
				w.t.Errorf("%s sent a message with the trace %q", f.name, trace)
			}
		}
	}
}

// TestLargeVideos passes videos of 20 and 200 MiB through one pull function: its memory stays flat.
func TestLargeVideos(t *testing.T) {
	peertest.NeedPeak(t)
	w := newCloud(t, faceidtest.Config{MediaAfter: -1})
	w.pulls = w.pulls[:1]
	for _, order := range []string{"big20mb1", "big200mb1"} {
		if code := w.complete(order); code != http.StatusAccepted {
			t.Fatalf("status %d", code)
		}
		stop := w.run(mischief{})
		w.wait(2*time.Minute, order)
		stop()
		peak := peertest.PeakMiB(t, w.pulls[0].PID())
		if t.Logf("%s: peak %d MiB", order, peak); peak > 64 {
			t.Errorf("%s: peak %d MiB, at most 64 are allowed", order, peak)
		}
	}
	w.verify()
}
