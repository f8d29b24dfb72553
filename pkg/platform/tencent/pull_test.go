package tencent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// TestOneInvocationRunsAnOrdersShortPolls: the message comes at once, the steps at their times; nothing is sent anew.
func TestOneInvocationRunsAnOrdersShortPolls(t *testing.T) {
	live(t, nil, func(h *house) {
		h.warm()
		begin := time.Now()
		m := h.complete("videolate1")
		sent := len(h.sent)
		if answer, err := h.invoke(h.pull, encode(t, m), timeLimit); err != nil || string(answer) != "null" {
			t.Errorf("%s, %v", answer, err)
		}
		if took := time.Since(begin); took < 6*time.Second || took > 7*time.Second {
			t.Errorf("it took %s, want three steps two seconds apart", took)
		}
		if state := h.state("videolate1"); state != kyc.StateArchived {
			t.Errorf("the order is %s", state)
		}
		if len(h.sent) != sent {
			t.Errorf("messages were sent: %+v", h.sent[sent:])
		}
	})
}

// TestWhatIsLeftAfterTheStepsWaitsForTheTimer: three steps, then a note.
func TestWhatIsLeftAfterTheStepsWaitsForTheTimer(t *testing.T) {
	live(t, nil, func(h *house) {
		h.warm()
		begin := time.Now()
		if _, err := h.invoke(h.pull, encode(t, h.complete("walkaway1")), timeLimit); err != nil {
			t.Error(err)
		}
		if at := h.asked("walkaway1", begin); len(at) != 3 {
			t.Errorf("asked at %v, want three times", at)
		}
		if state := h.state("walkaway1"); state != kyc.StatePending {
			t.Errorf("the order is %s", state)
		}
		time.Sleep(5 * time.Minute)
		h.warm()
		last := h.sent[len(h.sent)-1]
		if last.Order != "walkaway1" || !last.Single {
			t.Fatalf("the pass handed out %+v", last)
		}
		again := time.Now()
		if _, err := h.invoke(h.pull, encode(t, last), timeLimit); err != nil {
			t.Error(err)
		}
		if took := time.Since(again); took > time.Second {
			t.Errorf("a single try took %s", took)
		}
	})
}

// TestNothingBeginsNearTheDeadline: the try is noted, the marker stays, and the invocation did not fail.
func TestNothingBeginsNearTheDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		limit time.Duration
		asked int
	}{
		"no time at all":    {2 * time.Second, 0}, // the step would begin at the very end
		"time for one":      {4 * time.Second, 1},
		"time for two":      {6 * time.Second, 2},
		"time for all":      {20 * time.Second, 3},
		"time and to spare": {15 * time.Minute, 3},
	} {
		t.Run(name, func(t *testing.T) {
			live(t, nil, func(h *house) {
				h.warm()
				begin := time.Now()
				_, err := h.invoke(h.pull, encode(t, h.complete("walkaway1")), c.limit)
				if at := h.asked("walkaway1", begin); err != nil || len(at) != c.asked {
					t.Errorf("asked at %v, want %d times; %v", at, c.asked, err)
				}
				if took := time.Since(begin); took > c.limit*3/4 {
					t.Errorf("it waited for %s", took)
				}
				if h.state("walkaway1") != kyc.StatePending {
					t.Error("the marker is gone")
				}
				noted := false
				for _, o := range h.bucket.Objects() {
					noted = noted || strings.HasPrefix(o.Key, "retry/")
				}
				if noted != (c.asked > 0) {
					t.Errorf("noted: %t", noted)
				}
			})
		})
	}
}

// TestLongDelayIsTheTimers: a wait that no invocation can hold is not begun.
func TestLongDelayIsTheTimers(t *testing.T) {
	live(t, nil, func(h *house) {
		h.variables["KYC_STEP_DELAY"] = "15m"
		h.warm()
		begin := time.Now()
		if _, err := h.invoke(h.pull, encode(t, h.complete("ok1")), timeLimit); err != nil || time.Since(begin) > time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		if !strings.Contains(h.logs.String(), "no time left in this invocation") {
			t.Error("the log says nothing of it")
		}
	})
}

// TestWrongClockHoldsNoInvocation: a message from a clock that is ahead waits as long as steps are apart, not longer.
func TestWrongClockHoldsNoInvocation(t *testing.T) {
	live(t, nil, func(h *house) {
		h.warm()
		m := h.complete("ok1")
		m.NotBefore = time.Now().Add(40 * time.Second)
		begin := time.Now()
		if _, err := h.invoke(h.pull, encode(t, m), timeLimit); err != nil || time.Since(begin) > 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		if state := h.state("ok1"); state != kyc.StateArchived {
			t.Errorf("the order is %s", state)
		}
	})
}

