package seal_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
)

// day is one of those of a sealedVault.
func day(n int) time.Time { return monday.AddDate(0, 0, n) }

// seals checks the seals alone, and gives exactly what is found: kind, then the key or the order.
func (v *vault) seals(o seal.VerifyOptions) (found []string, sum seal.Sealed) {
	v.t.Helper()
	o.Grace = 30 * time.Minute
	if o.Keys == nil {
		o.Keys = []seal.PublicKey{public(v.t, key(v.t))}
	}
	sum, err := seal.Verify(v.t.Context(), v.Archive, func(d archive.Damage) {
		where := string(d.Order)
		if where == "" {
			where = d.Key
		}
		found = append(found, d.Kind+" "+where)
	}, o)
	if err != nil {
		v.t.Fatal(err)
	}
	return found, sum
}

// wantFound compares what is found with what must be.
func (v *vault) wantFound(what string, o seal.VerifyOptions, want ...string) {
	v.t.Helper()
	if found, _ := v.seals(o); !slices.Equal(found, want) {
		v.t.Errorf("%s:\nfound %q\nwant  %q", what, found, want)
	}
}

// resign changes a seal's checkpoint, as who has the key could.
func (v *vault) resign(n int, change func(c *seal.Checkpoint)) {
	v.t.Helper()
	c, err := seal.Peek(v.get(cp(n)))
	if err != nil {
		v.t.Fatal(err)
	}
	change(&c)
	v.sign(cp(n), c)
}

func (v *vault) sign(at string, c seal.Checkpoint) {
	v.t.Helper()
	signed, err := c.Sign(key(v.t))
	if err != nil {
		v.t.Fatal(err)
	}
	v.put(at, signed)
}

func (v *vault) remove(keys ...string) {
	for _, k := range keys {
		_ = v.mem.Delete(v.t.Context(), k)
	}
}

// The objects of a day's seal.
func cp(n int) string    { return archive.SealKey(day(n), archive.SealCheckpoint) }
func lv(n int) string    { return archive.SealKey(day(n), archive.SealLeaves) }
func tsr(n int) string   { return archive.SealKey(day(n), archive.SealToken) }
func all(n int) []string { return []string{cp(n), lv(n), tsr(n)} }

