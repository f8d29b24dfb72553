package archive_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

var mark = archive.Mark{Order: "order1", Opening: "b"}

func TestMarkers(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		for _, m := range []archive.Mark{mark, {Order: "order1", Opening: "a"}, {Order: "order11", Opening: "a"}, {Order: "order", Opening: "1"}} {
			if err := a.OpenMarker(t.Context(), m, archive.Marker{By: "jwt", At: epoch}); err != nil {
				t.Fatal(err)
			}
		}
		put(t, b, "pending/order1.-first", nil) // no openings
		put(t, b, "pending/order1.not-an-opening", nil)
		put(t, b, mark.RetryKey(), nil)
		put(t, b, archive.Mark{Order: "order1", Opening: "c"}.QuietKey(), nil)
		seen, err := a.Markers(t.Context(), "order1")
		if err != nil {
			t.Fatal(err)
		}
		want := archive.Seen{
			Pending: []archive.Listed{{Mark: archive.Mark{Order: "order1", Opening: "a"}, At: epoch}, {Mark: mark, At: epoch}},
			Retry:   []archive.Listed{{Mark: mark, At: epoch}},
			Quiet:   []archive.Listed{{Mark: archive.Mark{Order: "order1", Opening: "c"}, At: epoch}},
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("markers, -want +got:\n%s", diff)
		}
		if !(archive.Seen{Retry: seen.Retry}).Notes() || !(archive.Seen{Quiet: seen.Quiet}).Notes() || (archive.Seen{Pending: seen.Pending}).Notes() {
			t.Error("Notes")
		}
		marks := []archive.Mark{{Order: "order1", Opening: "a"}, mark, {Order: "order1", Opening: "c"}}
		if diff := cmp.Diff(marks, seen.Marks()); diff != "" {
			t.Errorf("every opening once, -want +got:\n%s", diff)
		}
	})
}

// TestMarkerIsWrittenOnce: the age of an order does not change, whoever tells of it again.
func TestMarkerIsWrittenOnce(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		for _, by := range []string{"first", "second"} {
			if err := a.OpenMarker(t.Context(), mark, archive.Marker{By: by, At: epoch}); err != nil {
				t.Fatal(err)
			}
		}
		if data := get(t, b, mark.PendingKey()); !bytes.Contains(data, []byte("first")) {
			t.Errorf("overwritten: %s", data)
		}
		at, found, err := a.MarkerTime(t.Context(), mark)
		if err != nil || !found || !at.Equal(epoch) {
			t.Errorf("%s, %t, %v", at, found, err)
		}
		for range 2 { // the second time it is gone already
			if err := a.CloseMarker(t.Context(), mark); err != nil {
				t.Error(err)
			}
		}
		if at, found, err := a.MarkerTime(t.Context(), mark); found || err != nil {
			t.Errorf("after clearing: %s, %t, %v", at, found, err)
		}
	})
}

func TestScan(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		put(t, b, "pending/order1.a", nil)
		put(t, b, "pending/order1.strange.b", nil)
		put(t, b, "pending/strange", nil)
		put(t, b, "pending/zz9.a", nil)
		put(t, b, "retry/order2.a", nil)
		var marks, strange int
		for l, err := range a.Scan(t.Context(), archive.ScanPending) {
			switch {
			case archive.Strange(err):
				strange++
			case err != nil:
				t.Fatal(err)
			default:
				marks++
				if l.Opening != "a" || !l.At.Equal(epoch) {
					t.Errorf("%+v", l)
				}
			}
		}
		if marks != 2 || strange != 2 {
			t.Errorf("%d marks, %d strange keys; want 2 and 2", marks, strange)
		}
		if archive.Strange(errors.New("other")) || archive.Strange(nil) {
			t.Error("every error is strange")
		}
	})
}

