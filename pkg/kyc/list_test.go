package kyc_test

import (
	"context"
	"errors"
	"fmt"
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

// shelf is an archive that a test fills by hand, with a clock that it moves.
type shelf struct {
	*archive.Archive
	t     *testing.T
	now   time.Time
	store *membucket.Bucket
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{t: t, now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	s.store = membucket.New(func() time.Time { return s.now })
	s.Archive = archive.New(s.store)
	return s
}

func (s *shelf) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func mark(order string, opening int) archive.Mark {
	return archive.Mark{Order: archive.Order(order), Opening: fmt.Sprintf("op%d", opening)}
}

func (s *shelf) pending(order string, opening int) {
	s.t.Helper()
	s.must(s.OpenMarker(s.t.Context(), mark(order, opening), archive.Marker{By: "test"}))
}

func (s *shelf) closed(order string, opening int, state kyc.State) {
	s.t.Helper()
	_, err := s.Close(s.t.Context(), mark(order, opening), archive.Closed{State: string(state), ClosedAt: s.now, Attempts: 7})
	s.must(err)
}

// manifest commits an order, with or without its journal entry.
func (s *shelf) manifest(order, state string, n int, journal bool) {
	s.t.Helper()
	m, err := s.CreateManifest(s.t.Context(), n, archive.Manifest{Order: archive.Order(order), State: state, ArchivedAt: s.now})
	s.must(err)
	if journal {
		s.must(s.Journal(s.t.Context(), m))
	}
}

func (s *shelf) strange(key string) {
	s.t.Helper()
	s.must(s.store.Put(s.t.Context(), key, bucket.Bytes([]byte("{"), "")))
}

// list gives "order state" of each row, and "!" with what is wrong.
func (s *shelf) list(f kyc.Filter) []string {
	s.t.Helper()
	got := []string{}
	for row, err := range (kyc.Orders{Archive: s.Archive}).List(s.t.Context(), f) {
		switch {
		case archive.Strange(err):
			got = append(got, "! strange")
		case err != nil && row.Order == "":
			s.t.Fatal(err)
		case err != nil:
			got = append(got, "! "+string(row.Order))
		default:
			got = append(got, fmt.Sprintf("%s %s", row.Order, row.State))
		}
	}
	return got
}

// fill puts an order of every state, and every leftover of a dead step, on the shelf: one an hour from nine o'clock on.
func (s *shelf) fill() {
	for _, put := range []func(){
		func() { s.pending("wait1", 1); s.pending("wait1", 2) },
		func() { s.closed("gone1", 1, kyc.StateUnavailable); s.closed("gone1", 2, kyc.StateExpired) },
		func() { s.closed("reopened1", 1, kyc.StateExpired); s.pending("reopened1", 2) },
		func() { s.closed("cleared1", 1, kyc.StateUnavailable); s.pending("cleared1", 1) }, // died before it cleared the marker
		func() { s.manifest("ok1", "archived", 1, true) },
		func() {
			s.manifest("late1", "partial", 1, true)
			s.closed("late1", 1, kyc.StateExpired)
			s.pending("late1", 2)
		},
		func() { s.manifest("twice1", "partial", 1, true) },
		func() { s.manifest("twice1", "archived", 2, true) },
		func() { s.manifest("died1", "archived", 1, false); s.pending("died1", 1) }, // died before the journal
	} {
		put()
		s.now = s.now.Add(time.Hour)
	}
}

// TestListAgreesWithStatus lists an archive with everything in it: each order once, with the state that Status gives it.
func TestListAgreesWithStatus(t *testing.T) {
	s := newShelf(t)
	s.fill()
	got := s.list(kyc.Filter{})
	want := []string{
		"died1 archived", "reopened1 pending", "wait1 pending", "cleared1 unavailable", "gone1 expired",
		"ok1 archived", "late1 partial", "twice1 archived",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("listing, -want +got:\n%s", diff)
	}
	for _, line := range got {
		order, state, _ := strings.Cut(line, " ")
		st, err := kyc.Orders{Archive: s.Archive}.Status(t.Context(), archive.Order(order))
		if err != nil || string(st.State) != state {
			t.Errorf("order %s is listed as %s, and has status %s, %v", order, state, st.State, err)
		}
	}
}

func TestListFilters(t *testing.T) {
	s := newShelf(t)
	start := s.now
	s.fill()
	at := func(hour int) time.Time { return start.Add(time.Duration(hour-9) * time.Hour) }
	for name, test := range map[string]struct {
		filter kyc.Filter
		want   []string
	}{
		"pending":          {kyc.Filter{State: kyc.StatePending}, []string{"reopened1 pending", "wait1 pending"}},
		"archived":         {kyc.Filter{State: kyc.StateArchived}, []string{"ok1 archived", "twice1 archived"}},
		"partial":          {kyc.Filter{State: kyc.StatePartial}, []string{"late1 partial"}},
		"unavailable":      {kyc.Filter{State: kyc.StateUnavailable}, []string{"cleared1 unavailable"}},
		"expired":          {kyc.Filter{State: kyc.StateExpired}, []string{"gone1 expired"}},
		"from":             {kyc.Filter{From: at(15)}, []string{"died1 archived", "twice1 archived"}},
		"to is not in":     {kyc.Filter{To: at(11)}, []string{"wait1 pending", "gone1 expired"}},
		"between":          {kyc.Filter{From: at(11), To: at(14)}, []string{"reopened1 pending", "cleared1 unavailable", "ok1 archived"}},
		"a manifest's day": {kyc.Filter{State: kyc.StateArchived, From: at(14)}, []string{"twice1 archived"}},
		"nothing":          {kyc.Filter{From: at(99)}, []string{}},
	} {
		if diff := cmp.Diff(test.want, s.list(test.filter)); diff != "" {
			t.Errorf("%s, -want +got:\n%s", name, diff)
		}
	}
}

// TestListGoesOn checks that what is damaged is told, and hides no other order.
func TestListGoesOn(t *testing.T) {
	s := newShelf(t)
	s.manifest("ok1", "archived", 1, true)
	s.manifest("torn1", "archived", 1, true)
	s.strange("orders/torn1/manifest.json")
	s.strange("journal/2026-11-23/nonsense")
	s.strange("pending/nonsense")
	s.pending("wait1", 1)
	s.must(s.Journal(t.Context(), archive.Stored{Manifest: archive.Manifest{Order: "lost1", ArchivedAt: s.now}, Digest: strings.Repeat("0", 64)}))
	got := s.list(kyc.Filter{})
	slices.Sort(got)
	want := []string{"! lost1", "! strange", "! strange", "! torn1", "ok1 archived", "wait1 pending"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestListEnds checks that a listing that is broken off, by its reader or by its context, leaves nothing running and tells.
func TestListEnds(t *testing.T) {
	s := newShelf(t)
	for i := range 100 {
		s.pending(fmt.Sprintf("wait%03d", i), 1)
	}
	orders := kyc.Orders{Archive: s.Archive}
	for row, err := range orders.List(t.Context(), kyc.Filter{}) {
		if err != nil || row.Order != "wait000" {
			t.Fatalf("first is %q, %v", row.Order, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range orders.List(ctx, kyc.Filter{}) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("a cancelled listing ends with %v", last)
	}
}