// TestChain: whatever does not follow what is before it is named, by the place where it is wrong.
func TestChain(t *testing.T) {
	other, _, err := seal.NewKey("test.example/vault")
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := seal.ParseKey(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		do   func(v *vault)
		want []string
	}{
		"nothing":       {func(*vault) {}, nil},
		"a seal gone":   {func(v *vault) { v.remove(all(1)...) }, []string{"missing " + cp(1)}},
		"the first":     {func(v *vault) { v.remove(all(0)...) }, []string{"missing " + cp(0), "unsealed order00", "unsealed order01", "unsealed order02"}},
		"a checkpoint":  {func(v *vault) { v.remove(cp(1)) }, []string{"missing " + cp(1)}},
		"leaves":        {func(v *vault) { v.remove(lv(1)) }, []string{"missing " + lv(1)}},
		"a strange key": {func(v *vault) { v.put("seals/note", nil) }, []string{"unknown seals/note"}},
		"strange keys":  {func(v *vault) { v.put("seals/2026", nil); v.put("seals/20261124T000000Z/note", nil) }, []string{"unknown seals/2026", "unknown seals/20261124T000000Z/note"}},
		"another digest before": {func(v *vault) {
			v.resign(1, func(c *seal.Checkpoint) { c.Previous = strings.Repeat("0", 64) })
		}, []string{"bad-seal " + cp(1), "bad-seal " + cp(2)}},
		"another start before": {func(v *vault) {
			v.resign(2, func(c *seal.Checkpoint) { c.PreviousStart = day(0) })
		}, nil}, // the digest says which
		"the first one again": {func(v *vault) {
			v.resign(2, func(c *seal.Checkpoint) { c.Previous, c.PreviousStart = "", time.Time{} })
		}, []string{"bad-seal " + cp(2)}},
		"a first that names one before": {func(v *vault) {
			v.resign(0, func(c *seal.Checkpoint) { c.Previous, c.PreviousStart = strings.Repeat("0", 64), day(-1) })
		}, []string{"missing " + cp(-1), "bad-seal " + cp(1)}},
		"a window that begins later": {func(v *vault) {
			c, _ := seal.Peek(v.get(cp(2)))
			c.Window.Start, c.Timestamp = c.Window.Start.Add(time.Hour), false
			v.sign(archive.SealKey(c.Window.Start, archive.SealCheckpoint), c)
			v.put(archive.SealKey(c.Window.Start, archive.SealLeaves), v.get(lv(2)))
			v.remove(all(2)...)
		}, []string{"bad-seal seals/20261125T010000Z/checkpoint"}},
		"one between": {func(v *vault) {
			start := day(1).Add(12 * time.Hour)
			tree := seal.NewTree()
			v.sign(archive.SealKey(start, archive.SealCheckpoint), seal.Checkpoint{Root: tree.Root(), Window: seal.Window{Start: start, End: day(2)}, PreviousStart: day(1), Previous: seal.Digest(v.get(cp(1)))})
			v.put(archive.SealKey(start, archive.SealLeaves), nil)
		}, []string{"bad-seal seals/20261124T120000Z/checkpoint", "bad-seal " + cp(2)}},
		"another's signature": {func(v *vault) {
			c, _ := seal.Peek(v.get(cp(1)))
			signed, _ := c.Sign(otherKey)
			v.put(cp(1), signed)
		}, []string{"bad-seal " + cp(1)}},
		"another's place":                 {func(v *vault) { v.put(cp(1), v.get(cp(0))) }, []string{"bad-seal " + cp(1)}},
		"no checkpoint at all, but bytes": {func(v *vault) { v.put(cp(1), []byte("nothing\n")) }, []string{"bad-seal " + cp(1)}},
		"other leaves":                    {func(v *vault) { v.put(lv(1), v.get(lv(0))) }, []string{"bad-seal " + lv(1)}},
		"fewer leaves":                    {func(v *vault) { v.put(lv(1), nil) }, []string{"bad-seal " + lv(1)}},
		"another count":                   {func(v *vault) { v.resign(2, func(c *seal.Checkpoint) { c.Size++ }) }, []string{"bad-seal " + lv(2)}},
		"another count of late":           {func(v *vault) { v.resign(2, func(c *seal.Checkpoint) { c.Late++ }) }, []string{"bad-seal " + lv(2)}},
		"another root":                    {func(v *vault) { v.resign(2, func(c *seal.Checkpoint) { c.Root[31] ^= 1 }) }, []string{"bad-seal " + lv(2)}},
		"no leaves, but bytes":            {func(v *vault) { v.put(lv(2), []byte("nothing\n")) }, []string{"bad-seal " + lv(2)}},
		"an order gone":                   {func(v *vault) { v.removeOrder("order11") }, []string{"removed order11"}},
		"a journal entry gone":            {func(v *vault) { v.removeJournal("order11") }, nil}, // archive.Verify tells
		"an order slipped in":             {func(v *vault) { v.slipIn("forged", day(1).Add(time.Hour)) }, []string{"unsealed forged"}},
		"one of before the chain":         {func(v *vault) { v.slipIn("forged", day(-1)) }, []string{"unsealed forged"}},
	} {
		v := sealedVault(t)
		c.do(v)
		v.wantFound(name, seal.VerifyOptions{}, c.want...)
	}
}

// removeJournal removes an order's journal entries.
func (v *vault) removeJournal(order string) {
	for _, o := range v.mem.Objects() {
		if strings.HasPrefix(o.Key, "journal/") && strings.Contains(o.Key, order) {
			v.remove(o.Key)
		}
	}
}

// slipIn archives an order as if it had been then.
func (v *vault) slipIn(order string, at time.Time) {
	now := v.now
	v.commit(order, at)
	v.now = now
}

// TestSealThatIsBeingMade is no damage, if it is the last one and its leaves are fresh.
func TestSealThatIsBeingMade(t *testing.T) {
	v := sealedVault(t)
	v.now = day(3).Add(44 * time.Minute) // its leaves are of half past midnight
	v.remove(cp(2), tsr(2))
	v.wantFound("the last", seal.VerifyOptions{})
	v.put(tsr(2), nil)
	v.wantFound("with a timestamp", seal.VerifyOptions{}, "missing "+cp(2))
	v.remove(tsr(2))
	leaves := v.get(lv(2))
	v.now = v.now.Add(-time.Hour)
	v.put(lv(2), leaves)
	v.now = v.now.Add(time.Hour)
	v.wantFound("an hour old", seal.VerifyOptions{})
	v.now = v.now.Add(time.Nanosecond)
	v.wantFound("older", seal.VerifyOptions{}, "missing "+cp(2))

	v = sealedVault(t)
	v.now = day(3).Add(44 * time.Minute)
	v.remove(cp(1), tsr(1))
	v.put(lv(1), v.get(lv(1)))
	v.wantFound("not the last", seal.VerifyOptions{}, "missing "+cp(1))
}