func TestNotes(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		want := archive.Note{V: archive.MarkerVersion, Attempts: 3, Tries: map[string]int{"nosuch": 2, "ok": 1}, Code: "0", Odd: []string{"d"}}
		for _, kind := range []archive.NoteKind{archive.Retry, archive.Quiet, archive.Retry} {
			if err := a.WriteNote(t.Context(), kind, mark, want); err != nil {
				t.Fatal(err)
			}
			got, err := a.ReadNote(t.Context(), kind, mark)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v, -want +got:\n%s", kind, err, diff)
			}
			all := slices.Concat(keysOf(t, b, "retry/"), keysOf(t, b, "quiet/"))
			if diff := cmp.Diff([]string{string(kind) + "/order1.b"}, all); diff != "" {
				t.Errorf("a note stands in one place: %s", diff)
			}
		}
		for range 2 {
			if err := a.DeleteNotes(t.Context(), mark); err != nil {
				t.Error(err)
			}
		}
		if n, err := a.ReadNote(t.Context(), archive.Retry, mark); err != nil || n.Attempts != 0 {
			t.Errorf("of no note: %+v, %v", n, err)
		}
	})
}

// TestUnreadableNoteIsEmpty: a note is a memory of tries, and must not stop one.
func TestUnreadableNoteIsEmpty(t *testing.T) {
	for name, data := range unreadable {
		onStores(t, func(t *testing.T, b bucket.Bucket) {
			put(t, b, mark.QuietKey(), data)
			if n, err := archive.New(b).ReadNote(t.Context(), archive.Quiet, mark); err != nil || n.Attempts != 0 {
				t.Errorf("%s: %+v, %v", name, n, err)
			}
		})
	}
}

// unreadable are contents that no record has.
var unreadable = map[string][]byte{
	"empty": {}, "cut short": []byte(`{"v":1,"attempts":3`), "text": []byte("hello"), "list": []byte("[]"), "wrong type": []byte(`{"v":1,"attempts":"3","state":3,"files":3}`),
	"newer": []byte(`{"v":2,"version":2,"attempts":3,"state":"expired"}`), "two": []byte("{}{}"),
	"endless": bytes.Repeat([]byte(" "), 2<<20), "NUL": make([]byte, 100),
}

func TestClosed(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		if _, found, err := a.NewestClosed(t.Context(), mark.Order); found || err != nil {
			t.Errorf("of an order that is not closed: %t, %v", found, err)
		}
		want := archive.Closed{V: 1, State: "expired", FirstSeen: epoch, ClosedAt: epoch.Add(72 * time.Hour), Attempts: 9, Tries: map[string]int{"failed": 9}, Code: ""}
		newest := archive.Mark{Order: mark.Order, Opening: "c"}
		for _, m := range []archive.Mark{newest, {Order: mark.Order, Opening: "a"}} {
			c := want
			if m != newest {
				c.State = "unavailable"
			}
			if created, err := a.Close(t.Context(), m, c); err != nil || !created {
				t.Fatalf("created %v, %v", created, err)
			}
		}
		if created, err := a.Close(t.Context(), newest, archive.Closed{State: "unavailable"}); err != nil || created {
			t.Errorf("closed by another step already: created %v, %v", created, err)
		}
		got, found, err := a.NewestClosed(t.Context(), mark.Order)
		if diff := cmp.Diff(want, got); diff != "" || !found || err != nil {
			t.Errorf("%t, %v, -want +got:\n%s", found, err, diff)
		}
		for m, want := range map[archive.Mark]bool{newest: true, mark: false, {Order: "order", Opening: "c"}: false} {
			if closed, err := a.IsClosed(t.Context(), m); err != nil || closed != want {
				t.Errorf("%+v is closed: %t, %v; want %t", m, closed, err, want)
			}
		}
	})
}

func TestClosedThatCanNotBeRead(t *testing.T) {
	for name, data := range unreadable {
		onStores(t, func(t *testing.T, b bucket.Bucket) {
			put(t, b, mark.ClosedKey(), data)
			want := archive.ErrDamaged
			if name == "newer" {
				want = archive.ErrNewer
			}
			if _, _, err := archive.New(b).NewestClosed(t.Context(), mark.Order); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", name, err, want)
			}
		})
	}
}

