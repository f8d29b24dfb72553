package kyc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// counting counts the calls at a bucket, and the elements of its listings.
type counting struct {
	*membucket.Bucket
	calls  map[string]int
	listed int
}

func newCounting(b *membucket.Bucket) *counting {
	return &counting{Bucket: b, calls: make(map[string]int)}
}

func (c *counting) Create(ctx context.Context, key string, content bucket.Content) error {
	c.calls["create"]++
	return c.Bucket.Create(ctx, key, content)
}

func (c *counting) Put(ctx context.Context, key string, content bucket.Content) error {
	c.calls["put"]++
	return c.Bucket.Put(ctx, key, content)
}

func (c *counting) Delete(ctx context.Context, key string) error {
	c.calls["delete"]++
	return c.Bucket.Delete(ctx, key)
}

func (c *counting) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	c.calls["get"]++
	return c.Bucket.Get(ctx, key)
}

func (c *counting) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	c.calls["list "+prefix]++
	return func(yield func(bucket.Object, error) bool) {
		for o, err := range c.Bucket.List(ctx, prefix, after) {
			c.listed++
			if !yield(o, err) {
				return
			}
		}
	}
}

// queue is a delayer with so much room.
type queue struct {
	mailbox
	room   int
	within time.Duration
	calls  int
}

func (q *queue) Delay(ctx context.Context, msgs ...kyc.Message) error {
	q.calls++
	return q.mailbox.Delay(ctx, msgs...)
}

func (q *queue) Room(_ context.Context, within time.Duration) (int, error) {
	q.within = within
	return q.room, nil
}

// openings are the openings of the messages in a queue, in their order.
func (q *queue) openings() (all []string) {
	for _, m := range q.msgs {
		all = append(all, m.Opening)
	}
	return all
}

// waitingOrders makes n orders, one minute after the other, and lets them all be due.
func (w *world) waitingOrders(t *testing.T, n int) {
	t.Helper()
	for i := range n {
		m := archive.Mark{Order: archive.Order(fmt.Sprintf("o%d", 9*n-i)), Opening: fmt.Sprintf("%03d", i)} // the oldest is listed last
		if err := archive.New(w.mem).OpenMarker(t.Context(), m, archive.Marker{By: "test", At: w.now}); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Minute)
	}
	w.now = w.now.Add(time.Hour)
}