// TestWhenASealIsDue: after the window, the grace and a quarter of an hour; and without any seal yet, at the end of a day.
func TestWhenASealIsDue(t *testing.T) {
	v := sealedVault(t)
	v.slipIn("late", day(3).Add(time.Hour))
	v.now = day(4).Add(45*time.Minute - 1)
	v.wantFound("not yet", seal.VerifyOptions{})
	v.now = day(4).Add(45 * time.Minute)
	v.wantFound("now", seal.VerifyOptions{}, "missing "+cp(3), "unsealed late")
	v.slipIn("next", day(4).Add(time.Minute))
	v.wantFound("one of the next window", seal.VerifyOptions{}, "missing "+cp(3), "unsealed late")

	v = newVault(t, monday)
	v.commit("a", monday)
	v.pass(v.sealer(time.Hour), monday.Add(90*time.Minute))
	v.now = monday.Add(2*time.Hour + 45*time.Minute - 1)
	v.wantFound("not yet, of hours", seal.VerifyOptions{})
	v.now = monday.Add(2*time.Hour + 45*time.Minute)
	v.wantFound("now, of hours", seal.VerifyOptions{}, "missing seals/20261123T010000Z/checkpoint")

	v = newVault(t, monday)
	v.commit("a", monday)
	v.now = day(1).Add(45*time.Minute - 1)
	v.wantFound("no seal yet", seal.VerifyOptions{})
	v.now = day(1).Add(45 * time.Minute)
	v.wantFound("no seal", seal.VerifyOptions{}, "unsealed a")
}

// TestTimestamps: what is missing, is of other bytes, or is of a time that can not be.
func TestTimestamps(t *testing.T) {
	stamped := seal.VerifyOptions{CheckToken: checkStamp, Stamped: true}
	for name, c := range map[string]struct {
		do   func(v *vault)
		want []string
	}{
		"nothing":           {func(*vault) {}, nil},
		"gone":              {func(v *vault) { v.remove(tsr(1)) }, []string{"missing " + tsr(1)}},
		"gone, and soon":    {func(v *vault) { v.remove(tsr(2)); v.now = day(3).Add(75*time.Minute - 1) }, nil},
		"gone, and not now": {func(v *vault) { v.remove(tsr(2)); v.now = day(3).Add(75 * time.Minute) }, []string{"missing " + tsr(2)}},
		"of other bytes":    {func(v *vault) { v.put(tsr(1), v.get(tsr(2))) }, []string{"bad-timestamp " + tsr(1)}},
		"not wanted any more": {func(v *vault) {
			v.resign(2, func(c *seal.Checkpoint) { c.Timestamp = false })
			v.remove(tsr(2))
		}, []string{"bad-timestamp " + cp(2)}},
		"before the window was over": {func(v *vault) { v.stamp(1, day(2).Add(-time.Second)) }, []string{"bad-timestamp " + tsr(1)}},
		"when it was over":           {func(v *vault) { v.stamp(1, day(2)) }, nil},
		"eight days after":           {func(v *vault) { v.stamp(1, day(10)) }, nil},
		"longer after":               {func(v *vault) { v.stamp(1, day(10).Add(time.Second)) }, []string{"bad-timestamp " + tsr(1)}},
		"not wanted at first": {func(v *vault) {
			v.resign(0, func(c *seal.Checkpoint) { c.Timestamp = false })
			v.remove(tsr(0))
		}, []string{"bad-seal " + cp(1)}}, // which names the old one
		"the first one is not the earliest": {func(v *vault) {
			v.stamp(0, day(20))
			v.stamp(2, day(20))
		}, []string{"bad-timestamp " + tsr(2)}},
		"before there were any": {func(v *vault) {
			for n := range 3 {
				v.stamp(n, day(20))
			}
		}, nil},
		"when there were some": {func(v *vault) {
			v.stamp(1, day(20))
			v.stamp(2, day(20))
		}, []string{"bad-timestamp " + tsr(1), "bad-timestamp " + tsr(2)}},
	} {
		v := sealedVault(t)
		c.do(v)
		v.wantFound(name, stamped, c.want...)
	}
	v := sealedVault(t)
	v.resign(2, func(c *seal.Checkpoint) { c.Timestamp = false })
	v.put(tsr(2), []byte("nothing"))
	v.wantFound("not looked at", seal.VerifyOptions{})
	v.wantFound("whoever the authority is", seal.VerifyOptions{CheckToken: checkStamp}, "bad-timestamp "+tsr(2))
	if _, sum := v.seals(seal.VerifyOptions{CheckToken: checkStamp}); sum.Stamps != 2 || sum.Seals != 3 || sum.Leaves != 9 || !sum.Until.Equal(day(3)) {
		t.Errorf("%+v", sum)
	}
}

