package seal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// planted is a bucket in which somebody has put leaves of any number, which only grow while they are read.
type planted struct {
	bucket.Bucket
	key   string
	lines int // that there are
	read  int // that were
	rest  []byte
}

func (p *planted) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	if key != p.key {
		return p.Bucket.Get(ctx, key)
	}
	p.read, p.rest = 0, nil
	return io.NopCloser(p), bucket.Object{Key: key}, nil
}

// Read gives the next lines, sorted.
func (p *planted) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		if p.read == p.lines {
			return 0, io.EOF
		}
		p.rest = fmt.Appendf(nil, "planted%09d %064d\n", p.read, p.read)
		p.read++
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// TestPlantedLeavesAreNotReadToTheEnd: of leaves that the journal does not confirm, so many are read that memory is small; nothing is
// sealed, and what to do is told.
func TestPlantedLeavesAreNotReadToTheEnd(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	v.left(monday)
	w := &planted{Bucket: v.mem, key: archive.SealKey(monday, archive.SealLeaves), lines: 1_000_000}
	s := v.sealer(time.Hour)
	s.Archive = archive.New(w)
	v.now = monday.Add(2 * time.Hour)
	before := allocated()
	r, err := s.Pass(t.Context(), false)
	if !errors.Is(err, archive.ErrDamaged) || r.Windows != 0 || !strings.Contains(err.Error(), w.key+" names at least 50000 manifests") || !strings.Contains(err.Error(), "found out who wrote it") {
		t.Errorf("%+v, %v", r, err)
	}
	if took := allocated() - before; w.read > 60_000 || took > 64<<20 {
		t.Errorf("%d lines were read, and %d MB allocated", w.read, took>>20)
	}
	v.wantChain()
}

// TestManyLeavesOfALongerWindow: those of a dead process that the journal names are taken all, however many.
func TestManyLeavesOfALongerWindow(t *testing.T) {
	const orders = 110_000
	v := newVault(t, monday)
	v.archived("a", monday)
	leaves := []seal.Leaf{{Order: "a", Digest: digestOf("a")}}
	for i := range orders {
		order := fmt.Sprintf("b%06d", (i*7919)%orders) // another order than that of time
		v.archived(order, monday.Add(time.Hour+time.Duration(i)*500*time.Millisecond))
		leaves = append(leaves, seal.Leaf{Order: archive.Order(order), Digest: digestOf(order)})
	}
	leaves = append(leaves, seal.Leaf{Order: "c", Digest: digestOf("c")})
	if err := v.CreateSeal(t.Context(), monday, archive.SealLeaves, bucket.Bytes(fileOf(t, seal.SortLeaves(leaves)), "")); err != nil {
		t.Fatal(err)
	}
	v.now = monday.Add(47 * time.Hour)
	if r, err := v.sealer(time.Hour).Pass(t.Context(), false); !errors.Is(err, archive.ErrDamaged) || !strings.Contains(err.Error(), " names 1 manifests") || r.Windows != 0 {
		t.Errorf("one more than there are: %+v, %v", r, err)
	}
	v.archived("c", monday.Add(5*time.Hour))
	r := v.pass(v.sealer(time.Hour), monday.Add(17*time.Hour+30*time.Minute))
	if r.Windows != 1 || r.Leaves != orders+2 || !r.Until.Equal(monday.Add(17*time.Hour)) {
		t.Errorf("%+v", r)
	}
}

// TestLeavesOfAWindowThatIsNotOver: leaves reach into a window that is not over, by the period of now: the seal ends where they do.
func TestLeavesOfAWindowThatIsNotOver(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.Add(10*time.Minute))
	v.archived("b", monday.Add(65*time.Minute))
	v.left(monday, "a", "b")
	v.pass(v.sealer(time.Hour), monday.Add(100*time.Minute))
	v.archived("c", monday.Add(101*time.Minute))
	v.pass(v.sealer(time.Hour), monday.Add(105*time.Minute))
	v.pass(v.sealer(time.Hour), monday.Add(3*time.Hour))
	v.wantChain("20261123T000000Z 20261123T010501Z: a b", "20261123T010501Z 20261123T020000Z: c")
}

// TestEntriesAfterAShorterWindow: what was stored before the leaves of a shorter window, and is after it, is in the next seal, although it
// was stored at once and leaves that were stored later lack it.
func TestEntriesAfterAShorterWindow(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.Add(10*time.Minute))
	v.archived("b", monday.Add(70*time.Minute))
	v.now = monday.Add(90 * time.Minute)
	v.left(monday, "a")
	v.pass(v.sealer(24*time.Hour), monday.Add(25*time.Hour))
	v.wantChain("20261123T000000Z 20261123T011000Z: a", "20261123T011000Z 20261124T000000Z: b")
}

// TestProofAmongPlantedLeaves: leaves that are more than were signed are read no farther.
func TestProofAmongPlantedLeaves(t *testing.T) {
	v := newVault(t, monday)
	m := v.commit("a", monday)
	v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
	w := &planted{Bucket: v.mem, key: archive.SealKey(monday, archive.SealLeaves), lines: 1_000_000}
	if _, _, err := seal.Find(t.Context(), archive.New(w), m); !errors.Is(err, archive.ErrDamaged) || w.read > 10_000 {
		t.Errorf("%d lines were read: %v", w.read, err)
	}
}
