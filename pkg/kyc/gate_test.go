package kyc_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// gates are two processes at one bucket, with a clock that the test moves.
type gates struct {
	t    *testing.T
	mem  *membucket.Bucket
	now  time.Time
	a, b *kyc.Gate
}

func newGates(t *testing.T) *gates {
	g := &gates{t: t, now: epoch}
	g.mem = membucket.New(func() time.Time { return g.now })
	g.a, g.b = g.process(g.mem), g.process(g.mem)
	return g
}

// process makes another gate, with nothing in its memory.
func (g *gates) process(b bucket.Bucket) *kyc.Gate {
	return &kyc.Gate{Bucket: b, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)}
}

func (g *gates) after(d time.Duration) { g.now = g.now.Add(d) }

// enter asks for the right to ask about an order, which must be granted or not.
func (g *gates) enter(gate *kyc.Gate, order archive.Order, open bool) kyc.Pass {
	g.t.Helper()
	pass, err := gate.Enter(g.t.Context(), order)
	if err != nil || pass.Open() != open {
		g.t.Errorf("at %s, order %s: open %t, %v; want %t", g.now.Sub(epoch), order, pass.Open(), err, open)
	}
	return pass
}

func (g *gates) leave(gate *kyc.Gate, pass kyc.Pass, order archive.Order, class kyc.Class) {
	g.t.Helper()
	if err := gate.Leave(g.t.Context(), pass, order, class, "400101"); err != nil {
		g.t.Error(err)
	}
}

// shut has a process meet trouble about an order in quiet times.
func (g *gates) shut(gate *kyc.Gate, order archive.Order, class kyc.Class) {
	g.t.Helper()
	g.leave(gate, g.enter(gate, order, true), order, class)
}

// stored lists what the gates keep in the bucket.
func (g *gates) stored() (keys []string) {
	for _, o := range g.mem.Objects() {
		keys = append(keys, o.Key)
	}
	return keys
}

// forgetting is longer than a gate remembers what it read.
const forgetting = 3 * time.Second

func TestGateIsOpenInQuietTimes(t *testing.T) {
	g := newGates(t)
	for _, class := range []kyc.Class{kyc.OK, kyc.Final, kyc.Pending, kyc.Transient, ""} {
		g.leave(g.a, g.enter(g.a, "o1", true), "o1", class)
		g.enter(g.process(g.mem), "o2", true)
	}
	if closed, refused, err := g.a.Closed(t.Context()); closed || refused != nil || err != nil || len(g.stored()) > 0 {
		t.Errorf("closed %t, %v, %v, %v", closed, refused, err, g.stored())
	}
}

func TestGateClosesForEveryone(t *testing.T) {
	for _, class := range []kyc.Class{kyc.Ticket, kyc.Config, kyc.Busy} {
		g := newGates(t)
		g.shut(g.a, "o1", class)
		g.enter(g.a, "o1", false)
		g.enter(g.b, "o1", false)
		for _, gate := range []*kyc.Gate{g.a, g.b} {
			closed, refused, err := gate.Closed(t.Context())
			if diff := cmp.Diff([]archive.Order{"o1"}, refused); !closed || diff != "" || err != nil {
				t.Errorf("%s: closed %t, %v, refused: %s", class, closed, err, diff)
			}
		}
	}
}

// TestGateMemory: what a gate has read holds for seconds, and not longer.
func TestGateMemory(t *testing.T) {
	g := newGates(t)
	g.enter(g.b, "o2", true)
	g.shut(g.a, "o1", kyc.Busy)
	g.after(time.Second)
	g.enter(g.b, "o2", true) // has not heard of it
	g.enter(g.process(g.mem), "o2", false)
	g.after(forgetting - time.Second - time.Millisecond)
	g.enter(g.b, "o1", true)
	g.after(time.Millisecond)
	g.enter(g.b, "o1", false)
	g.now = g.now.Add(-time.Hour) // a clock that jumps back makes nothing last an hour
	g.leave(g.a, kyc.Pass{}, "o1", kyc.OK)
	remove(t, g.mem, archive.BackoffKey())
	g.enter(g.b, "o1", true)
}

// TestGateAfterTheClockWasSetBack: neither a note nor a probe from a clock that ran ahead keeps anybody waiting until that time.
func TestGateAfterTheClockWasSetBack(t *testing.T) {
	g := newGates(t)
	g.shut(g.a, "o1", kyc.Busy)
	g.now = g.now.Add(-8 * time.Hour)
	probe := g.enter(g.process(g.mem), "o2", true)
	g.leave(g.b, probe, "o2", kyc.Busy)
	g.after(time.Minute)
	g.enter(g.b, "o3", true) // takes the probe, and dies
	g.now = g.now.Add(-8 * time.Hour)
	g.enter(g.process(g.mem), "o4", true)
}

