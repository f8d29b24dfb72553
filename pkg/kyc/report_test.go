package kyc_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// makeStep makes one step and checks what it says of the order's end.
func (w *world) makeStep(t *testing.T, b bucket.Bucket, m kyc.Message, script ...answer) (kyc.Report, error) {
	t.Helper()
	return w.puller(b, &upstream{script: script}).Step(t.Context(), m)
}

// wantEnd: the step made the end, at this age.
func wantEnd(t *testing.T, r kyc.Report, state kyc.State, age time.Duration) {
	t.Helper()
	if !r.Committed || r.State != state || r.Age != age {
		t.Errorf("committed %v, %s after %s; want %s after %s", r.Committed, r.State, r.Age, state, age)
	}
}

// TestEachEndIsToldOnce: the step that wrote the manifest or the closed entry says so, and no step after it.
func TestEachEndIsToldOnce(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		age    time.Duration
		state  kyc.State
	}{
		"archived":    {whole, 7 * time.Second, kyc.StateArchived},
		"partial":     {noVideo, 72 * time.Hour, kyc.StatePartial},
		"unavailable": {none, 72 * time.Hour, kyc.StateUnavailable},
		"expired":     {answer{code: "1", class: kyc.Pending}, 72 * time.Hour, kyc.StateExpired},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			m := w.open(t)
			w.now = w.now.Add(c.age)
			r, err := w.makeStep(t, w.mem, m, c.answer)
			if err != nil {
				t.Fatal(err)
			}
			wantEnd(t, r, c.state, c.age)
			if r, err := w.makeStep(t, w.mem, m, c.answer); err != nil || r.Committed || r.Age != 0 {
				t.Errorf("the next step: %+v, %v", r, err)
			}
		})
	}
}

// TestNoEndIsTold: a step that leaves the order waiting, and one that extends an archived order's manifest.
func TestNoEndIsTold(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	if r, err := w.makeStep(t, w.mem, m, noVideo); err != nil || r.Committed {
		t.Errorf("waiting: %+v, %v", r, err)
	}
	if _, err := w.makeStep(t, w.mem, m, whole); err != nil {
		t.Fatal(err)
	}
	_, err := archive.New(w.mem).KeepEvidence(t.Context(), order, archive.Photo, "png", bucket.Bytes(tinyPNG(9), "image/png"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.makeStep(t, w.mem, m, whole)
	if err != nil || r.Committed || len(w.keys("orders/"+string(order)+"/manifest.2.json")) != 1 {
		t.Errorf("extended: %+v, %v", r, err)
	}
}

// TestPartialThenArchived: both are told, each once; the age is that of its own opening.
func TestPartialThenArchived(t *testing.T) {
	w := newWorld()
	w.partial(t)
	m := w.open(t)
	w.now = w.now.Add(3 * time.Second)
	r, err := w.makeStep(t, w.mem, m, whole)
	if err != nil {
		t.Fatal(err)
	}
	wantEnd(t, r, kyc.StateArchived, 3*time.Second)
}

// lossy answers the creation of a manifest with an error, or with "exists", after its effect.
type lossy struct {
	*membucket.Bucket
	says error
}

func (l *lossy) Create(ctx context.Context, key string, c bucket.Content) error {
	err := l.Bucket.Create(ctx, key, c)
	if err == nil && strings.Contains(key, "manifest") {
		return l.says
	}
	return err
}

func (l *lossy) Delete(ctx context.Context, key string) error {
	if l.says == nil {
		return errors.New("no deleting today")
	}
	return l.Bucket.Delete(ctx, key)
}

// TestEndIsToldAfterALostAnswer: the store says that the manifest exists, and it is one's own.
func TestEndIsToldAfterALostAnswer(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	w.now = w.now.Add(2 * time.Second)
	r, err := w.makeStep(t, &lossy{Bucket: w.mem, says: bucket.ErrExists}, m, whole)
	if err != nil {
		t.Fatal(err)
	}
	wantEnd(t, r, kyc.StateArchived, 2*time.Second)
}

// TestEndIsToldByAStepThatFailsAfterIt: the message comes again, and its next step finds the order archived.
func TestEndIsToldByAStepThatFailsAfterIt(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	w.now = w.now.Add(2 * time.Second)
	r, err := w.makeStep(t, &lossy{Bucket: w.mem}, m, whole)
	if err == nil {
		t.Fatal("the marker could not be cleared, and the step went well")
	}
	wantEnd(t, r, kyc.StateArchived, 2*time.Second)
	if r, err := w.makeStep(t, w.mem, m, whole); err != nil || r.Committed {
		t.Errorf("again: %+v, %v", r, err)
	}
}

// TestPassReport: a pass that goes well is logged by RunReport, one that fails is its caller's to log.
func TestPassReport(t *testing.T) {
	for name, broken := range map[string]bool{"good": false, "bad": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.open(t)
			w.now = w.now.Add(time.Hour)
			r := w.refetcher(w.mem)
			var log strings.Builder
			r.Log = slog.New(slog.NewTextHandler(&log, nil))
			if broken {
				r.Delayer = &full{}
			}
			report, err := r.RunReport(t.Context(), false)
			if (err != nil) != broken || (log.Len() == 0) != broken {
				t.Errorf("error %v, log %q", err, log.String())
			}
			if !report.Whole || report.Waiting != 1 || report.Oldest != time.Hour {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// full is a delayer that takes nothing.
type full struct{ mailbox }

func (*full) Delay(context.Context, ...kyc.Message) error { return errors.New("the queue is full") }
