package seal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
)

// TestClockWasAhead: seals of windows that are not over stop sealing until they are. Each pass says so, also one of the process that
// made them, and so does verify; then what was archived meanwhile is taken in.
func TestClockWasAhead(t *testing.T) {
	v := newVault(t, monday)
	v.commit("a", monday.Add(time.Minute))
	same := v.sealer(24 * time.Hour)
	month := monday.AddDate(0, 0, 30)
	if r := v.pass(same, month.Add(time.Hour)); r.Windows != 30 {
		t.Fatalf("a month ahead: %+v", r)
	}
	v.commit("b", monday.AddDate(0, 0, 1))
	v.now = monday.AddDate(0, 0, 2)
	const window = "window 20261222T000000Z 20261223T000000Z: its window is not over"
	for name, s := range map[string]*seal.Sealer{"the same process": same, "another": v.sealer(24 * time.Hour)} {
		for range 2 {
			r, err := s.Pass(t.Context(), false)
			if err == nil || !strings.Contains(err.Error(), window) || !strings.Contains(err.Error(), "nothing is sealed before 2026-12-23T00:00:00Z") || r.Windows != 0 {
				t.Errorf("%s: %+v, %v", name, r, err)
			}
		}
	}
	found, _ := v.verify(func(o *seal.VerifyOptions) { o.Stamped = false })
	if last := archive.SealKey(month.AddDate(0, 0, -1), archive.SealCheckpoint); len(found) != 29 || found[27].Key != last || found[27].Kind != seal.BadSeal || found[28].Kind != seal.Unsealed {
		t.Errorf("verify: %+v", found)
	}
	v.now = month.AddDate(0, 0, 1).Add(time.Hour)
	if r, err := same.Pass(t.Context(), true); err != nil || r.Windows != 1 || r.Late != 1 {
		t.Errorf("when the windows are over: %+v, %v", r, err)
	}
}

// TestClocksOfTwoMachines: a few minutes between the machines of a folder are no trouble.
func TestClocksOfTwoMachines(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.Add(time.Minute))
	s := v.sealer(time.Hour)
	s.Grace = time.Minute
	v.pass(s, monday.Add(61*time.Minute))
	for before, good := range map[time.Duration]bool{5 * time.Minute: true, 5*time.Minute + time.Second: false} {
		v.now = monday.Add(time.Hour - before)
		if _, err := v.sealer(time.Hour).Pass(t.Context(), false); (err == nil) != good {
			t.Errorf("%s behind: %v", before, err)
		}
	}
}

// TestLeavesOfAClockThatWasAhead: leaves of a time to come are not where a chain begins, or it never would.
func TestLeavesOfAClockThatWasAhead(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.Add(time.Minute))
	v.left(monday.AddDate(0, 0, 30))
	v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
	v.wantChain("20261123T000000Z 20261123T010000Z: a")
}