func TestEvidence(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		retained := &spy{Bucket: b, retained: make(map[string]bool)}
		a := archive.New(retained)
		photo := keep(t, a, "order1", archive.Photo, "jpg", []byte("photo"))
		keep(t, a, "order1", archive.Photo, "jpg", []byte("photo")) // the same bytes again
		odd := keep(t, a, "order1", archive.Photo, "bin", []byte("other photo"))
		keep(t, a, "order11", archive.Photo, "jpg", []byte("of another order"))
		put(t, b, "orders/order1/manifest.json", nil)
		put(t, b, "orders/order1/photo.of-a-later-version", nil)
		listed, err := a.ListEvidence(t.Context(), "order1")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, e := range listed {
			names = append(names, e.File())
			if !e.At.Equal(epoch) || e.Size == 0 {
				t.Errorf("%+v", e)
			}
			if _, err := a.Check(t.Context(), "order1", e); err != nil {
				t.Error(err)
			}
			if !retained.retained["orders/order1/"+e.File()] {
				t.Errorf("%s is not retained", e.File())
			}
		}
		want := []string{photo.Name, odd.Name}
		slices.Sort(want)
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if photo.SHA256 != digestOf([]byte("photo")) || photo.Name != "photo."+photo.SHA256+".jpg" {
			t.Errorf("%+v", photo)
		}
	})
}

func TestReadEvidence(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		f := keep(t, a, "order1", archive.Result, "json", []byte("{}"))
		data, err := a.ReadSmall(t.Context(), "order1", f.Name)
		if err != nil || string(data) != "{}" {
			t.Errorf("%q, %v", data, err)
		}
		r, obj, err := a.OpenEvidence(t.Context(), "order1", f.Name)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		if data, err := io.ReadAll(r); err != nil || string(data) != "{}" || obj.Size != 2 {
			t.Errorf("%q, %+v, %v", data, obj, err)
		}
		if _, err := a.ReadSmall(t.Context(), "order2", f.Name); !errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("of another order: %v", err)
		}
		if _, _, err := a.OpenEvidence(t.Context(), "order2", f.Name); !errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("of another order: %v", err)
		}
	})
}

// TestEvidenceIsNeverOverwritten: other bytes under the name of these are damage, not success.
func TestEvidenceIsNeverOverwritten(t *testing.T) {
	for name, there := range map[string]string{"changed": "PHOTO", "cut short": "phot", "longer": "photo!", "empty": ""} {
		onStores(t, func(t *testing.T, b bucket.Bucket) {
			a, c := archive.New(b), bucket.Bytes([]byte("photo"), "")
			key := archive.FileKey("order1", archive.FileName(archive.Photo, digestOf([]byte("photo")), "jpg"))
			put(t, b, key, []byte(there))
			if _, err := a.KeepEvidence(t.Context(), "order1", archive.Photo, "jpg", c); !errors.Is(err, archive.ErrDamaged) {
				t.Errorf("%s: %v, want ErrDamaged", name, err)
			}
			if data := get(t, b, key); string(data) != there {
				t.Errorf("%s: overwritten with %q", name, data)
			}
			listed, err := a.ListEvidence(t.Context(), "order1")
			if err != nil || len(listed) != 1 {
				t.Fatal(listed, err)
			}
			if _, err := a.Check(t.Context(), "order1", listed[0]); !errors.Is(err, archive.ErrDamaged) {
				t.Errorf("%s: checked: %v, want ErrDamaged", name, err)
			}
		})
	}
}

func TestManifests(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		retained := &spy{Bucket: b, retained: make(map[string]bool)}
		a := archive.New(retained)
		first := archived(t, a, "order1")
		m := first.Manifest
		m.Previous, m.Missing, m.ArchivedAt = first.Digest, []string{}, epoch.Add(time.Minute)
		second := commit(t, a, 2, m)
		all, err := a.Manifests(t.Context(), "order1")
		first.Missing = []string{} // is never null
		if diff := cmp.Diff([]archive.Stored{first, second}, all); diff != "" || err != nil {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
		if want := digestOf(get(t, b, "orders/order1/manifest.2.json")); second.Digest != want || second.N != 2 {
			t.Errorf("manifest %d has digest %s, want %s", second.N, second.Digest, want)
		}
		if !retained.retained["orders/order1/manifest.json"] || retained.retained[keysOf(t, b, "journal/")[0]] {
			t.Error("a manifest is to be retained, and a journal entry is not")
		}
		if _, err := a.CreateManifest(t.Context(), 2, m); !errors.Is(err, archive.ErrTaken) {
			t.Errorf("the same number again: %v, want ErrTaken", err)
		}
	})
}

