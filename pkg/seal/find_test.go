package seal_test

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// manifestOf is an order's manifest as far as a proof needs it.
func manifestOf(order string, at time.Time) archive.Stored {
	return archive.Stored{Manifest: archive.Manifest{Order: archive.Order(order), ArchivedAt: at}, N: 1, Digest: digestOf(order)}
}

// checkFound wants a proof of the order, of this seal, that leads to the root of the checkpoint.
func checkFound(t *testing.T, order string, start time.Time, late bool, p seal.Proof, signed []byte) {
	t.Helper()
	c, err := seal.Open(signed, []seal.PublicKey{public(t, key(t))})
	if err != nil {
		t.Fatal(err)
	}
	leaf := seal.Leaf{Order: archive.Order(order), Digest: digestOf(order), Late: late}
	if p.Version != 1 || p.Seal != archive.SealName(start) || p.Leaf != leaf.String() || p.Size != c.Size || !c.Window.Start.Equal(start) {
		t.Errorf("%s: %+v of %+v", order, p, c)
	}
	path := make([]seal.Hash, len(p.Path))
	for i, text := range p.Path {
		if n, err := hex.Decode(path[i][:], []byte(text)); n != 32 || err != nil {
			t.Fatal(text)
		}
	}
	if err := seal.CheckProof(leaf, p.Index, p.Size, path, c.Root); err != nil {
		t.Errorf("%s: %v", order, err)
	}
}

// findable has orders in three of five windows, one that came late into the fourth, and one that waits.
func findable(t *testing.T) *vault {
	v := newVault(t, monday)
	v.archived("a1", monday)
	v.archived("b1", monday.Add(59*time.Minute+59*time.Second))
	v.archived("c2", monday.Add(time.Hour))
	v.archived("d3", monday.Add(150*time.Minute))
	v.pass(v.sealer(time.Hour), monday.Add(210*time.Minute))
	v.now = monday.Add(215 * time.Minute)
	v.journal("late1", monday.Add(30*time.Minute))
	v.pass(v.sealer(time.Hour), monday.Add(5*time.Hour+30*time.Minute))
	v.archived("waits", monday.Add(5*time.Hour+10*time.Minute))
	return v
}

func TestFind(t *testing.T) {
	v := findable(t)
	w := v.watch(v.sealer(time.Hour), &watched{})
	for _, c := range []struct {
		order string
		at    time.Duration // of the manifest
		seal  int           // hours after monday
		reads int           // leaves
	}{
		{"a1", 0, 0, 2}, {"a1", time.Millisecond, 0, 2}, {"b1", 59*time.Minute + 59*time.Second + 999*time.Millisecond, 0, 2},
		{"c2", time.Hour, 1, 2}, {"d3", 150 * time.Minute, 2, 2}, // to find it, and for its path
		{"late1", 30 * time.Minute, 3, 3}, // its own window's leaves, and twice those of the one that has late ones
	} {
		w.calls = nil
		p, signed, err := seal.Find(t.Context(), archive.New(w), manifestOf(c.order, monday.Add(c.at)))
		if err != nil {
			t.Errorf("%s: %v", c.order, err)
			continue
		}
		checkFound(t, c.order, monday.Add(time.Duration(c.seal)*time.Hour), c.order == "late1", p, signed)
		leaves := slices.DeleteFunc(w.reads("get "), func(call string) bool { return !strings.HasSuffix(call, "/leaves") })
		if len(leaves) != c.reads {
			t.Errorf("%s: read %q", c.order, leaves)
		}
	}
	for _, s := range []archive.Stored{manifestOf("waits", monday.Add(5*time.Hour+10*time.Minute)), manifestOf("never", monday)} {
		if p, signed, err := seal.Find(t.Context(), v.Archive, s); !errors.Is(err, seal.ErrUnsealed) || signed != nil || p.Leaf != "" {
			t.Errorf("%s: %+v, %v", s.Order, p, err)
		}
	}
	other := manifestOf("a1", monday)
	other.Digest = digestOf("other")
	if _, _, err := seal.Find(t.Context(), v.Archive, other); !errors.Is(err, seal.ErrUnsealed) {
		t.Errorf("another manifest of the order: %v", err)
	}
}

