package seal_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// watched is a bucket that notes what is read, hides keys from listings, and may say that its listings are stale.
type watched struct {
	bucket.Bucket
	hide  string
	weak  bool
	calls []string // "list journal/ from …" and "get …"
}

func (w *watched) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	w.calls = append(w.calls, "list "+prefix+" from "+strings.TrimPrefix(after, prefix))
	return func(yield func(bucket.Object, error) bool) {
		for o, err := range w.Bucket.List(ctx, prefix, after) {
			if (w.hide == "" || !strings.Contains(o.Key, w.hide)) && !yield(o, err) {
				return
			}
		}
	}
}

func (w *watched) Properties() bucket.Properties {
	p := w.Bucket.Properties()
	p.StrongListing = !w.weak
	return p
}

// reads are the calls that begin so.
func (w *watched) reads(what string) (calls []string) {
	for _, c := range w.calls {
		if strings.HasPrefix(c, what) {
			calls = append(calls, c)
		}
	}
	return calls
}

// watch lets the sealer work on a watched bucket.
func (v *vault) watch(s *seal.Sealer, w *watched) *watched {
	w.Bucket = hooked{v.mem, func(call, key string) (error, error) {
		if call == "get" {
			w.calls = append(w.calls, "get "+key)
		}
		return nil, nil
	}}
	s.Archive = archive.New(w)
	return w
}

// stored writes an order's journal entry for a time, as if it were stored so long after.
func (v *vault) stored(order string, at time.Time, after time.Duration) {
	now := v.now
	v.now = at.Add(after)
	v.journal(order, at)
	v.now = now
}

// TestLateEntriesAmongOthers: a late entry is found wherever it sorts among its window's leaves, and none of those is taken for late.
func TestLateEntriesAmongOthers(t *testing.T) {
	v := newVault(t, monday)
	for _, order := range []string{"b", "d", "f"} {
		v.stored(order, monday.Add(time.Minute), 10*time.Minute)
	}
	v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
	for _, order := range []string{"a", "c", "e", "g"} {
		v.stored(order, monday.Add(time.Minute), 2*time.Hour)
	}
	v.pass(v.sealer(time.Hour), monday.Add(3*time.Hour))
	v.pass(v.sealer(time.Hour), monday.Add(4*time.Hour))
	v.wantChain("20261123T000000Z 20261123T010000Z: b d f", "20261123T010000Z 20261123T020000Z: a(late) c(late) e(late) g(late)", "20261123T020000Z 20261123T030000Z:")
}