func TestJournal(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		s, err := a.CreateManifest(t.Context(), 1, archive.Manifest{Order: "order1", State: archive.Partial, ArchivedAt: epoch.Add(999 * time.Millisecond)})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []bool{false, true, true} {
			if got, err := a.Journaled(t.Context(), s); err != nil || got != want {
				t.Errorf("journaled: %t, %v; want %t", got, err, want)
			}
			if err := a.Journal(t.Context(), s); err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff([]string{"journal/2026-11-23/090000.order1." + s.Digest}, keysOf(t, b, "journal/")); diff != "" {
			t.Error(diff)
		}
	})
}

// TestLostAnswers: "exists" on one's own fresh key is one's own success (DESIGN section 3, rule 10).
func TestLostAnswers(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(lossy{b})
		if err := a.OpenMarker(t.Context(), mark, archive.Marker{}); err != nil {
			t.Error(err)
		}
		if _, err := a.Close(t.Context(), mark, archive.Closed{}); err != nil {
			t.Error(err)
		}
		keep(t, a, "order1", archive.Photo, "jpg", []byte("photo"))
		if err := a.Journal(t.Context(), archive.Stored{Manifest: archive.Manifest{Order: "order1"}, Digest: digestOf(nil)}); err != nil {
			t.Error(err)
		}
		if _, err := a.CreateManifest(t.Context(), 1, archive.Manifest{Order: "order1"}); !errors.Is(err, archive.ErrTaken) {
			t.Errorf("manifest: %v; the caller reads it again and finds its own", err)
		}
	})
}

// TestErrorsNameTheOrder: an error reads as one sentence about an order, and wraps its cause.
func TestErrorsNameTheOrder(t *testing.T) {
	a, b := archive.New(broken{}), bucket.Bytes(nil, "")
	ctx := t.Context()
	calls := map[string]error{}
	_, calls["list evidence"] = a.ListEvidence(ctx, "order1")
	_, calls["keep photo"] = a.KeepEvidence(ctx, "order1", archive.Photo, "jpg", b)
	_, calls["check evidence"] = a.Check(ctx, "order1", archive.Evidence{})
	_, calls["read result"] = a.ReadSmall(ctx, "order1", "result")
	_, calls["read manifest.json"] = a.Manifests(ctx, "order1")
	_, calls["commit"] = a.CreateManifest(ctx, 1, archive.Manifest{Order: "order1"})
	calls["write journal entry"] = a.Journal(ctx, archive.Stored{Manifest: archive.Manifest{Order: "order1"}})
	_, calls["read journal entry"] = a.Journaled(ctx, archive.Stored{Manifest: archive.Manifest{Order: "order1"}})
	_, calls["list retry/order1"] = a.Markers(ctx, "order1")
	calls["create marker"] = a.OpenMarker(ctx, mark, archive.Marker{})
	_, _, calls["read marker"] = a.MarkerTime(ctx, mark)
	calls["delete marker"] = a.CloseMarker(ctx, mark)
	_, calls["close"] = a.Close(ctx, mark, archive.Closed{})
	_, calls["read closed entry"] = a.IsClosed(ctx, mark)
	_, _, calls["list closed/order1"] = a.NewestClosed(ctx, "order1")
	_, calls["read note"] = a.ReadNote(ctx, archive.Retry, mark)
	calls["write note"] = a.WriteNote(ctx, archive.Retry, mark, archive.Note{})
	calls["delete note"] = a.DeleteNotes(ctx, mark)
	_, calls["list order"] = a.Verify(ctx, nil, "order1")
	for what, err := range calls {
		if what == "list order" {
			what = "list retry/"
		}
		if !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), what) || !strings.Contains(err.Error(), "order1") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := a.Now(ctx); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	if _, err := a.Verify(ctx, nil); !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "list retry/") {
		t.Error(err)
	}
}
