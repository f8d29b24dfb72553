package faceidtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

func (c *caller) fault(f Fault) {
	c.t.Helper()
	if err := c.fake.AddFault(f); err != nil {
		c.t.Fatal(err)
	}
}

func TestFaultByNthCall(t *testing.T) {
	bothDialects(t, func(t *testing.T, route Route) {
		c := newCaller(t, route)
		c.refresh()
		c.fault(Fault{Route: Query, Order: "ok1", Skip: 1, Times: 2, Code: "999999"})
		var got []string
		for range 5 {
			got = append(got, c.code(c.query("ok2", "")), c.code(c.query("ok1", "")))
		}
		const no, hit = "66660011", "999999"
		if want := []string{no, no, no, hit, no, hit, no, no, no, no}; !slices.Equal(got, want) {
			t.Errorf("codes of ok2 and ok1 in turn: %v, want %v", got, want)
		}
	})
}

func TestFaultAnswers(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	c.fault(Fault{Status: 503, Body: "busy"})
	c.fault(Fault{Reset: true})
	if r, err := c.ask("ok1", ""); err != nil || r.status != 503 || string(r.body) != "busy" {
		t.Errorf("got %d %q (%v), want 503 busy", r.status, r.body, err)
	}
	if _, err := c.ask("ok1", ""); !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want a broken connection", err)
	}
	if r, err := c.ask("ok1", ""); err != nil || r.status != 200 {
		t.Errorf("each is for one call; the third got %d (%v)", r.status, err)
	}
	calls := c.fake.History()
	if got := calls[len(calls)-2]; got.Status != 0 || got.Code != "" || !got.Fault {
		t.Errorf("the history tells of a broken connection as %+v", got)
	}
}

// TestFaultAfterTheEffect: the answer is lost, but the nonce is used and the order's check has ended.
func TestFaultAfterTheEffect(t *testing.T) {
	for after, want := range map[bool]string{false: "66660011", true: "400101"} {
		c := newCaller(t, Sync)
		c.refresh()
		c.fault(Fault{Route: Sync, Status: 502, After: after})
		q := c.query("ok1", "")
		c.mustSend(q)
		if got := c.code(q); got != want {
			t.Errorf("after %t: the same query again got %s, want %s", after, got, want)
		}
	}
}

func TestFaultsAreCleared(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	c.fault(Fault{Times: -1, Code: "999999"})
	if got := c.code(c.query("ok1", "")) + c.code(c.query("ok1", "")); got != "999999999999" {
		t.Errorf("codes %s, want 999999 for ever", got)
	}
	c.fake.ClearFaults()
	if got := c.code(c.query("ok1", "")); got != "66660011" {
		t.Errorf("code %s after the faults were cleared", got)
	}
}

// TestFaultRateIsSeeded: about the share that was asked for, and for each order the same calls whatever comes between.
func TestFaultRateIsSeeded(t *testing.T) {
	run := func(seed uint64, between bool) string {
		s := New(Config{Seed: seed})
		if err := s.AddFault(Fault{Rate: 0.3, Reset: true}); err != nil {
			t.Fatal(err)
		}
		var hits strings.Builder
		for range 200 {
			if between {
				s.nextFault(Sync, "ok2")
			}
			_, hit := s.nextFault(Sync, "ok1")
			hits.WriteString(map[bool]string{true: "x", false: "."}[hit])
		}
		return hits.String()
	}
	first := run(1, false)
	if n := strings.Count(first, "x"); n < 40 || n > 80 {
		t.Errorf("%d of 200 calls were hit, want about 60: %s", n, first)
	}
	if got := run(1, true); got != first {
		t.Errorf("calls about another order changed which are hit:\n%s\n%s", first, got)
	}
	if run(2, false) == first {
		t.Error("another seed hits the same calls")
	}
}

func TestFaultsThatCanDoNothing(t *testing.T) {
	for _, f := range []Fault{{}, {Route: "nothing", Reset: true}, {Status: 99}, {Status: 600}, {Reset: true, Rate: 1.1}, {Reset: true, Rate: -1}, {Times: 3}} {
		if err := New(Config{}).AddFault(f); !errors.Is(err, errFault) {
			t.Errorf("%+v: error %v, want %v", f, err, errFault)
		}
	}
}

func TestFaultDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := New(Config{AppID: testApp, Secret: secret.New(testSecret)})
		if err := fake.AddFault(Fault{Delay: time.Hour}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Sync.path(), nil))
		if took := time.Since(start); took != time.Hour || !strings.Contains(w.Body.String(), "400100") {
			t.Errorf("answered %s after %v, want the usual answer after an hour", w.Body, took)
		}
	})
}

// TestSlowTakesItsTime: the trickle lasts as long as Config says, however long the body is.
func TestSlowTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, order := range []string{"slow1", "ok1"} {
			fake := New(Config{AppID: testApp, Secret: secret.New(testSecret), MediaAfter: -1, SlowFor: 10 * time.Second})
			fake.OtherRefresh()
			ticket, _ := fake.Ticket()
			nonce := strings.Repeat("n", nonceLen)
			query := "?app_id=" + testApp + "&order_no=" + order + "&version=1.0.0&get_file=1&nonce=" + nonce +
				"&sign=" + sign(testApp, order, "1.0.0", nonce, ticket.Reveal())
			start := time.Now()
			w := httptest.NewRecorder()
			fake.ServeHTTP(w, httptest.NewRequest(http.MethodGet, Sync.path()+query, nil))
			took, slow := time.Since(start), order == "slow1"
			if slow && (took < 9*time.Second || took > 12*time.Second) || !slow && took != 0 {
				t.Errorf("%s took %v", order, took)
			}
			if got, err := parse(raw{body: w.Body.Bytes()}); err != nil || !bytes.Equal(got.photo, Photo()) {
				t.Errorf("%s: not the photo (%v)", order, err)
			}
		}
	})
}

func TestSetMedia(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	photo := []byte("any bytes")
	c.fake.SetMedia("ok1", photo, nil)
	photo[0] = 'X' // the caller's slice stays the caller's
	c.clock.advance(2 * time.Second)
	r, err := c.whole("ok1")
	if err != nil || string(r.photo) != "any bytes" || len(r.video) != 0 {
		t.Errorf("photo %q, video of %d bytes (%v), want the given bytes and none", r.photo, len(r.video), err)
	}
}