// TestInvocationWithoutADeadline: scf-go-lib makes 1970 of it.
func TestInvocationWithoutADeadline(t *testing.T) {
	live(t, nil, func(h *house) {
		h.warm()
		m := h.complete("ok1")
		ctx, cancel := h.invocation(timeLimit)
		defer cancel()
		ctx, cancel = context.WithDeadline(context.WithoutCancel(ctx), time.Unix(0, 0))
		defer cancel()
		if _, err := h.pull.Invoke(ctx, encode(t, m)); err != nil || h.state("ok1") != kyc.StateArchived {
			t.Errorf("%v; the order is %s", err, h.state("ok1"))
		}
	})
}

// TestArrayRunsSideBySide: many orders, some at once, each one step at a time; twice the same does no harm.
func TestArrayRunsSideBySide(t *testing.T) {
	var gauge *gauged
	live(t, func(o *Options, h *house) {
		gauge = &gauged{Bucket: h.bucket, now: map[string]int{}}
		o.Bucket = gauge
	}, func(h *house) {
		h.warm()
		var all []kyc.Message
		for i := range 40 {
			m := h.complete(fmt.Sprintf("ok%d", i))
			m.Single, m.NotBefore = true, time.Now()
			all = append(all, m, m)
		}
		time.Sleep(5 * time.Second)
		gauge.most, gauge.twice = 0, false
		if _, err := h.invoke(h.pull, encode(t, all...), timeLimit); err != nil {
			t.Error(err)
		}
		for i := range 40 {
			if state := h.state(fmt.Sprintf("ok%d", i)); state != kyc.StateArchived {
				t.Errorf("order %d is %s", i, state)
			}
		}
		if gauge.most != parallel || gauge.twice {
			t.Errorf("%d orders at once, want %d; one order twice at once: %t", gauge.most, parallel, gauge.twice)
		}
	})
}

// TestArrayOutlastsItsInvocation: what there is no time for is left alone, without a note, so that the next pass hands it out.
func TestArrayOutlastsItsInvocation(t *testing.T) {
	live(t, func(o *Options, h *house) { o.Bucket = &gauged{Bucket: h.bucket, now: map[string]int{}} }, func(h *house) {
		h.warm()
		var all []kyc.Message
		for i := range 40 {
			m := h.complete(fmt.Sprintf("ok%d", i))
			m.Single, m.NotBefore = true, time.Now()
			all = append(all, m)
		}
		time.Sleep(5 * time.Second)
		archived := func() (n int) {
			for _, m := range all {
				if h.state(string(m.Order)) == kyc.StateArchived {
					n++
				}
			}
			return n
		}
		for invocation, want := range []func(int) bool{func(n int) bool { return n >= parallel && n < 40 }, func(n int) bool { return n == 40 }} {
			limit := []time.Duration{2 * time.Second, timeLimit}[invocation]
			begin := time.Now()
			if _, err := h.invoke(h.pull, encode(t, all...), limit); err != nil || time.Since(begin) >= limit {
				t.Errorf("after %s: %v", time.Since(begin), err)
			}
			if n := archived(); !want(n) {
				t.Errorf("invocation %d: %d of 40 orders are archived", invocation+1, n)
			}
		}
		for _, o := range h.bucket.Objects() {
			if strings.HasPrefix(o.Key, "retry/") {
				t.Errorf("a try was noted: %s", o.Key)
			}
		}
		if !strings.Contains(h.logs.String(), "no time left in this invocation") {
			t.Error("the log says nothing of it")
		}
	})
}

// gauged sees how many orders are looked at side by side: each listing of an order takes a while.
type gauged struct {
	bucket.Bucket
	mu    sync.Mutex
	now   map[string]int
	most  int
	twice bool
}

func (g *gauged) Create(ctx context.Context, key string, c bucket.Content) error {
	order, _, found := strings.Cut(strings.TrimPrefix(key, "orders/"), "/")
	if found && strings.HasPrefix(key, "orders/") {
		g.mu.Lock()
		g.now[order]++
		g.twice = g.twice || g.now[order] > 1
		g.most = max(g.most, len(g.now))
		g.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
		defer func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.now[order]--; g.now[order] == 0 {
				delete(g.now, order)
			}
		}()
	}
	return g.Bucket.Create(ctx, key, c)
}

