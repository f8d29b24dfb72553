package kyc_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// TestStatusPrecedence: the manifest comes before pending before the newest closed entry (DESIGN section 3).
func TestStatusPrecedence(t *testing.T) {
	mark := func(opening string) archive.Mark { return archive.Mark{Order: order, Opening: opening} }
	for _, tc := range []struct {
		name     string
		manifest string   // its state
		pending  []string // openings
		closed   map[string]kyc.State
		want     kyc.State
	}{
		{name: "nothing"},
		{name: "a marker", pending: []string{"a"}, want: kyc.StatePending},
		{name: "a closed entry", closed: map[string]kyc.State{"a": kyc.StateExpired}, want: kyc.StateExpired},
		{name: "the newest closed entry", closed: map[string]kyc.State{"a": kyc.StateExpired, "c": kyc.StateUnavailable, "b": kyc.StateExpired}, want: kyc.StateUnavailable},
		{name: "opened again", pending: []string{"b"}, closed: map[string]kyc.State{"a": kyc.StateExpired}, want: kyc.StatePending},
		{name: "its closer is about to clear the marker", pending: []string{"a"}, closed: map[string]kyc.State{"a": kyc.StateExpired}, want: kyc.StateExpired},
		{name: "one of two is closed", pending: []string{"a", "b"}, closed: map[string]kyc.State{"b": kyc.StateExpired}, want: kyc.StatePending},
		{name: "a manifest", manifest: archive.Archived, want: kyc.StateArchived},
		{name: "a manifest and a marker", manifest: archive.Archived, pending: []string{"a"}, want: kyc.StateArchived},
		{name: "a partial manifest, opened again", manifest: archive.Partial, pending: []string{"a"}, want: kyc.StatePartial},
		{name: "everything", manifest: archive.Partial, pending: []string{"a"}, closed: map[string]kyc.State{"a": kyc.StateExpired}, want: kyc.StatePartial},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			a := archive.New(w.mem)
			for _, opening := range tc.pending {
				w.mark(t, opening)
			}
			for opening, state := range tc.closed {
				if _, err := a.Close(t.Context(), mark(opening), archive.Closed{State: string(state)}); err != nil {
					t.Fatal(err)
				}
			}
			if tc.manifest != "" {
				if _, err := a.CreateManifest(t.Context(), 1, archive.Manifest{Order: order, State: tc.manifest}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := (kyc.Orders{Archive: a}).Status(t.Context(), order)
			if unknown := errors.Is(err, kyc.ErrUnknownOrder); got.State != tc.want || unknown != (tc.want == "") || err != nil && !unknown {
				t.Errorf("%q, %v; want %q", got.State, err, tc.want)
			}
			if got.Order != order || got.Files == nil || got.Missing == nil {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestStatusOfWaitingOrder: its age is the oldest marker's, its attempts are the newest opening's.
func TestStatusOfWaitingOrder(t *testing.T) {
	w := newWorld()
	w.mark(t, "a")
	w.now = w.now.Add(time.Minute)
	w.note(t, w.mark(t, "b"))
	got, err := (kyc.Orders{Archive: archive.New(w.mem)}).Status(t.Context(), order)
	want := kyc.Status{Order: order, State: kyc.StatePending, FirstSeen: epoch, Attempts: 3, Files: []archive.File{}, Missing: []string{}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}
