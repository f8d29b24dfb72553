package seal_test

import (
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/seal"
)

// TestWindows: they start at multiples in UTC, follow each other without a gap, and a new KYC_SEAL_EVERY begins where the old one ended.
func TestWindows(t *testing.T) {
	beijing := time.FixedZone("Beijing", 8*3600)
	for _, c := range []struct {
		at    time.Time
		every time.Duration
		want  string
	}{
		{time.Date(2026, 11, 23, 15, 4, 5, 6, time.UTC), 24 * time.Hour, "20261123T000000Z 20261124T000000Z"},
		{time.Date(2026, 11, 24, 7, 59, 59, 0, beijing), 24 * time.Hour, "20261123T000000Z 20261124T000000Z"},
		{time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), 24 * time.Hour, "20261123T000000Z 20261124T000000Z"},
		{time.Date(2026, 11, 23, 23, 59, 59, 999, time.UTC), time.Hour, "20261123T230000Z 20261124T000000Z"},
		{time.Date(2026, 11, 23, 12, 1, 59, 0, time.UTC), time.Minute, "20261123T120100Z 20261123T120200Z"},
		{time.Date(1969, 12, 31, 23, 59, 0, 0, time.UTC), time.Hour, "19691231T230000Z 19700101T000000Z"},
	} {
		w := seal.WindowOf(c.at, c.every)
		if w.String() != c.want || !w.Has(c.at) || w.Has(w.End) {
			t.Errorf("%s, every %s: %s, want %s", c.at, c.every, w, c.want)
		}
		if next := seal.WindowFrom(w.End, c.every); next.Start != w.End || next.End.Sub(next.Start) != c.every {
			t.Errorf("after %s comes %s", w, next)
		}
	}
	five := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC) // hours became days
	if w := seal.WindowFrom(five, 24*time.Hour); w.String() != "20261123T050000Z 20261124T000000Z" {
		t.Errorf("a day that begins at five: %s", w)
	}
}
