package kyc_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// Each rule of DESIGN section 3 that says what comes before what, or who decides, has its own test here; races_test.go shows
// what they are good for together.

// recorder notes the calls that a step makes, without the order's number.
type recorder struct {
	*membucket.Bucket
	calls []string
	lost  string         // Create of a key that begins so has its effect, and says that the object exists
	empty map[string]int // so many listings of a prefix show nothing yet
}

func (r *recorder) note(what, key string) {
	key = strings.ReplaceAll(key, string(order), "ORDER")
	parts := strings.Split(key, ".")
	if !strings.HasPrefix(key, "orders/ORDER/manifest") && len(parts) > 1 {
		key = parts[0]
	}
	r.calls = append(r.calls, what+" "+key)
}

func (r *recorder) Create(ctx context.Context, key string, c bucket.Content) error {
	r.note("create", key)
	err := r.Bucket.Create(ctx, key, c)
	if err == nil && r.lost != "" && strings.HasPrefix(key, r.lost) {
		return bucket.ErrExists
	}
	return err
}

func (r *recorder) Delete(ctx context.Context, key string) error {
	r.note("delete", key)
	return r.Bucket.Delete(ctx, key)
}

func (r *recorder) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	return r.Bucket.Get(ctx, key)
}

func (r *recorder) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	r.note("list", prefix)
	for p, n := range r.empty {
		if n > 0 && strings.HasPrefix(prefix, p) {
			r.empty[p]--
			return func(func(bucket.Object, error) bool) {}
		}
	}
	return r.Bucket.List(ctx, prefix, after)
}

// stepOn makes one step on a recorded bucket.
func (w *world) stepOn(t *testing.T, r *recorder, m kyc.Message, script ...answer) kyc.Report {
	t.Helper()
	report, err := w.puller(r, &upstream{script: script}).Step(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRule1MarkerWithClosedEntryIsNotPending(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	a := archive.New(w.mem)
	if _, err := a.Close(t.Context(), m.Mark(), archive.Closed{State: "expired"}); err != nil { // its closer is about to clear it
		t.Fatal(err)
	}
	in := kyc.Intake{Core: w.core(w.mem)}
	out, err := in.Complete(t.Context(), order, "test")
	if err != nil || !out.Created {
		t.Errorf("%+v, %v; want a new opening", out, err)
	}
}

func TestRule2CompleteManifestClearsAllItSaw(t *testing.T) {
	w := newWorld()
	m := w.mark(t, "a")
	w.note(t, w.mark(t, "b"))
	w.stepOn(t, &recorder{Bucket: w.mem}, m, whole)
	w.check(t)
}

func TestRule2PartialEndClearsItsOwnOpeningOnly(t *testing.T) {
	for name, a := range map[string]answer{"partial": noVideo, "closed": none} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			m := w.mark(t, "a")
			w.now = w.now.Add(w.settings.Deadline)
			w.note(t, w.mark(t, "b"))
			w.stepOn(t, &recorder{Bucket: w.mem}, m, a)
			want := []string{"pending/" + string(order) + ".b", "retry/" + string(order) + ".b"}
			if diff := cmp.Diff(want, w.keys("pending/", "retry/")); diff != "" {
				t.Errorf("what waits, -want +got:\n%s", diff)
			}
		})
	}
}

func TestRule3EvidenceThatTheManifestLacksIsNotCovered(t *testing.T) {
	w := newWorld()
	w.partial(t)
	m := w.open(t)
	keep(t, w, archive.Video, "mp4", tinyMP4("a")) // a step stored it and died
	w.stepOn(t, &recorder{Bucket: w.mem}, m, whole)
	w.check(t)
}

func keep(t *testing.T, w *world, kind archive.Kind, ext string, data []byte) {
	t.Helper()
	if _, err := archive.New(w.mem).KeepEvidence(t.Context(), order, kind, ext, bucket.Bytes(data, "")); err != nil {
		t.Fatal(err)
	}
}