func remove(t *testing.T, b bucket.Bucket, key string) {
	t.Helper()
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func TestOneProbeAtATime(t *testing.T) {
	g := newGates(t)
	g.shut(g.a, "o1", kyc.Ticket) // may be about o1 alone: another order probes at once
	probe := g.enter(g.b, "o2", true)
	g.enter(g.a, "o3", false)
	g.enter(g.b, "o3", false)
	g.enter(g.process(g.mem), "o4", false)
	g.leave(g.b, probe, "o2", kyc.OK)
	g.enter(g.b, "o3", true)
	g.after(forgetting)
	g.enter(g.a, "o1", true)
	if len(g.stored()) > 0 {
		t.Errorf("left behind: %v", g.stored())
	}
}

// TestRefusedOrderProbesLast: one order can be refused for ever while all others are answered.
func TestRefusedOrderProbesLast(t *testing.T) {
	g := newGates(t)
	g.shut(g.a, "o1", kyc.Config)
	g.after(30*time.Second - time.Millisecond)
	g.enter(g.b, "o1", false)
	g.after(time.Millisecond)
	g.enter(g.b, "o1", true)
	g.enter(g.a, "o2", false) // the probe is taken now
}

// TestWhoEndsTheBackoff: any verdict on an order is a good answer; no answer lets the next one probe.
func TestWhoEndsTheBackoff(t *testing.T) {
	for class, open := range map[kyc.Class]bool{kyc.OK: true, kyc.Final: true, kyc.Pending: true, kyc.Transient: false, "": false} {
		g := newGates(t)
		g.shut(g.a, "o1", kyc.Ticket)
		early := g.enter(g.process(membucket.New(nil)), "o9", true) // entered before the trouble, and no prober
		g.leave(g.b, early, "o9", class)
		if closed, _, _ := g.b.Closed(t.Context()); !closed {
			t.Errorf("%q of one who was no prober opened the gate", class)
		}
		g.leave(g.a, g.enter(g.a, "o2", true), "o2", class)
		if closed, _, _ := g.a.Closed(t.Context()); closed == open {
			t.Errorf("%q of the prober: closed %t", class, closed)
		}
		g.enter(g.process(g.mem), "o3", true) // either way
	}
}

// TestProbesBecomeRarer: each failed probe doubles the wait, to a bound. Load passes sooner than a wrong secret.
func TestProbesBecomeRarer(t *testing.T) {
	for class, want := range map[kyc.Class]string{
		kyc.Config: "0s 10s 20s 40s 1m20s 2m40s 5m0s 5m0s 5m0s", kyc.Ticket: "0s 10s 20s 40s 1m20s 2m40s 5m0s 5m0s 5m0s",
		kyc.Busy: "2s 4s 8s 16s 32s 1m0s 1m0s 1m0s 1m0s",
	} {
		g := newGates(t)
		g.shut(g.a, "o0", class)
		var waits []string
		for i := range 9 {
			began, order := g.now, archive.Order(fmt.Sprint("p", i))
			for {
				pass, err := g.process(g.mem).Enter(t.Context(), order)
				if err != nil {
					t.Fatal(err)
				}
				if pass.Open() {
					g.leave(g.process(g.mem), pass, order, class)
					break
				}
				if g.after(time.Second); g.now.Sub(began) > time.Hour {
					t.Fatal("no probe for an hour")
				}
			}
			waits = append(waits, g.now.Sub(began).String())
		}
		if got := strings.Join(waits, " "); got != want {
			t.Errorf("%s: probes after %s, want %s", class, got, want)
		}
		if n := len(g.stored()); n != 1 {
			t.Errorf("%s: %v, want the note alone", class, g.stored())
		}
	}
}

// TestRememberedNoteIsNotProbedAgain: who remembers the note of before a failed probe does not probe it a second time.
func TestRememberedNoteIsNotProbedAgain(t *testing.T) {
	g := newGates(t)
	g.shut(g.a, "o1", kyc.Ticket)
	for _, gate := range []*kyc.Gate{g.a, g.b} { // both have the note in memory
		if closed, _, err := gate.Closed(t.Context()); !closed || err != nil {
			t.Fatal(closed, err)
		}
	}
	g.leave(g.b, g.enter(g.b, "o2", true), "o2", kyc.Ticket)
	g.enter(g.a, "o3", false)
	g.enter(g.a, "o3", false) // has learned of the new one
	if n := len(g.stored()); n != 1 {
		t.Errorf("%v, want the note alone", g.stored())
	}
	g.after(10 * time.Second)
	probe := g.enter(g.b, "o4", true)
	g.after(time.Second)
	g.enter(g.a, "o5", false)
	g.leave(g.b, probe, "o4", kyc.OK)
	g.enter(g.a, "o5", true) // remembers a note that has gone: the gate is open
	if len(g.stored()) > 0 {
		t.Errorf("left behind: %v", g.stored())
	}
}

// TestTroubleOfManyIsOneRound: those who were under way when the gate closed do not make the wait longer.
func TestTroubleOfManyIsOneRound(t *testing.T) {
	g := newGates(t)
	var early []kyc.Pass
	for range 5 {
		early = append(early, g.enter(g.a, "o1", true))
	}
	for _, p := range early {
		g.leave(g.a, p, "o1", kyc.Busy)
	}
	g.after(2 * time.Second)
	g.enter(g.b, "o2", true)
}

// TestProberDies: nobody probes during its lease; then one succeeds it, at once.
func TestProberDies(t *testing.T) {
	g := newGates(t)
	g.shut(g.a, "o1", kyc.Ticket)
	g.enter(g.a, "o2", true) // and is never heard of again
	g.after(time.Minute - time.Millisecond)
	g.enter(g.b, "o3", false)
	g.after(time.Millisecond)
	probe := g.enter(g.b, "o3", true)
	g.enter(g.a, "o4", false)
	g.enter(g.process(g.mem), "o4", false)
	g.leave(g.b, probe, "o3", kyc.OK)
	if len(g.stored()) > 0 {
		t.Errorf("left behind: %v", g.stored())
	}
}

// TestProbeWithLostAnswer: the store made the probe, and said that it exists. It counts as a prober that died.
func TestProbeWithLostAnswer(t *testing.T) {
	g := newGates(t)
	g.shut(g.a, "o1", kyc.Ticket)
	lost := g.process(&recorder{Bucket: g.mem, lost: "system/probe/"})
	g.enter(lost, "o2", false)
	g.enter(g.b, "o2", false)
	g.after(time.Minute)
	g.enter(g.b, "o2", true)
}

// TestUnreadableNote: it counts as none, for it may slow everyone and must not stop anyone; the next trouble replaces it.
func TestUnreadableNote(t *testing.T) {
	for _, text := range []string{"", "{", "[]", "null", "{}", `{"id":"../x","until":"2099-01-01T00:00:00Z"}`, `{"id":"a","until":"tomorrow"}`, strings.Repeat(" ", 1<<17) + "{}"} {
		g := newGates(t)
		if err := g.mem.Put(t.Context(), archive.BackoffKey(), bucket.Bytes([]byte(text), "")); err != nil {
			t.Fatal(err)
		}
		if closed, _, err := g.b.Closed(t.Context()); closed || err != nil {
			t.Errorf("%.20q: closed %t, %v", text, closed, err)
		}
		g.shut(g.a, "o1", kyc.Busy)
		g.enter(g.process(g.mem), "o1", false)
	}
}

// TestRefusedOrdersAreBounded: a note remembers the latest, each once.
func TestRefusedOrdersAreBounded(t *testing.T) {
	g := newGates(t)
	g.shut(g.a, "o0", kyc.Busy)
	want := []archive.Order{}
	for i := range 20 {
		g.after(time.Hour)
		order := archive.Order(fmt.Sprint("p", i))
		g.leave(g.a, g.enter(g.a, order, true), order, kyc.Busy)
		want = append(want, order)
	}
	g.after(time.Hour)
	g.leave(g.a, g.enter(g.a, "p10", true), "p10", kyc.Busy)
	want = append(append(want[4:10:10], want[11:]...), "p10")
	_, refused, err := g.b.Closed(t.Context())
	if diff := cmp.Diff(want, refused); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

// failing is a bucket where one kind of call fails.
type failing struct {
	*membucket.Bucket
	call string
}

var errFailing = errors.New("store is away")

func (f failing) Create(ctx context.Context, key string, c bucket.Content) error {
	if f.call == "create" {
		return errFailing
	}
	return f.Bucket.Create(ctx, key, c)
}

func (f failing) Put(ctx context.Context, key string, c bucket.Content) error {
	if f.call == "put" {
		return errFailing
	}
	return f.Bucket.Put(ctx, key, c)
}

func (f failing) Now(ctx context.Context) (time.Time, error) {
	if f.call == "now" {
		return time.Time{}, errFailing
	}
	return f.Bucket.Now(ctx)
}

// TestGateWithoutStore: where the note can not be read or written, nobody is let in unseen.
func TestGateWithoutStore(t *testing.T) {
	g := newGates(t)
	g.shut(g.a, "o1", kyc.Ticket)
	for _, call := range []string{"create", "now"} {
		pass, err := g.process(failing{g.mem, call}).Enter(t.Context(), "o2")
		if !errors.Is(err, errFailing) || pass.Open() {
			t.Errorf("%s fails: open %t, %v", call, pass.Open(), err)
		}
	}
	fresh := membucket.New(nil)
	for _, call := range []string{"put", "now"} {
		if err := g.process(failing{fresh, call}).Leave(t.Context(), kyc.Pass{}, "o1", kyc.Ticket, ""); !errors.Is(err, errFailing) {
			t.Errorf("%s fails: %v", call, err)
		}
	}
}
