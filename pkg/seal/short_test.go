package seal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
)

// TestLateEntriesBesideOthers: a pass by hand takes in what came late although others have closed every window that is over; windows then
// end where they would have, and verify misses none meanwhile.
func TestLateEntriesBesideOthers(t *testing.T) {
	v := newVault(t, monday)
	v.commit("a", monday.Add(time.Hour))
	serve := v.sealer(24 * time.Hour)
	day := monday.AddDate(0, 0, 20)
	v.pass(serve, day.Add(time.Hour))
	byHand := func(at time.Time) seal.Report {
		t.Helper()
		v.now = at
		r, err := v.sealer(24*time.Hour).Pass(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	well := func(at time.Time) {
		t.Helper()
		v.now = at
		if found, _ := v.verify(func(o *seal.VerifyOptions) { o.Stamped = false }); len(found) > 0 {
			t.Errorf("at %s: %+v", at, found)
		}
	}
	if r := byHand(day.Add(12 * time.Hour)); r.Windows != 0 {
		t.Errorf("nothing is late: %+v", r)
	}
	v.commit("late", monday.Add(2*time.Hour)) // its step was dead for weeks
	if r := byHand(day.Add(31*time.Minute - time.Second)); r.Windows != 0 {
		t.Errorf("less than a minute: %+v", r)
	}
	v.commit("b", day.Add(11*time.Hour))
	v.commit("young", day.Add(12*time.Hour+10*time.Minute))
	if r := byHand(day.Add(12*time.Hour + 30*time.Minute)); r.Windows != 1 || r.Late != 1 || r.Leaves != 2 || !r.Until.Equal(day.Add(12*time.Hour-time.Second)) {
		t.Errorf("%+v", r)
	}
	well(day.Add(20 * time.Hour))
	if r := byHand(day.Add(13 * time.Hour)); r.Windows != 0 {
		t.Errorf("again: %+v", r)
	}
	if r := v.pass(serve, day.Add(24*time.Hour+30*time.Minute)); r.Windows != 1 || r.Leaves != 1 || !r.Until.Equal(day.AddDate(0, 0, 1)) {
		t.Errorf("the next window: %+v", r)
	}
	well(day.Add(47 * time.Hour))
}

// TestCrashOfAShorterWindow: whatever call of the pass by hand fails, or kills it, usual passes and one more by hand seal every order.
func TestCrashOfAShorterWindow(t *testing.T) {
	for fail, calls := 1, 1; fail <= calls; fail++ {
		v := newVault(t, monday)
		v.commit("a", monday.Add(time.Hour))
		day := monday.AddDate(0, 0, 20)
		v.pass(v.sealer(24*time.Hour), day.Add(time.Hour))
		v.commit("late", monday.Add(2*time.Hour))
		v.commit("b", day.Add(11*time.Hour))
		v.commit("young", day.Add(12*time.Hour+10*time.Minute))
		v.now = day.Add(12*time.Hour + 30*time.Minute)
		byHand := v.sealer(24 * time.Hour)
		calls = 0
		byHand.Archive = archive.New(hooked{v.mem, func(string, string) (error, error) {
			if calls++; calls >= fail {
				return errPlanned, nil
			}
			return nil, nil
		}})
		if _, err := byHand.Pass(t.Context(), true); !errors.Is(err, errPlanned) && fail <= calls {
			t.Errorf("call %d: %v", fail, err)
		}
		v.pass(v.sealer(24*time.Hour), day.AddDate(0, 0, 1).Add(time.Hour))
		v.now = v.now.Add(12 * time.Hour)
		if _, err := v.sealer(24*time.Hour).Pass(t.Context(), true); err != nil {
			t.Errorf("call %d: %v", fail, err)
		}
		if found, sum := v.verify(func(o *seal.VerifyOptions) { o.Stamped = false }); len(found) > 0 || sum.Leaves != 4 {
			t.Errorf("call %d: %+v: %+v", fail, sum, found)
		}
	}
}
