package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

// The scripts show doctor on a machine that is well. What they can not bring about is here.

// examined gives the findings of one look, as "level check".
func examined(look func(*doctor)) []string {
	var found []string
	d := &doctor{app: &app{now: time.Now}, report: func(f finding) error {
		found = append(found, f.Level+" "+f.Check)
		return nil
	}}
	look(d)
	return found
}

func TestDoctorJudgesClocks(t *testing.T) {
	t.Parallel()
	for skew, want := range map[time.Duration]string{
		0: levelOK, 30 * time.Second: levelOK, -31 * time.Second: levelWarning, 5 * time.Minute: levelWarning, -6 * time.Minute: levelBad, time.Hour: levelBad,
	} {
		if got := examined(func(d *doctor) { d.skew("clock", "its times", skew) }); len(got) != 1 || got[0] != want+" clock" {
			t.Errorf("%s off: %v, want %s", skew, got, want)
		}
		folder := bucket.Properties{}
		if got := examined(func(d *doctor) { d.storeClock(folder, skew) }); len(got) != 1 || !strings.HasPrefix(got[0], want+" ") {
			t.Errorf("%s off in a folder: %v, want %s", skew, got, want)
		}
	}
}

// ownClock is a store whose clock is not this machine's.
type ownClock struct {
	bucket.Bucket
	now time.Time
}

func (o ownClock) Now(context.Context) (time.Time, error) { return o.now, nil }

func (o ownClock) Properties() bucket.Properties {
	return bucket.Properties{Name: "s3", OwnClock: true}
}

func TestDoctorComparesAStoresOwnClock(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	d := &doctor{app: &app{now: func() time.Time { return now }}}
	if got := d.ahead(t.Context(), ownClock{now: now.Add(time.Hour)}); got != time.Hour {
		t.Errorf("ahead by %v, want an hour", got)
	}
	if got := d.ahead(t.Context(), membucket.New(func() time.Time { return now.Add(time.Hour) })); got != 0 {
		t.Errorf("a store without a clock of its own is ahead by %v", got)
	}
}

func TestDoctorJudgesRoom(t *testing.T) {
	t.Parallel()
	for free, want := range map[uint64]string{0: levelBad, 99: levelBad, 100: levelWarning, 999: levelWarning, 1000: levelOK, 1 << 63: levelOK} {
		if got := roomLeft("room", free, 100, 1000); got.Level != want || strings.Contains(got.Found, "-") || (want == levelOK) != (got.Do == "") {
			t.Errorf("%d bytes free: %+v, want %s", free, got, want)
		}
	}
}

// TestDoctorSeesOrdersAtRisk ages an order, and puts a key beside it that nothing takes up.
func TestDoctorSeesOrdersAtRisk(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	store := membucket.New(func() time.Time { return now })
	vault := archive.New(store)
	if err := vault.OpenMarker(t.Context(), archive.Mark{Order: "ok1", Opening: "op1"}, archive.Marker{}); err != nil {
		t.Fatal(err)
	}
	look := func() string { return strings.Join(examined(func(d *doctor) { d.waiting(t.Context(), vault) }), ", ") }
	if now = now.Add(48 * time.Hour); look() != "ok orders that wait" {
		t.Errorf("after 48 hours: %s", look())
	}
	if now = now.Add(time.Second); look() != "bad orders that wait" {
		t.Errorf("a second later: %s", look())
	}
	if err := store.Put(t.Context(), "pending/strange", bucket.Bytes(nil, "")); err != nil {
		t.Fatal(err)
	}
	if look() != "bad orders that wait, warning orders that wait" {
		t.Errorf("with a strange key: %s", look())
	}
}
