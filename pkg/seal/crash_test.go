package seal_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// TestCrashAtEveryCall: whatever call fails, before or after its effect, or kills the process, the next pass makes the same chain; of
// a first pass, of one that goes on from a chain and looks for late entries, and of one that finds leaves of a longer window, whose
// process died before.
func TestCrashAtEveryCall(t *testing.T) {
	t.Run("first", func(t *testing.T) { crashAtEveryCall(t, func(*vault) {}) })
	t.Run("chained", func(t *testing.T) { crashAtEveryCall(t, func(v *vault) { v.pass(v.sealer(time.Hour), v.now) }) })
	t.Run("left", func(t *testing.T) {
		crashAtEveryCall(t, func(v *vault) {
			v.left(monday, "a", "b")
			v.put("journal/2026-11-23/note", nil) // which stops nothing
		})
	})
}

// left leaves leaves without a checkpoint.
func (v *vault) left(start time.Time, orders ...string) {
	v.t.Helper()
	var leaves []seal.Leaf
	for _, o := range orders {
		leaves = append(leaves, seal.Leaf{Order: archive.Order(o), Digest: digestOf(o)})
	}
	if err := v.CreateSeal(v.t.Context(), start, archive.SealLeaves, bucket.Bytes(fileOf(v.t, leaves), "")); err != nil {
		v.t.Fatal(err)
	}
}

func crashAtEveryCall(t *testing.T, before func(v *vault)) {
	play := func(fail int, lost, dead bool) (*vault, int) {
		v := newVault(t, monday)
		v.archived("a", monday.Add(time.Minute))
		v.archived("b", monday.Add(time.Hour))
		v.now = monday.Add(90 * time.Minute)
		before(v)
		v.journal("c", monday.Add(time.Minute))
		calls := 0
		s := v.sealer(time.Hour)
		s.Stamper = stamper(func([]byte) ([]byte, error) { return []byte("token"), nil })
		s.Archive = archive.New(hooked{v.mem, func(string, string) (error, error) {
			switch calls++; {
			case calls == fail && lost:
				return nil, errPlanned
			case calls == fail, calls > fail && dead && fail > 0:
				return errPlanned, errPlanned
			}
			return nil, nil
		}})
		v.now = monday.Add(3 * time.Hour)
		_, err := s.Pass(t.Context(), false)
		if errors.Is(err, errPlanned) != (fail > 0) && !lost {
			t.Errorf("call %d: %v", fail, err)
		}
		v.journal("d", monday.Add(2*time.Minute)) // late, if the first window was sealed
		v.archived("e", monday.Add(4*time.Hour))
		again := v.sealer(time.Hour)
		again.Stamper = s.Stamper
		v.pass(again, monday.Add(6*time.Hour))
		return v, calls
	}
	whole, calls := play(0, false, false)
	if want := whole.chain(); len(want) < 4 || len(want) > 5 || calls < 8 {
		t.Fatalf("%d calls: %q", calls, want)
	}
	for n := 1; n <= calls; n++ {
		for _, way := range [][2]bool{{false, false}, {true, false}, {false, true}} {
			v, _ := play(n, way[0], way[1])
			chain := strings.Join(v.chain(), "\n")
			for _, order := range []string{"a", "b", "c", "d", "e"} {
				if strings.Count(strings.ReplaceAll(chain, "(late)", "")+"\n", " "+order+" ")+strings.Count(strings.ReplaceAll(chain, "(late)", "")+"\n", " "+order+"\n") != 1 {
					t.Errorf("call %d fails, %v: order %s is not sealed once:\n%s", n, way, order, chain)
				}
			}
			for _, o := range v.mem.Objects() {
				start, is := strings.CutSuffix(o.Key, "/"+archive.SealCheckpoint)
				if _, _, err := v.mem.Get(t.Context(), start+"/"+archive.SealToken); is && err != nil {
					t.Errorf("call %d fails, %v: %s has no timestamp", n, way, o.Key)
				}
			}
		}
	}
}