// TestFindInALongWindow: the window began 29 days before.
func TestFindInALongWindow(t *testing.T) {
	month := 30 * 24 * time.Hour
	w := seal.WindowOf(monday, month)
	v := newVault(t, w.Start)
	v.archived("first", w.Start)
	v.archived("last", w.End.Add(-time.Second))
	v.pass(v.sealer(month), w.End.Add(time.Hour))
	p, signed, err := seal.Find(t.Context(), v.Archive, manifestOf("last", w.End.Add(-time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	checkFound(t, "last", w.Start, false, p, signed)
}

// TestFindRefuses: no proof is made of what is not what was signed.
func TestFindRefuses(t *testing.T) {
	leaves, checkpoint := archive.SealKey(monday, archive.SealLeaves), archive.SealKey(monday, archive.SealCheckpoint)
	for name, c := range map[string]struct {
		spoil func(v *vault)
		want  error
	}{
		"leaves gone":    {func(v *vault) { _ = v.mem.Delete(t.Context(), leaves) }, archive.ErrDamaged},
		"leaves of less": {func(v *vault) { v.put(leaves, fileOf(t, []seal.Leaf{{Order: "a1", Digest: digestOf("a1")}})) }, archive.ErrDamaged},
		"no leaves":      {func(v *vault) { v.put(leaves, []byte("nothing\n")) }, seal.ErrFormat},
		"no checkpoint":  {func(v *vault) { v.put(checkpoint, []byte("nothing\n")) }, seal.ErrFormat},
	} {
		v := findable(t)
		c.spoil(v)
		if p, _, err := seal.Find(t.Context(), v.Archive, manifestOf("a1", monday)); !errors.Is(err, c.want) || !strings.Contains(err.Error(), "seals/20261123T000000Z/") || p.Leaf != "" {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// TestFindFails: an error of the store is told as one, whatever call it meets; strange keys are none.
func TestFindFails(t *testing.T) {
	v := findable(t)
	for _, key := range []string{"seals/20261123T000000Z/note", "seals/note"} {
		if err := v.mem.Create(t.Context(), key, bucket.Bytes(nil, "")); err != nil {
			t.Fatal(err)
		}
	}
	everyCallFails(t, v, func(a *archive.Archive) error {
		_, _, err := seal.Find(t.Context(), a, manifestOf("late1", monday.Add(30*time.Minute)))
		return err
	})
}

// everyCallFails makes each call of do to the store fail once: do must fail then, by that.
func everyCallFails(t *testing.T, v *vault, do func(a *archive.Archive) error) {
	t.Helper()
	for fail := 1; ; fail++ {
		calls, what := 0, ""
		err := do(archive.New(hooked{v.mem, func(call, key string) (error, error) {
			if calls++; calls == fail {
				what = call + " " + key
				return errPlanned, errPlanned
			}
			return nil, nil
		}}))
		if calls < fail {
			if err != nil || fail < 3 {
				t.Errorf("%d calls: %v", calls, err)
			}
			return
		}
		if !errors.Is(err, errPlanned) {
			t.Errorf("call %d, %s, fails: %v", fail, what, err)
		}
	}
}

// TestVerifyFails: the same, of a check: of all, of one order, when sealing has stopped, and when a journal entry has gone.
func TestVerifyFails(t *testing.T) {
	for name, c := range map[string]struct {
		do     func(v *vault)
		orders []archive.Order
	}{
		"all": {func(*vault) {}, nil}, "one": {func(*vault) {}, []archive.Order{"order11"}},
		"stopped": {func(v *vault) { v.now = day(4).Add(time.Hour) }, nil}, "no journal": {func(v *vault) { v.removeJournal("order11") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := sealedVault(t)
			c.do(v)
			o := seal.VerifyOptions{Keys: []seal.PublicKey{public(t, key(t))}, Grace: 30 * time.Minute, CheckToken: checkStamp, Orders: c.orders}
			check := func(a *archive.Archive) error {
				_, err := seal.Verify(t.Context(), a, func(archive.Damage) {}, o)
				return err
			}
			everyCallFails(t, v, check)
			if err := check(archive.New(lostClock{v.mem})); !errors.Is(err, errPlanned) {
				t.Errorf("without a clock: %v", err)
			}
			if err := check(archive.New(cutShort{v.mem})); !errors.Is(err, errPlanned) {
				t.Errorf("while leaves are read: %v", err)
			}
		})
	}
	v := sealedVault(t)
	v.Archive = archive.New(hooked{v.mem, func(call, key string) (error, error) {
		if call == "get" && key == lv(1) {
			return bucket.ErrNotFound, nil
		}
		return nil, nil
	}})
	v.wantFound("leaves that were listed, and are gone", seal.VerifyOptions{}, "bad-seal "+lv(1))
}

// cutShort is a bucket that breaks off in the middle of leaves.
type cutShort struct{ bucket.Bucket }

func (c cutShort) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	r, o, err := c.Bucket.Get(ctx, key)
	if err == nil && strings.HasSuffix(key, "/"+archive.SealLeaves) {
		r = io.NopCloser(io.MultiReader(io.LimitReader(r, o.Size/2), iotest.ErrReader(errPlanned)))
	}
	return r, o, err
}