// stamp gives a seal a timestamp of this time.
func (v *vault) stamp(n int, at time.Time) {
	v.t.Helper()
	now := v.now
	v.now = at
	token, err := v.stampAt()(v.get(cp(n)))
	if v.now = now; err != nil {
		v.t.Fatal(err)
	}
	v.put(tsr(n), token)
}

// TestKnownCheckpoints: a seal is made anew with the key, and its next ones too; a checkpoint that was kept shows it.
func TestKnownCheckpoints(t *testing.T) {
	v := sealedVault(t)
	var known []string
	for n := range 3 {
		known = append(known, seal.Digest(v.get(cp(n))))
	}
	v.wantFound("good", seal.VerifyOptions{Known: known})
	v.resign(2, func(c *seal.Checkpoint) { c.Timestamp = false })
	v.wantFound("the last made anew", seal.VerifyOptions{Known: known}, "bad-seal seals/")
}

// TestPartOfTheTime: the leaves of the windows that it meets are compared, and the chain is checked whole.
func TestPartOfTheTime(t *testing.T) {
	v := sealedVault(t)
	for _, order := range []string{"order01", "order11", "order21"} {
		v.removeOrder(order)
	}
	v.slipIn("forged0", day(0).Add(time.Hour))
	v.slipIn("forged1", day(1).Add(time.Hour))
	v.slipIn("forged2", day(2).Add(time.Hour))
	for _, c := range []struct {
		from, to time.Time
		leaves   int
		want     []string
	}{
		{time.Time{}, time.Time{}, 9, []string{"removed order01", "removed order11", "removed order21", "unsealed forged0", "unsealed forged1", "unsealed forged2"}},
		{day(1), day(2), 3, []string{"removed order11", "unsealed forged1"}},
		{day(1), time.Time{}, 6, []string{"removed order11", "removed order21", "unsealed forged1", "unsealed forged2"}},
		{time.Time{}, day(1), 3, []string{"removed order01", "unsealed forged0"}},
		{day(1).Add(90 * time.Minute), day(2), 3, nil},                                             // the window began before: what is not listed may be of then
		{day(1), day(2).Add(30 * time.Minute), 6, []string{"removed order11", "unsealed forged1"}}, // the same, of the window that ends later
		{day(1).Add(-time.Second), day(2), 6, []string{"removed order11", "unsealed forged1"}},
		{day(5), day(6), 0, nil},
		{day(1).Add(90 * time.Minute), time.Time{}, 6, []string{"removed order21", "unsealed forged2"}},
		{time.Time{}, day(2).Add(30 * time.Minute), 9, []string{"removed order01", "removed order11", "unsealed forged0", "unsealed forged1"}},
	} {
		found, sum := v.seals(seal.VerifyOptions{From: c.from, To: c.to})
		if !slices.Equal(found, c.want) || sum.Leaves != c.leaves || sum.Seals != 3 {
			t.Errorf("from %v to %v:\nfound %q, %+v\nwant  %q, %d leaves", c.from, c.to, found, sum, c.want, c.leaves)
		}
	}
	v.slipIn("fresh", day(3).Add(time.Minute)) // its window is not over
	v.wantFound("until a time to come", seal.VerifyOptions{From: day(2), To: day(6)}, "removed order21", "unsealed forged2")
	v.remove(all(1)...)
	v.wantFound("a seal gone at another time", seal.VerifyOptions{From: day(2), To: day(3)}, "missing "+cp(1), "removed order21", "unsealed forged2")
}