// TestPoisonedMessagesAreDropped: they are logged, the others of their array are worked on, and no invocation fails.
func TestPoisonedMessagesAreDropped(t *testing.T) {
	for _, event := range []string{
		``, `null`, `{}`, `[]`, `[{}]`, `"text"`, `not JSON`, `[1,2]`, `[[]]`, `{"key1":"test value 1"}`, `{"v":9,"orderNo":"ok1","opening":"x","attempt":1}`,
		`{"v":1,"orderNo":"../etc/planted","opening":"a","attempt":1}`, `{"v":1,"orderNo":"ok1","opening":"","attempt":0}`, `[{"v":1`,
	} {
		live(t, nil, func(h *house) {
			if answer, err := h.invoke(h.pull, []byte(event), timeLimit); err != nil || string(answer) != "null" {
				t.Errorf("%q: %s, %v", event, answer, err)
			}
			if event != `[]` && event != `[[]]` && !strings.Contains(h.logs.String(), "dropped a message that can never work") {
				t.Errorf("%q is not in the log", event)
			}
		})
	}
	live(t, nil, func(h *house) {
		h.warm()
		good := encode(t, h.complete("ok1"))
		event := `[{"v":1,"orderNo":"no/order","opening":"a","attempt":1},` + string(good) + `,7]`
		if _, err := h.invoke(h.pull, []byte(event), timeLimit); err != nil || h.state("ok1") != kyc.StateArchived {
			t.Errorf("%v; the order is %s", err, h.state("ok1"))
		}
		if n := strings.Count(h.logs.String(), "dropped a message"); n != 2 {
			t.Errorf("%d messages dropped, want 2", n)
		}
	})
}

// broken is an archive in which some orders can not be read, and some panic.
type broken struct {
	bucket.Bucket
	fails, panics string // parts of keys
}

var errArchive = errors.New("the archive is out of reach")

func (b *broken) Create(ctx context.Context, key string, c bucket.Content) error {
	if b.fails != "" && strings.HasPrefix(key, "orders/"+b.fails) {
		return errArchive
	}
	if b.panics != "" && strings.HasPrefix(key, "orders/"+b.panics) {
		panic("planted: what was thrown")
	}
	return b.Bucket.Create(ctx, key, c)
}

// TestFailuresThatARetryCanHelp: an invocation fails when all its steps did for want of the archive, and only then.
func TestFailuresThatARetryCanHelp(t *testing.T) {
	for name, c := range map[string]struct {
		orders        []string
		fails, panics string
		want          string
	}{
		"one of one":      {orders: []string{"ok1"}, fails: "ok", want: "all 1 steps of this event failed"},
		"all of three":    {orders: []string{"ok1", "ok2", "ok3"}, fails: "ok", want: "all 3 steps of this event failed"},
		"one of three":    {orders: []string{"ok1", "png1", "png2"}, fails: "ok"},
		"a panic":         {orders: []string{"ok1"}, panics: "ok"},
		"a panic of two":  {orders: []string{"ok1", "png1"}, panics: "ok"},
		"neither of them": {orders: []string{"ok1"}},
	} {
		t.Run(name, func(t *testing.T) {
			live(t, func(o *Options, h *house) {
				o.Bucket = &broken{Bucket: h.bucket, fails: c.fails, panics: c.panics}
			}, func(h *house) {
				h.warm()
				var msgs []kyc.Message
				for _, o := range c.orders {
					msgs = append(msgs, h.complete(o))
				}
				_, err := h.invoke(h.pull, encode(t, msgs...), timeLimit)
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%v, want %q", err, c.want)
				}
				if c.fails != "" && !strings.Contains(h.logs.String(), `"step failed"`) || c.panics != "" && !strings.Contains(h.logs.String(), `"step panicked"`) {
					t.Error("the log says nothing of it")
				}
				for _, o := range c.orders {
					whole := strings.HasPrefix(o, "png") || c.fails+c.panics == ""
					if state := h.state(o); (state == kyc.StateArchived) != whole || !whole && state != kyc.StatePending {
						t.Errorf("order %s is %s", o, state)
					}
				}
			})
		})
	}
}

// TestSilentServiceFailsNoInvocation: SCF's retry would not make it talk.
func TestSilentServiceFailsNoInvocation(t *testing.T) {
	live(t, nil, func(h *house) {
		h.warm()
		h.sim.Busy(true)
		if _, err := h.invoke(h.pull, encode(t, h.complete("ok1")), timeLimit); err != nil || h.state("ok1") != kyc.StatePending {
			t.Errorf("%v; the order is %s", err, h.state("ok1"))
		}
	})
}

func TestMessagesAreGroupedByOrder(t *testing.T) {
	m := func(order string, attempt int) kyc.Message {
		return kyc.Message{Order: archive.Order(order), Attempt: attempt}
	}
	got := byOrder([]kyc.Message{m("a", 1), m("b", 2), m("a", 3), m("c", 4), m("b", 5)})
	want := [][]kyc.Message{{m("a", 1), m("a", 3)}, {m("b", 2), m("b", 5)}, {m("c", 4)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