func TestRule4NextManifestIsTheUnion(t *testing.T) {
	w := newWorld()
	w.stepOn(t, &recorder{Bucket: w.mem}, w.open(t), whole)
	keep(t, w, archive.Photo, "png", tinyPNG(7))
	hidden := &recorder{Bucket: w.mem}
	w.stepOn(t, hidden, kyc.Message{V: 1, Order: order, Opening: "late", Attempt: 1}, whole)
	all, err := archive.New(w.mem).Manifests(t.Context(), order)
	if err != nil || len(all) != 2 || len(all[1].Files) != len(all[0].Files)+1 {
		t.Fatalf("%d manifests, %v", len(all), err)
	}
	w.stepOn(t, hidden, kyc.Message{V: 1, Order: order, Opening: "late", Attempt: 2}, whole)
	if again, _ := archive.New(w.mem).Manifests(t.Context(), order); len(again) != 2 {
		t.Errorf("%d manifests after a step with nothing new", len(again))
	}
}

// TestRule4StaleListingLosesNothing: what the last manifest names is in the next one, though no listing shows it.
func TestRule4StaleListingLosesNothing(t *testing.T) {
	w := newWorld()
	w.partial(t)
	r := &recorder{Bucket: w.mem, empty: map[string]int{"orders/": 5}}
	w.stepOn(t, r, w.open(t), whole)
	w.check(t)
}