func (w *world) pass(t *testing.T, q *queue, resume bool) kyc.PassReport {
	t.Helper()
	r := w.refetcher(w.mem)
	r.Delayer = q
	report, err := r.Pass(t.Context(), resume)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestPassRespectsRoom: it hands out the oldest, as single tries, and no more than will be worked off before the next pass.
func TestPassRespectsRoom(t *testing.T) {
	for room, want := range map[int][]string{-1: nil, 0: nil, 1: {"000"}, 3: {"000", "001", "002"}, 5: {"000", "001", "002", "003", "004"}, 99: {"000", "001", "002", "003", "004"}} {
		w := newWorld()
		w.waitingOrders(t, 5)
		q := &queue{room: room}
		report := w.pass(t, q, false)
		if diff := cmp.Diff(want, q.openings()); diff != "" {
			t.Errorf("room for %d, -want +got:\n%s", room, diff)
		}
		if report.Waiting != 5 || report.Due != 5 || report.Handed != len(want) || report.Oldest != 65*time.Minute || q.within != w.settings.RefetchEvery {
			t.Errorf("room for %d: %+v, asked for %s", room, report, q.within)
		}
		for _, m := range q.msgs {
			if !m.Single || m.Attempt != 1 || m.NotBefore.After(w.now) {
				t.Errorf("%+v", m)
			}
		}
	}
}

// TestResumeMakesChains: a process that takes up after another starts the chains of orders that were never tried, at once.
func TestResumeMakesChains(t *testing.T) {
	w := newWorld()
	w.note(t, w.mark(t, "tried"))
	w.mark(t, "fresh")
	w.now = w.now.Add(time.Second)
	q := &queue{room: 10}
	w.pass(t, q, true)
	if len(q.msgs) != 1 || q.msgs[0].Single || q.msgs[0].Opening != "fresh" {
		t.Errorf("%+v", q.msgs)
	}
	q = &queue{room: 10}
	if w.pass(t, q, false); len(q.msgs) > 0 {
		t.Errorf("not resuming: %+v", q.msgs)
	}
}

// TestClosedGateHandsOutOneProber: rather one that was not itself refused.
func TestClosedGateHandsOutOneProber(t *testing.T) {
	for _, tc := range []struct {
		refused []archive.Order
		room    int
		want    []string
	}{
		{[]archive.Order{"other"}, 10, []string{"000"}},
		{[]archive.Order{"o27"}, 10, []string{"001"}}, // o27 is the oldest
		{[]archive.Order{"o27", "o26", "o25"}, 10, []string{"000"}},
		{[]archive.Order{"o27"}, 0, nil},
	} {
		w := newWorld()
		w.waitingOrders(t, 3)
		for _, o := range tc.refused {
			g := w.gate(w.mem, w.core(w.mem))
			w.now = w.now.Add(10 * time.Minute)
			pass, err := g.Enter(t.Context(), o)
			if err != nil || !pass.Open() || g.Leave(t.Context(), pass, o, kyc.Config, "400104") != nil {
				t.Fatal(pass, err)
			}
		}
		q := &queue{room: tc.room}
		w.pass(t, q, false)
		if diff := cmp.Diff(tc.want, q.openings()); diff != "" {
			t.Errorf("refused %v, room %d: -want +got:\n%s", tc.refused, tc.room, diff)
		}
	}
}

// TestPassGoesByTheNewestNote: a step died between writing a note and removing the one of the other kind.
func TestPassGoesByTheNewestNote(t *testing.T) {
	for _, newest := range []string{"retry", "quiet"} {
		w := newWorld()
		m := w.mark(t, "a")
		keys := map[string]string{"retry": m.Mark().RetryKey(), "quiet": m.Mark().QuietKey()}
		put := func(kind string) {
			if err := w.mem.Put(t.Context(), keys[kind], bucket.Bytes([]byte(`{"v":1,"attempts":`+map[string]string{"retry": "1", "quiet": "2"}[kind]+`}`), "")); err != nil {
				t.Fatal(err)
			}
		}
		w.now = w.now.Add(10 * time.Hour)
		put(map[string]string{"retry": "quiet", "quiet": "retry"}[newest])
		w.now = w.now.Add(time.Second)
		put(newest)
		w.now = w.now.Add(2 * time.Hour) // enough for retry, not for quiet
		q := &queue{room: 10}
		if w.pass(t, q, false); len(q.msgs) > 0 != (newest == "retry") {
			t.Errorf("%s is the newest: %+v", newest, q.msgs)
		}
		st, err := (kyc.Orders{Archive: archive.New(w.mem)}).Status(t.Context(), order)
		if want := map[string]int{"retry": 1, "quiet": 2}[newest]; err != nil || st.Attempts != want {
			t.Errorf("%s is the newest: %d attempts, %v; want %d", newest, st.Attempts, err, want)
		}
	}
}

// TestStrayOfBothKindsIsHandedOutOnce: two notes of one opening without a marker are one order to look at.
func TestStrayOfBothKindsIsHandedOutOnce(t *testing.T) {
	w := newWorld()
	mark := archive.Mark{Order: order, Opening: "gone"}
	for _, key := range []string{mark.RetryKey(), mark.QuietKey()} {
		if err := w.mem.Put(t.Context(), key, bucket.Bytes(nil, "")); err != nil {
			t.Fatal(err)
		}
	}
	q := &queue{room: 10}
	report := w.pass(t, q, false)
	if len(q.msgs) != 1 || report.Strays != 1 || report.Due != 1 || len(w.keys("")) > 0 {
		t.Errorf("%+v, %+v, left %v", q.msgs, report, w.keys(""))
	}
}

// TestPassReportsStrangeKeysAndRisk: what no version makes is counted and let be.
func TestPassReportsStrangeKeysAndRisk(t *testing.T) {
	w := newWorld()
	w.mark(t, "old")
	for _, key := range []string{"pending/strange", "retry/a.b.c", "quiet/-"} {
		if err := w.mem.Put(t.Context(), key, bucket.Bytes(nil, "")); err != nil {
			t.Fatal(err)
		}
	}
	w.now = w.now.Add(48 * time.Hour)
	if report := w.pass(t, &queue{}, false); report.AtRisk != 0 || report.Strange != 3 {
		t.Errorf("at 48 hours: %+v", report)
	}
	w.now = w.now.Add(time.Second)
	if report := w.pass(t, &queue{}, false); report.AtRisk != 1 || report.Oldest != 48*time.Hour+time.Second {
		t.Errorf("a second later: %+v", report)
	}
	if n := len(w.keys("")); n != 4 {
		t.Errorf("%d keys left, want 4", n)
	}
}

// TestPassAfterTheClockWasSetBack: a store whose clock ran ahead when markers and notes were written still has every order tried
// at once. The times of files are this machine's, and a machine may begin with its hours in another zone.
func TestPassAfterTheClockWasSetBack(t *testing.T) {
	for _, kind := range []archive.NoteKind{archive.Retry, archive.Quiet} {
		w := newWorld()
		w.waitingOrders(t, 2)
		m := archive.Mark{Order: "o18", Opening: "000"}
		if err := archive.New(w.mem).WriteNote(t.Context(), kind, m, archive.Note{Attempts: 1}); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(-8 * time.Hour)
		q := &queue{room: 9}
		if report := w.pass(t, q, false); report.Due != 2 || len(q.msgs) != 2 {
			t.Errorf("%+v", report)
		}
	}
}

// cold is a ticket that can not be refreshed.
type cold struct{}

func (cold) Warm(context.Context) error { return errors.New("no ticket") }

// TestPassGoesOnWithoutTicket: its steps find out by themselves.
func TestPassGoesOnWithoutTicket(t *testing.T) {
	w := newWorld()
	w.waitingOrders(t, 1)
	r := w.refetcher(w.mem)
	r.Tickets = cold{}
	if report, err := r.Pass(t.Context(), false); err != nil || report.Handed != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// sealer is a kyc.Sealer that counts.
type sealer struct {
	calls int
	err   error
}

func (s *sealer) Seal(context.Context) error {
	s.calls++
	return s.err
}

// TestPassSeals: once a pass, after the orders are handed out; what fails there is told, and fails no pass.
func TestPassSeals(t *testing.T) {
	var log bytes.Buffer
	w := newWorld()
	w.waitingOrders(t, 1)
	r := w.refetcher(w.mem)
	s := &sealer{err: errors.New("no room")}
	r.Sealer, r.Log = s, slog.New(slog.NewTextHandler(&log, nil))
	if report, err := r.Pass(t.Context(), false); err != nil || report.Handed != 1 || s.calls != 1 {
		t.Errorf("%+v, %v, sealed %d times", report, err, s.calls)
	}
	if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "no room") {
		t.Errorf("nobody hears of it: %s", &log)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Pass(canceled, false); err == nil || s.calls != 1 {
		t.Errorf("a pass that is stopped: %v, sealed %d times", err, s.calls)
	}
}

// waits is a ticket that is refreshed elsewhere, until the context ends.
type waits struct{}

func (waits) Warm(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestPassIsStopped: a process that is asked to stop while it waits for the ticket logs nothing that somebody would be called
// for; a function whose time is up does.
func TestPassIsStopped(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, test := range map[string]struct {
		ctx  context.Context
		want int // lines
	}{"asked to stop": {canceled, 0}, "time is up": {late, 2}} {
		var log bytes.Buffer
		w := newWorld()
		r := w.refetcher(w.mem)
		r.Tickets, r.Log = waits{}, slog.New(slog.NewTextHandler(&log, nil))
		r.Run(test.ctx, false)
		if got := strings.Count(log.String(), "level=ERROR"); got != test.want {
			t.Errorf("%s: %d errors, want %d: %s", name, got, test.want, &log)
		}
	}
}

// TestPassOverManyOrders: 100,000 orders wait, each tried ten minutes ago but for 100 that are due. A pass costs the
// listings and work for the due ones only (DESIGN section 7): nothing is read or written besides the back-off note.
func TestPassOverManyOrders(t *testing.T) {
	const waiting, due = 100_000, 100
	w := newWorld()
	w.manyOrders(t, waiting, due)
	c, q := newCounting(w.mem), &queue{room: 10 * due}
	r := w.refetcher(c)
	r.Delayer = q
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	report, err := r.Pass(t.Context(), false)
	runtime.ReadMemStats(&after)
	want := kyc.PassReport{Waiting: waiting, Oldest: 13 * time.Hour, Due: due, Handed: due, Whole: true}
	if diff := cmp.Diff(want, report); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	calls := map[string]int{"list retry/": 1, "list quiet/": 1, "list pending/": 1, "get": 1}
	if diff := cmp.Diff(calls, c.calls); diff != "" || c.listed != 2*waiting || q.calls != 1 {
		t.Errorf("%d keys listed, %d calls of the delayer, calls of the bucket -want +got:\n%s", c.listed, q.calls, diff)
	}
	// A key is some 60 bytes, and a marker and its note are in memory once: no copy of a listing, no object's content.
	if perOrder := (after.TotalAlloc - before.TotalAlloc) / waiting; perOrder > 1000 {
		t.Errorf("%d bytes allocated an order", perOrder)
	}
}

// manyOrders makes markers and notes by hand: the first ones were last tried two hours ago, the others ten minutes ago;
// half of all are quiet.
// They are made in the order of their keys, which is the cheap one for a bucket in memory.
func (w *world) manyOrders(t *testing.T, waiting, due int) {
	t.Helper()
	at := func(before time.Duration, from, to int, key func(archive.Mark) string) {
		w.now = epoch.Add(13*time.Hour - before)
		for i := from; i < to; i++ {
			m := archive.Mark{Order: archive.Order(fmt.Sprintf("orderNo%06d", i)), Opening: "0qep1f2g0jrb9dkvpsmm2u4l8c"}
			if err := w.mem.Put(t.Context(), key(m), bucket.Bytes(nil, "")); err != nil {
				t.Fatal(err)
			}
		}
	}
	at(13*time.Hour, 0, waiting, archive.Mark.PendingKey)
	at(2*time.Hour, waiting/2, waiting, archive.Mark.QuietKey) // for these, two hours are not enough
	at(2*time.Hour, 0, due, archive.Mark.RetryKey)
	at(10*time.Minute, due, waiting/2, archive.Mark.RetryKey)
	w.now = epoch.Add(13 * time.Hour)
}

// TestPassLog: one line a pass; at a level that wakes somebody when orders are at risk, or the pass failed.
func TestPassLog(t *testing.T) {
	for level, prepare := range map[slog.Level]func(w *world) bucket.Bucket{
		slog.LevelInfo: func(w *world) bucket.Bucket { return w.mem },
		slog.LevelWarn: func(w *world) bucket.Bucket {
			w.now = w.now.Add(49 * time.Hour)
			return w.mem
		},
		slog.LevelError: func(w *world) bucket.Bucket { return failing{w.mem, "now"} },
	} {
		w := newWorld()
		w.mark(t, "a")
		var logs bytes.Buffer
		r := w.refetcher(prepare(w))
		r.Log = slog.New(slog.NewTextHandler(&logs, nil))
		r.Run(t.Context(), false)
		if s := logs.String(); !strings.Contains(s, "level="+level.String()+" msg=pass") || strings.Count(s, "\n") != 1 {
			t.Errorf("%s: %s", level, s)
		}
	}
}

// TestPassThatIsStoppedSaysNothing: a process that ends is no failure of the pass.
func TestPassThatIsStoppedSaysNothing(t *testing.T) {
	w := newWorld()
	var logs bytes.Buffer
	r := w.refetcher(failing{w.mem, "now"})
	r.Log = slog.New(slog.NewTextHandler(&logs, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r.Run(ctx, false); logs.Len() > 0 {
		t.Error(logs.String())
	}
}
