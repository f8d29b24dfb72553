package seal_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// TestLeavesOfADeadProcess: they count, what they lack is late, and those of a longer window make ours longer.
func TestLeavesOfADeadProcess(t *testing.T) {
	v := newVault(t, monday)
	for i, order := range []string{"a", "b", "c"} {
		v.archived(order, monday.Add(time.Duration(i)*time.Hour+time.Minute))
	}
	left := fileOf(t, []seal.Leaf{{Order: "a", Digest: digestOf("a")}, {Order: "b", Digest: digestOf("b")}})
	if err := v.CreateSeal(t.Context(), monday, archive.SealLeaves, bucket.Bytes(left, "")); err != nil {
		t.Fatal(err)
	}
	v.now = monday.Add(125 * time.Minute)
	v.journal("d", monday.Add(30*time.Minute))
	v.pass(v.sealer(time.Hour), monday.Add(4*time.Hour))
	v.now = monday.Add(4 * time.Hour)
	v.pass(v.sealer(time.Hour), monday.Add(5*time.Hour))
	v.wantChain("20261123T000000Z 20261123T020000Z: a b", "20261123T020000Z 20261123T030000Z: c d(late)", "20261123T030000Z 20261123T040000Z:")
}

// TestDamagedLeavesOfADeadProcess: nothing is sealed in place of leaves that can not be read.
func TestDamagedLeavesOfADeadProcess(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	if err := v.CreateSeal(t.Context(), monday, archive.SealLeaves, bucket.Bytes([]byte("nothing\n"), "")); err != nil {
		t.Fatal(err)
	}
	v.now = monday.Add(2 * time.Hour)
	if r, err := v.sealer(time.Hour).Pass(t.Context(), false); !errors.Is(err, seal.ErrFormat) || r.Windows != 0 || len(v.chain()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestLeavesOfALongLook: those of a dead pass by hand have entries that a usual one does not look back to; its window stays what it is.
func TestLeavesOfALongLook(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	s := v.sealer(24 * time.Hour)
	v.pass(s, monday.AddDate(0, 0, 20).Add(time.Hour))
	v.journal("old", monday.Add(time.Hour))
	v.archived("b", monday.AddDate(0, 0, 20).Add(2*time.Hour))
	late := seal.Leaf{Order: "old", Digest: digestOf("old"), Late: true}
	file := fileOf(t, []seal.Leaf{{Order: "b", Digest: digestOf("b")}, late})
	if err := v.CreateSeal(t.Context(), monday.AddDate(0, 0, 20), archive.SealLeaves, bucket.Bytes(file, "")); err != nil {
		t.Fatal(err)
	}
	v.pass(s, monday.AddDate(0, 0, 21).Add(time.Hour))
	if chain := v.chain(); chain[len(chain)-1] != "20261213T000000Z 20261214T000000Z: b old(late)" {
		t.Errorf("%q", chain)
	}
}

// TestNoSpaceForLeaves: a pass that can not write its leaves says so, and makes no seal.
func TestNoSpaceForLeaves(t *testing.T) {
	v := newVault(t, monday)
	for i := range 20_000 {
		v.archived(fmt.Sprintf("order%d", i), monday)
	}
	t.Setenv("TMPDIR", "/dev/null/none")
	v.now = monday.Add(2 * time.Hour)
	if r, err := v.sealer(time.Hour).Pass(t.Context(), false); err == nil || !strings.Contains(err.Error(), "keep leaves of window 20261123T000000Z 20261123T010000Z: write leaves: ") || len(v.chain()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestLeavesOfAShorterWindow: a process died between leaves and checkpoint, and the window is longer when it is sealed: KYC_SEAL_EVERY
// was changed, or it is long ago. What the leaves are too old for is in the next seal.
func TestLeavesOfAShorterWindow(t *testing.T) {
	tuesday := monday.AddDate(0, 0, 1)
	for name, test := range map[string]struct {
		every time.Duration // of the passes after that
		first time.Time     // of these
	}{
		"KYC_SEAL_EVERY is longer": {24 * time.Hour, tuesday.Add(25 * time.Hour)},
		"nothing ran for days":     {time.Hour, tuesday.Add(80 * time.Hour)},
	} {
		v := newVault(t, monday)
		v.commit("before", monday)
		v.pass(v.sealer(24*time.Hour), monday.Add(25*time.Hour))
		v.commit("a", tuesday.Add(10*time.Minute))
		v.pass(v.sealer(time.Hour), tuesday.Add(100*time.Minute))
		if err := v.mem.Delete(t.Context(), archive.SealKey(tuesday, archive.SealCheckpoint)); err != nil {
			t.Fatal(err)
		}
		v.commit("b", tuesday.Add(10*time.Hour))
		s := v.sealer(test.every)
		v.pass(s, test.first)
		v.pass(s, test.first.Add(24*time.Hour))
		if found, sum := v.verify(func(o *seal.VerifyOptions) { o.Stamped = false }); len(found) > 0 || sum.Leaves != 3 {
			t.Errorf("%s: %+v: %+v", name, sum, found)
		}
	}
}

// TestLeavesOfADeadFirstPass: the chain begins where it began, although the first order is of another window now.
func TestLeavesOfADeadFirstPass(t *testing.T) {
	v := newVault(t, monday)
	if err := v.CreateSeal(t.Context(), monday, archive.SealLeaves, bucket.Bytes(nil, "")); err != nil {
		t.Fatal(err)
	}
	v.archived("a", monday.Add(-time.Hour))
	v.archived("b", monday.Add(3*time.Hour))
	v.pass(v.sealer(2*time.Hour), monday.Add(5*time.Hour))
	v.wantChain("20261123T000000Z 20261123T020000Z:", "20261123T020000Z 20261123T040000Z: a(late) b")
}
