package kyc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// completion takes a completion, and gives the hints that came of it.
func (w *world) completion(t *testing.T, b bucket.Bucket, want kyc.Outcome) []kyc.Message {
	t.Helper()
	got, err := (&kyc.Intake{Core: w.core(b)}).Complete(t.Context(), order, "test")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("after %s: %v, -want +got:\n%s", w.now.Sub(epoch), err, diff)
	}
	hints := w.mail.msgs
	w.mail.msgs = nil
	return hints
}

var (
	created = kyc.Outcome{State: kyc.StatePending, Created: true}
	known   = kyc.Outcome{State: kyc.StatePending}
)

func TestCompletionMakesMarkerAndHint(t *testing.T) {
	w := newWorld()
	hints := w.completion(t, w.mem, created)
	if len(hints) != 1 {
		t.Fatalf("hints: %+v", hints)
	}
	want := kyc.Message{V: 1, Order: order, Opening: hints[0].Opening, Attempt: 1, NotBefore: epoch.Add(2 * time.Second)}
	if diff := cmp.Diff(want, hints[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{want.Mark().PendingKey()}, w.keys("")); diff != "" {
		t.Errorf("what is in the bucket: %s", diff)
	}
}

// TestNewHintOncePerMinute: whoever asks how often, an order that waits gets one new hint a minute.
func TestNewHintOncePerMinute(t *testing.T) {
	w := newWorld()
	first := w.completion(t, w.mem, created)
	var hinted []string
	for range 150 {
		w.now = w.now.Add(2 * time.Second)
		for _, m := range w.completion(t, w.mem, known) {
			hinted = append(hinted, w.now.Sub(epoch).String())
			if m.Opening != first[0].Opening || m.Single || m.Attempt != 1 || !m.NotBefore.Equal(w.now.Add(2*time.Second)) {
				t.Errorf("%+v", m)
			}
		}
	}
	if diff := cmp.Diff([]string{"1m2s", "2m4s", "3m6s", "4m8s"}, hinted); diff != "" {
		t.Errorf("new hints, -want +got:\n%s", diff)
	}
	if n := len(w.keys("pending/")); n != 1 {
		t.Errorf("%d markers", n)
	}
}

// TestNewHintKeepsTheNote: what the tries heard so far stays, where it stands; only its time is new.
func TestNewHintKeepsTheNote(t *testing.T) {
	for _, kind := range []archive.NoteKind{archive.Retry, archive.Quiet} {
		w := newWorld()
		m, a := w.open(t), archive.New(w.mem)
		want := archive.Note{V: 1, Attempts: 7, Tries: map[string]int{"nosuch": 7}, Code: kyc.NoSuchResult}
		w.now = w.now.Add(time.Hour)
		if err := a.WriteNote(t.Context(), kind, m.Mark(), want); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Minute)
		if hints := w.completion(t, w.mem, known); len(hints) > 0 {
			t.Errorf("%s: a new hint a minute after the last try: %+v", kind, hints)
		}
		w.now = w.now.Add(time.Millisecond)
		if hints := w.completion(t, w.mem, known); len(hints) != 1 {
			t.Errorf("%s: hints: %+v", kind, hints)
		}
		got, err := a.ReadNote(t.Context(), kind, m.Mark())
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", kind, err, diff)
		}
		if diff := cmp.Diff([]string{string(kind) + "/" + string(order) + "." + m.Opening}, w.keys("retry/", "quiet/")); diff != "" {
			t.Error(diff)
		}
	}
}

// refusing is a delayer that takes nothing.
type refusing struct{ calls int }

func (r *refusing) Delay(context.Context, ...kyc.Message) error {
	r.calls++
	return errors.New("queue is away")
}

func (r *refusing) Room(context.Context, time.Duration) (int, error) { return 0, nil }

// TestDelayFails: the answer is the same, for the marker is in the bucket and Refetch will find it.
func TestDelayFails(t *testing.T) {
	w := newWorld()
	in := kyc.Intake{Core: w.core(w.mem)}
	away := &refusing{}
	in.Delayer = away
	for i, want := range []kyc.Outcome{created, known} {
		got, err := in.Complete(t.Context(), order, "test")
		if got != want || err != nil || away.calls != i+1 {
			t.Errorf("%+v, %v, %d hints tried; want %+v", got, err, away.calls, want)
		}
		w.now = w.now.Add(2 * time.Minute)
	}
	w.now = w.now.Add(4 * time.Minute)
	if report, err := w.refetcher(w.mem).Pass(t.Context(), false); err != nil || report.Handed != 1 {
		t.Errorf("%+v, %v; want the order handed out", report, err)
	}
	w.judge(t)
}

// TestNoteFails: a hint that can not be noted is no trouble of the caller's.
func TestNoteFails(t *testing.T) {
	w := newWorld()
	w.completion(t, w.mem, created)
	w.now = w.now.Add(2 * time.Minute)
	w.completion(t, failing{w.mem, "put"}, known)
	if len(w.keys("pending/")) != 1 {
		t.Error("the marker has gone")
	}
}

// TestMarkerFails: what could not be written is not promised.
func TestMarkerFails(t *testing.T) {
	w := newWorld()
	out, err := (&kyc.Intake{Core: w.core(failing{w.mem, "create"})}).Complete(t.Context(), order, "test")
	if !errors.Is(err, errFailing) || out != (kyc.Outcome{}) || len(w.mail.msgs) > 0 || len(w.keys("")) > 0 {
		t.Errorf("%+v, %v, %v, %v", out, err, w.mail.msgs, w.keys(""))
	}
}

// TestCompletionByState: which orders a completion opens, again or at all.
func TestCompletionByState(t *testing.T) {
	for state, want := range map[string]kyc.Outcome{
		archive.Archived: {State: kyc.StateArchived}, archive.Partial: created, "expired": created, "unavailable": created,
	} {
		w := newWorld()
		a := archive.New(w.mem)
		var err error
		if state == archive.Archived || state == archive.Partial {
			_, err = a.CreateManifest(t.Context(), 1, archive.Manifest{Order: order, State: state})
		} else {
			_, err = a.Close(t.Context(), archive.Mark{Order: order, Opening: "a"}, archive.Closed{State: state})
		}
		if err != nil {
			t.Fatal(err)
		}
		if hints := w.completion(t, w.mem, want); len(hints) > 0 != want.Created || len(w.keys("pending/")) > 0 != want.Created {
			t.Errorf("%s: hints %+v, %v", state, hints, w.keys(""))
		}
	}
}

// TestClaim: no hint is sent; the message is for a step now.
func TestClaim(t *testing.T) {
	w := newWorld()
	in := &kyc.Intake{Core: w.core(w.mem)}
	for _, want := range []kyc.Outcome{created, known} {
		out, m, err := in.Claim(t.Context(), order, "test")
		if out != want || err != nil || m.Mark().PendingKey() != w.keys("")[0] || !m.NotBefore.Equal(w.now) || len(w.mail.msgs) > 0 {
			t.Errorf("%+v, %+v, %v, hints %+v", out, m, err, w.mail.msgs)
		}
		w.now = w.now.Add(time.Hour)
	}
}