// TestWhatIsLookedThrough: on a store whose listings show all, only what was stored a minute after its time or later may have been
// missed; where listings are stale, and in a pass by hand, anything.
func TestWhatIsLookedThrough(t *testing.T) {
	for name, c := range map[string]struct {
		after       time.Duration
		weak, whole bool
		found       bool
	}{
		"soon":                         {after: time.Minute - 1},
		"a minute after":               {after: time.Minute, found: true},
		"soon, of a stale listing":     {after: time.Second, weak: true, found: true},
		"soon, looked for by hand":     {after: time.Second, whole: true, found: true},
		"an hour after, stale listing": {after: time.Hour, weak: true, found: true},
	} {
		v := newVault(t, monday)
		v.stored("a", monday, 0)
		v.stored("missed", monday, c.after)
		first := v.sealer(time.Hour)
		v.watch(first, &watched{hide: "missed"})
		v.pass(first, monday.Add(2*time.Hour))
		second := v.sealer(time.Hour)
		v.watch(second, &watched{weak: c.weak})
		v.now = monday.Add(3 * time.Hour)
		if r, err := second.Pass(t.Context(), c.whole); err != nil || (r.Late == 1) != c.found {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// TestEntriesBeforeTheChain are in no seal, however soon they were stored.
func TestEntriesBeforeTheChain(t *testing.T) {
	v := newVault(t, monday)
	v.pass(v.sealer(time.Hour), monday.Add(100*time.Minute))
	v.stored("early", monday.Add(-30*time.Minute), 0)
	v.pass(v.sealer(time.Hour), monday.Add(3*time.Hour))
	v.wantChain("20261123T000000Z 20261123T010000Z:", "20261123T010000Z 20261123T020000Z: early(late)")
}

// TestLongWindows: the seal of an entry's window may have begun long before the time that is looked back.
func TestLongWindows(t *testing.T) {
	v := newVault(t, monday)
	month := 30 * 24 * time.Hour
	begin := time.Unix(monday.Unix()/int64(month.Seconds())*int64(month.Seconds()), 0).UTC() // windows are counted from 1970
	v.stored("first", begin.Add(time.Hour), 0)
	v.stored("slow", begin.Add(month-time.Hour), 5*time.Minute)
	s := v.sealer(month)
	if r := v.pass(s, begin.Add(month+time.Hour)); r.Leaves != 2 {
		t.Errorf("first: %+v", r)
	}
	if r := v.pass(v.sealer(month), begin.Add(2*month+time.Hour)); r.Leaves != 0 {
		t.Errorf("sealed twice: %+v", r)
	}
}

// TestReadsOfAPass: the chain's end is found near now; late entries are looked for once, and each seal's leaves are read once for all
// entries of its window, and only if there are some to be looked for.
func TestReadsOfAPass(t *testing.T) {
	v := newVault(t, monday)
	for hour := range 8 { // of hours 2 and 5 two entries each were stored late enough to be looked at
		at := monday.Add(time.Duration(hour) * time.Hour)
		after := time.Duration(0)
		if hour == 2 || hour == 5 {
			after = 5 * time.Minute
		}
		v.stored("a"+at.Format("15"), at, after)
		v.stored("b"+at.Format("15"), at.Add(time.Minute), after)
	}
	v.pass(v.sealer(time.Hour), monday.Add(8*time.Hour+30*time.Minute))
	s := v.sealer(time.Hour)
	w := v.watch(s, &watched{})
	if r := v.pass(s, monday.Add(9*time.Hour+30*time.Minute)); r.Windows != 1 || r.Leaves != 0 {
		t.Errorf("%+v", r)
	}
	if got := w.reads("list seals/"); len(got) != 2 || got[0] != "list seals/ from 20261123T070000Z" { // two windows and the grace ago
		t.Errorf("seals: %q", got)
	}
	want := []string{"get seals/20261123T070000Z/checkpoint", "get seals/20261123T020000Z/leaves", "get seals/20261123T050000Z/leaves"}
	if got := w.reads("get "); !slices.Equal(got, want) {
		t.Errorf("read: %q", got)
	}
	w.calls = nil
	if r := v.pass(s, monday.Add(12*time.Hour+30*time.Minute)); r.Windows != 3 || r.Leaves != 0 {
		t.Errorf("%+v", r)
	}
	if got := w.reads("list journal/"); len(got) != 4 { // the look for late entries, and each window
		t.Errorf("journal: %q", got)
	}
}

// TestReadsForALateEntry: of the seals after its own, those are read that were made after it was stored.
func TestReadsForALateEntry(t *testing.T) {
	v := newVault(t, monday)
	v.stored("a", monday, 0)
	for hour := 2; hour <= 6; hour++ {
		v.pass(v.sealer(time.Hour), monday.Add(time.Duration(hour)*time.Hour))
		if hour == 4 {
			v.journal("late", monday.Add(time.Minute)) // sealed with the window that ends at 4:00, at 5:00
		}
	}
	s := v.sealer(time.Hour)
	w := v.watch(s, &watched{})
	if r := v.pass(s, monday.Add(7*time.Hour)); r.Leaves != 0 {
		t.Errorf("%+v", r)
	}
	want := []string{"get seals/20261123T040000Z/checkpoint", "get seals/20261123T000000Z/leaves", "get seals/20261123T020000Z/leaves", "get seals/20261123T030000Z/leaves"}
	if got := w.reads("get "); !slices.Equal(got, want) {
		t.Errorf("read: %q\nchain: %q", got, v.chain())
	}
}

// TestLookForLateEntriesFails as a whole when one of its reads does: nothing is sealed without what it could not see.
func TestLookForLateEntriesFails(t *testing.T) {
	for fail := 1; ; fail++ {
		v := newVault(t, monday)
		for hour := range 3 {
			v.stored(fmt.Sprintf("slow%d", hour), monday.Add(time.Duration(hour)*time.Hour), 5*time.Minute)
		}
		v.pass(v.sealer(time.Hour), monday.Add(3*time.Hour+30*time.Minute))
		v.now = v.now.Add(-time.Minute) // before two seals were made
		v.journal("late", monday.Add(time.Minute))
		before, calls := v.chain(), 0
		s := v.sealer(time.Hour)
		s.Archive = archive.New(hooked{v.mem, func(call, _ string) (error, error) {
			if call == "create" {
				return nil, nil
			}
			if calls++; calls == fail {
				return errPlanned, errPlanned
			}
			return nil, nil
		}})
		v.now = monday.Add(5 * time.Hour)
		r, err := s.Pass(t.Context(), false)
		if calls < fail {
			if err != nil || r.Late != 1 || fail < 7 {
				t.Errorf("%d reads: %+v, %v", calls, r, err)
			}
			return
		}
		if !errors.Is(err, errPlanned) || !slices.Equal(v.chain(), before) {
			t.Errorf("read %d fails: %v, %q", fail, err, v.chain())
		}
	}
}

// TestChainIsFoundAfterALongTime: farther and farther back, and at last from the beginning.
func TestChainIsFoundAfterALongTime(t *testing.T) {
	for _, days := range []int{1, 40, 400, 3000} {
		v := newVault(t, monday)
		v.archived("a", monday)
		v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
		s := v.sealer(time.Hour)
		w := v.watch(s, &watched{})
		if r := v.pass(s, monday.AddDate(0, 0, days)); r.Windows == 0 || r.Leaves != 0 {
			t.Errorf("after %d days: %+v", days, r)
		}
		if got := w.reads("list seals/"); len(got) > 9 {
			t.Errorf("after %d days: %q", days, got)
		}
	}
}

// TestStrangeKeysStopNoPass: what lies there and is not ours is passed over, in the journal and among the seals.
func TestStrangeKeysStopNoPass(t *testing.T) {
	v := newVault(t, monday)
	for _, key := range []string{"journal/2026-11-22/note", "journal/2026-11-23/note", "journal/2026-11-23/235959.x.y", "seals/", "seals/20261122T000000Z/note", "seals/20261123T000000Z/note", "seals/note"} {
		if err := v.mem.Create(t.Context(), strings.TrimSuffix(key+"/", "//")+"x", bucket.Bytes(nil, "")); err != nil {
			t.Fatal(err)
		}
	}
	v.archived("a", monday.Add(time.Minute))
	v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
	v.journal("late", monday.Add(2*time.Minute))
	s := v.sealer(time.Hour)
	s.Stamper = stamper(func([]byte) ([]byte, error) { return []byte("token"), nil })
	if r := v.pass(s, monday.Add(3*time.Hour)); r.Late != 1 || r.Stamped != 2 {
		t.Errorf("%+v", r)
	}
	s.Former = nil
	v.now = monday.Add(4 * time.Hour)
	if r, err := v.sealer(time.Hour).Pass(t.Context(), true); err != nil || r.Windows != 1 || r.Late != 0 {
		t.Errorf("by hand: %+v, %v", r, err)
	}
}

// TestLostLeaves: when a seal's leaves are gone or damaged, that is for verify to find: nothing of that window is sealed again, and the
// chain goes on.
func TestLostLeaves(t *testing.T) {
	for name, spoil := range map[string]func(v *vault, key string){
		"gone": func(v *vault, key string) { _ = v.mem.Delete(v.t.Context(), key) },
		"damaged": func(v *vault, key string) {
			_ = v.mem.Put(v.t.Context(), key, bucket.Bytes([]byte("nothing\n"), ""))
		},
	} {
		v := newVault(t, monday)
		v.stored("a", monday, 10*time.Minute)
		v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
		spoil(v, archive.SealKey(monday, archive.SealLeaves))
		if r := v.pass(v.sealer(time.Hour), monday.Add(3*time.Hour)); r.Windows != 1 || r.Leaves != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestMisplacedCheckpoint: the chain does not go on from a checkpoint that lies at another window's place.
func TestMisplacedCheckpoint(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
	signed, _, err := v.ReadSeal(t.Context(), monday, archive.SealCheckpoint)
	if err == nil {
		err = v.CreateSeal(t.Context(), monday.Add(3*time.Hour), archive.SealCheckpoint, bucket.Bytes(signed, ""))
	}
	if err != nil {
		t.Fatal(err)
	}
	v.now = monday.Add(6 * time.Hour)
	if r, err := v.sealer(time.Hour).Pass(t.Context(), false); !errors.Is(err, archive.ErrDamaged) || r.Windows != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestLeavesThatBreakOff: an error in the middle of a seal's leaves is no reason to take what they would have named for late.
func TestLeavesThatBreakOff(t *testing.T) {
	v := newVault(t, monday)
	for _, order := range []string{"a", "b", "c", "d"} {
		v.stored(order, monday, 5*time.Minute)
	}
	v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
	s := v.sealer(time.Hour)
	s.Archive = archive.New(cutShort{v.mem})
	v.now = monday.Add(3 * time.Hour)
	if r, err := s.Pass(t.Context(), false); !errors.Is(err, errPlanned) || r.Windows != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