// TestRules5And6WithoutMarker: a step without a marker names late evidence and journals what lacks an entry, and asks nothing.
func TestRules5And6WithoutMarker(t *testing.T) {
	w := newWorld()
	w.stepOn(t, &recorder{Bucket: w.mem}, w.open(t), whole)
	for _, key := range w.keys("journal/") {
		if err := w.mem.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	keep(t, w, archive.Photo, "png", tinyPNG(7))
	up := &upstream{script: []answer{whole}}
	late := kyc.Message{V: 1, Order: order, Opening: "late", Attempt: 1}
	if _, err := w.puller(w.mem, up).Step(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if len(up.asked) > 0 {
		t.Error("a step without a marker asked the upstream")
	}
	if n := len(w.keys("journal/")); n != 2 {
		t.Errorf("%d journal entries, want 2", n)
	}
	w.check(t)
}

// TestRule7Order: markers are listed before orders/; clearing removes notes, lists orders/ once more, then removes the marker.
func TestRule7Order(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	w.note(t, m)
	r := &recorder{Bucket: w.mem}
	w.stepOn(t, r, m, whole)
	want := []string{
		"list retry/ORDER", "list quiet/ORDER", "list pending/ORDER", "list orders/ORDER/",
		"create orders/ORDER/result", "create orders/ORDER/photo", "create orders/ORDER/video",
		"create orders/ORDER/manifest.json", "create journal/2026-11-23/090000",
		"delete retry/ORDER", "delete quiet/ORDER", "list orders/ORDER/", "delete pending/ORDER",
	}
	if diff := cmp.Diff(want, r.calls); diff != "" {
		t.Errorf("calls of a step, -want +got:\n%s", diff)
	}
}

// TestRule7LastLook: what another step stored just before the clearing gets its manifest before the marker goes.
func TestRule7LastLook(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	w.note(t, m)
	w.now = w.now.Add(w.settings.Deadline)
	keep(t, w, archive.Photo, "png", tinyPNG(9))
	r := &recorder{Bucket: w.mem, empty: map[string]int{"orders/": 1}} // the first listing does not show it
	w.want = []kyc.State{kyc.StatePartial}
	w.stepOn(t, r, m, none)
	w.check(t)
}

// TestRule7Strays: a pass reads the marker's key of a note without a listed marker; if it is gone, the note goes and its
// order is handed out once.
func TestRule7Strays(t *testing.T) {
	w := newWorld()
	hidden := w.mark(t, "hidden")
	w.note(t, hidden)
	gone := kyc.Message{V: 1, Order: order, Opening: "gone", Attempt: 1}
	w.note(t, gone)
	w.now = w.now.Add(time.Hour)
	r := &recorder{Bucket: w.mem, empty: map[string]int{"pending/": 1}}
	report, err := w.refetcher(r).Pass(t.Context(), false)
	if err != nil || report.Strays != 1 {
		t.Fatalf("%+v, %v; want one stray", report, err)
	}
	if len(w.mail.msgs) != 1 || w.mail.msgs[0].Opening != "gone" || !w.mail.msgs[0].Single {
		t.Errorf("handed out %+v", w.mail.msgs)
	}
	if diff := cmp.Diff([]string{"retry/" + string(order) + ".hidden"}, w.keys("retry/")); diff != "" {
		t.Error(diff)
	}
}

// TestRule7PassOrder: a pass lists notes before markers.
func TestRule7PassOrder(t *testing.T) {
	w := newWorld()
	w.open(t)
	r := &recorder{Bucket: w.mem}
	if _, err := w.refetcher(r).Pass(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"list retry/", "list quiet/", "list pending/"}, r.calls); diff != "" {
		t.Errorf("calls of a pass, -want +got:\n%s", diff)
	}
}

// TestRule9ManifestsAreNotFoundByListing: a listing that shows no manifest hides none.
func TestRule9ManifestsAreNotFoundByListing(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	w.stepOn(t, &recorder{Bucket: w.mem}, m, whole)
	again := w.mark(t, "again")
	r := &recorder{Bucket: w.mem, empty: map[string]int{"orders/": 5}}
	if got := w.stepOn(t, r, again, noVideo); got.State != kyc.StateArchived || slices.Contains(r.calls, "create orders/ORDER/manifest.json") {
		t.Errorf("%+v, %v", got, r.calls)
	}
	w.check(t)
}

func TestRule10LostAnswers(t *testing.T) {
	for _, key := range []string{"pending/", "orders/" + string(order) + "/photo", "orders/" + string(order) + "/manifest", "journal/"} {
		t.Run(key, func(t *testing.T) {
			w := newWorld()
			r := &recorder{Bucket: w.mem, lost: key}
			out, err := (&kyc.Intake{Core: w.core(r)}).Complete(t.Context(), order, "test")
			if err != nil || !out.Created {
				t.Fatalf("%+v, %v", out, err)
			}
			w.stepOn(t, r, w.mail.msgs[0], whole)
			w.mail.msgs = nil
			w.check(t)
		})
	}
}

func TestRule10StepGoesOnIfItsOwnMarkerExists(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	r := &recorder{Bucket: w.mem, empty: map[string]int{"pending/": 1}} // the listing does not show it yet
	if got := w.stepOn(t, r, m, whole); got.State != kyc.StateArchived {
		t.Errorf("%+v", got)
	}
	w.check(t)
}

// TestContradictingVerdictIsKeptToo: the service says one thing to the result query and another to the evidence query.
func TestContradictingVerdictIsKeptToo(t *testing.T) {
	w := newWorld()
	other := whole
	other.code, other.class = "66660004", kyc.Final
	report := w.stepOn(t, &recorder{Bucket: w.mem}, w.open(t), noVideo, other)
	if !errors.Is(report.Err, kyc.ErrVerdicts) {
		t.Errorf("report %+v", report)
	}
	w.check(t)
	st, err := kyc.Orders{Archive: archive.New(w.mem)}.Status(t.Context(), order)
	results := 0
	for _, f := range st.Files {
		if f.Kind == archive.Result {
			results++
		}
	}
	if err != nil || results != 2 {
		t.Errorf("%d result files, %v", results, err)
	}
}

// TestDamagedEvidenceIsNotNamed: a manifest vouches only for bytes that were read.
func TestDamagedEvidenceIsNotNamed(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	w.stepOn(t, &recorder{Bucket: w.mem}, m, noVideo)
	photo := w.keys("orders/" + string(order) + "/photo")[0]
	if err := w.mem.Put(t.Context(), photo, bucket.Bytes([]byte("cut"), "")); err != nil {
		t.Fatal(err)
	}
	m.Attempt = 2
	if _, err := w.puller(w.mem, &upstream{script: []answer{whole}}).Step(t.Context(), m); !errors.Is(err, archive.ErrDamaged) {
		t.Errorf("error is %v", err)
	}
	if len(w.keys("orders/"+string(order)+"/manifest")) > 0 {
		t.Error("a manifest names a damaged photo")
	}
}