// TestOneOrder: where it may be is read, and nothing of others is told.
func TestOneOrder(t *testing.T) {
	one := func(order string) seal.VerifyOptions {
		return seal.VerifyOptions{Orders: []archive.Order{archive.Order(order)}}
	}
	v := sealedVault(t)
	v.removeOrder("order01")
	v.slipIn("forged", day(1).Add(time.Hour))
	v.slipIn("late", day(0).Add(time.Minute)) // it will be in the seal of day 3
	v.slipIn("lost", day(-2))
	s := v.sealer(24 * time.Hour)
	v.now = day(4).Add(time.Hour)
	if r, err := s.Pass(t.Context(), true); err != nil || r.Late != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	v.slipIn("never", day(0).Add(time.Minute))
	for order, c := range map[string]struct {
		leaves int
		want   []string
	}{
		"order11": {3, nil}, "order01": {12, []string{"removed order01"}}, "nobody": {12, nil},
		"late": {6, nil}, "lost": {3, nil}, "forged": {6, nil}, "never": {6, []string{"unsealed never"}},
	} {
		found, sum := v.seals(one(order))
		if !slices.Equal(found, c.want) || sum.Leaves != c.leaves {
			t.Errorf("%s:\nfound %q, %+v\nwant  %q, %d leaves", order, found, sum, c.want, c.leaves)
		}
	}
	v.wantFound("all", seal.VerifyOptions{}, "removed order01", "unsealed never")
	v.wantFound("a day of which one came late", seal.VerifyOptions{From: day(0), To: day(1)}, "removed order01", "unsealed never")
	v.wantFound("two, of which the first is gone", seal.VerifyOptions{Orders: []archive.Order{"order01", "order11"}}, "removed order01")
	v.wantFound("two, of which the second is in no seal", seal.VerifyOptions{Orders: []archive.Order{"order00", "never"}}, "unsealed never")
	v.removeOrder("late")
	v.wantFound("a late one gone", one("late"), "removed late")
	v.wantFound("a late one gone, of all", seal.VerifyOptions{}, "removed order01", "removed late", "unsealed never")
	v.wantFound("a late one gone, by the day of its seal", seal.VerifyOptions{From: day(3), To: day(4)}) // it is of another day
}

// TestOneLateOrder is found in the seal that took it in, alone, in its day, and among all.
func TestOneLateOrder(t *testing.T) {
	v := sealedVault(t)
	v.slipIn("late", day(0).Add(time.Minute))
	v.now = day(4).Add(time.Hour)
	if r, err := v.sealer(24*time.Hour).Pass(t.Context(), true); err != nil || r.Late != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	v.wantFound("all", seal.VerifyOptions{})
	v.wantFound("alone", seal.VerifyOptions{Orders: []archive.Order{"late"}})
	v.wantFound("its day", seal.VerifyOptions{From: day(0), To: day(1)})
}

// TestOneOrderOfAnyAge: what is in no seal yet is not told while its window is open, and what is in one is not told when sealing stops.
func TestOneOrderOfAnyAge(t *testing.T) {
	v := sealedVault(t)
	v.slipIn("fresh", day(3).Add(time.Minute))
	v.wantFound("fresh", seal.VerifyOptions{Orders: []archive.Order{"fresh"}})
	v.now = day(4).Add(time.Hour)
	v.wantFound("sealed", seal.VerifyOptions{Orders: []archive.Order{"order11"}}, "missing "+cp(3))
	v.wantFound("not fresh any more", seal.VerifyOptions{Orders: []archive.Order{"fresh"}}, "missing "+cp(3), "unsealed fresh")
}

// TestDamagedManifest of an order that is asked for, or that a seal names, stops no check.
func TestDamagedManifest(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"damaged": {"{", "removed order11"}, "newer": {`{"version":99}`, "removed order11"},
	} {
		v := sealedVault(t)
		v.put(archive.FileKey("order11", archive.ManifestName(1)), []byte(c.text))
		v.wantFound(name, seal.VerifyOptions{Orders: []archive.Order{"order11"}}, c.want)
		v.removeJournal("order11")
		v.wantFound(name+", all", seal.VerifyOptions{}, c.want)
	}
}
