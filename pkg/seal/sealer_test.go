package seal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// monday is when most tests begin.
var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// vault is an archive whose clock the test sets.
type vault struct {
	t   *testing.T
	now time.Time
	mem *membucket.Bucket
	*archive.Archive
}

func newVault(t *testing.T, now time.Time) *vault {
	v := &vault{t: t, now: now}
	v.mem = membucket.New(func() time.Time { return v.now })
	v.Archive = archive.New(v.mem)
	return v
}

// digestOf is a digest that an order's manifest could have.
func digestOf(order string) string { return fmt.Sprintf("%064x", []byte(order)) }

// journal writes an order's journal entry for a time, as if it were stored now.
func (v *vault) journal(order string, at time.Time) {
	v.t.Helper()
	key := archive.JournalKey(at, archive.Order(order), digestOf(order))
	if err := v.mem.Create(v.t.Context(), key, bucket.Bytes(nil, "")); err != nil {
		v.t.Fatal(err)
	}
}

// archived is an order that is journaled as it should be: at once.
func (v *vault) archived(order string, at time.Time) {
	v.t.Helper()
	v.now = at
	v.journal(order, at)
}

func (v *vault) sealer(every time.Duration) *seal.Sealer {
	return &seal.Sealer{Archive: v.Archive, Key: key(v.t), Every: every, Grace: 30 * time.Minute, Log: slog.New(slog.DiscardHandler)}
}

func (v *vault) pass(s *seal.Sealer, at time.Time) seal.Report {
	v.t.Helper()
	v.now = at
	r, err := s.Pass(v.t.Context(), false)
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

// chain reads all seals: "start end: leaf leaf", where each checkpoint must be right and name the one before.
func (v *vault) chain() (all []string) {
	v.t.Helper()
	var before string
	var end time.Time
	for s, err := range v.ScanSeals(v.t.Context(), time.Time{}) {
		if err != nil {
			v.t.Fatal(err)
		}
		if s.Object != archive.SealCheckpoint {
			continue
		}
		signed, _, err := v.ReadSeal(v.t.Context(), s.Start, archive.SealCheckpoint)
		if err != nil {
			v.t.Fatal(err)
		}
		c, err := seal.Open(signed, []seal.PublicKey{public(v.t, key(v.t))})
		if err != nil {
			v.t.Fatal(err)
		}
		r, err := v.OpenSeal(v.t.Context(), s.Start, archive.SealLeaves)
		if err != nil {
			v.t.Fatal(err)
		}
		data, _ := io.ReadAll(r)
		leaves, err := read(data)
		if err != nil || seal.TreeOf(leaves).Root() != c.Root || c.Size != uint64(len(leaves)) || c.Previous != before {
			v.t.Errorf("seal %s: %v, %+v", s.Key, err, c)
		}
		if len(all) > 0 && !c.Window.Start.Equal(end) {
			v.t.Errorf("a gap before %s", s.Key)
		}
		before, end = seal.Digest(signed), c.Window.End
		line := c.Window.String() + ":"
		for _, l := range leaves {
			line += " " + string(l.Order)
			if l.Late {
				line += "(late)"
			}
		}
		all = append(all, line)
	}
	return all
}

func (v *vault) wantChain(want ...string) {
	v.t.Helper()
	if got := v.chain(); !slices.Equal(got, want) {
		v.t.Errorf("chain:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestDaysAreSealed(t *testing.T) {
	v := newVault(t, monday)
	s := v.sealer(24 * time.Hour)
	v.archived("b", monday.Add(time.Hour))
	v.archived("a", monday.Add(23*time.Hour+59*time.Minute))
	v.archived("c", monday.Add(24*time.Hour)) // the next day
	if r := v.pass(s, monday.Add(24*time.Hour+29*time.Minute)); r != (seal.Report{}) {
		t.Errorf("sealed before the grace was over: %+v", r)
	}
	if r := v.pass(s, monday.Add(24*time.Hour+30*time.Minute)); r.Windows != 1 || r.Leaves != 2 || r.Behind || !r.Until.Equal(monday.AddDate(0, 0, 1)) {
		t.Errorf("first seal: %+v", r)
	}
	v.pass(s, monday.Add(49*time.Hour))
	v.pass(s, monday.Add(73*time.Hour)) // nothing was archived
	v.wantChain("20261123T000000Z 20261124T000000Z: a b", "20261124T000000Z 20261125T000000Z: c", "20261125T000000Z 20261126T000000Z:")
}

func TestEmptyArchiveBeginsWithTheLastWindow(t *testing.T) {
	v := newVault(t, monday)
	v.pass(v.sealer(time.Hour), monday.Add(100*time.Minute))
	v.wantChain("20261123T000000Z 20261123T010000Z:")
}

func TestMissedWindowsAreCaughtUp(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.Add(time.Minute))
	v.archived("b", monday.Add(3*time.Hour))
	v.pass(v.sealer(time.Hour), monday.Add(5*time.Hour))
	v.wantChain("20261123T000000Z 20261123T010000Z: a", "20261123T010000Z 20261123T020000Z:", "20261123T020000Z 20261123T030000Z:", "20261123T030000Z 20261123T040000Z: b")
}

// TestOldArchiveIsCaughtUp: a year of minutes is sealed by days, until two days ago, a bounded number in each pass.
func TestOldArchiveIsCaughtUp(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.AddDate(-1, 0, 0).Add(time.Hour))
	v.archived("b", monday.AddDate(0, 0, -1))
	s := v.sealer(time.Minute)
	passes, windows := 0, 0
	for r := (seal.Report{Behind: true}); r.Behind && passes < 100; passes++ {
		r = v.pass(s, monday.Add(time.Duration(passes)*5*time.Minute))
		if windows += r.Windows; r.Windows > 64 {
			t.Errorf("%d windows in a pass", r.Windows)
		}
	}
	chain := v.chain()
	if len(chain) != windows || passes < 10 || passes == 100 || chain[0] != "20251123T000000Z 20251124T000000Z: a" || !slices.Contains(chain, "20261122T000000Z 20261122T000100Z: b") {
		t.Errorf("%d passes, %d windows: %s", passes, windows, chain[0])
	}
}

func TestNewPeriodKeepsTheChain(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.Add(time.Minute))
	v.pass(v.sealer(time.Hour), monday.Add(5*time.Hour+40*time.Minute))
	v.archived("b", monday.Add(23*time.Hour))
	v.pass(v.sealer(24*time.Hour), monday.Add(24*time.Hour+40*time.Minute))
	v.archived("c", monday.Add(25*time.Hour))
	v.pass(v.sealer(6*time.Hour), monday.Add(31*time.Hour))
	got := v.chain()
	want := []string{"20261123T050000Z 20261124T000000Z: b", "20261124T000000Z 20261124T060000Z: c"}
	if len(got) != 7 || !slices.Equal(got[5:], want) {
		t.Errorf("chain: %q", got)
	}
}

// TestLateEntries: what comes after its window was sealed is in the next seal, says so, and is in no third one.
func TestLateEntries(t *testing.T) {
	v := newVault(t, monday)
	s := v.sealer(time.Hour)
	v.archived("a", monday.Add(time.Minute))
	v.pass(s, monday.Add(2*time.Hour+40*time.Minute)) // two windows
	v.now = monday.Add(3 * time.Hour)
	v.journal("late1", monday.Add(30*time.Minute))
	v.journal("late2", monday.Add(-30*time.Minute)) // before the chain
	v.journal("soon", monday.Add(2*time.Hour+30*time.Minute))
	v.pass(s, monday.Add(3*time.Hour+30*time.Minute))
	v.pass(s, monday.Add(4*time.Hour+30*time.Minute))
	v.now = monday.Add(4*time.Hour + 31*time.Minute)
	v.journal("late3", monday.Add(30*time.Minute))
	v.pass(v.sealer(time.Hour), monday.Add(6*time.Hour+30*time.Minute))
	v.wantChain("20261123T000000Z 20261123T010000Z: a", "20261123T010000Z 20261123T020000Z:", "20261123T020000Z 20261123T030000Z: late1(late) late2(late) soon",
		"20261123T030000Z 20261123T040000Z:", "20261123T040000Z 20261123T050000Z: late3(late)", "20261123T050000Z 20261123T060000Z:")
}

// TestVeryLateEntries: a pass by hand looks through the whole journal.
func TestVeryLateEntries(t *testing.T) {
	v := newVault(t, monday)
	s := v.sealer(24 * time.Hour)
	v.archived("a", monday)
	v.pass(s, monday.AddDate(0, 0, 30).Add(time.Hour))
	v.journal("mended", monday.Add(time.Hour))
	if r := v.pass(s, monday.AddDate(0, 0, 31).Add(time.Hour)); r.Late != 0 {
		t.Errorf("a usual pass looked back for a month: %+v", r)
	}
	v.now = monday.AddDate(0, 0, 32).Add(time.Hour)
	if r, err := s.Pass(t.Context(), true); err != nil || r.Late != 1 {
		t.Errorf("a pass over all: %+v, %v", r, err)
	}
	v.now = monday.AddDate(0, 0, 33).Add(time.Hour)
	if r, err := s.Pass(t.Context(), true); err != nil || r.Late != 0 || r.Windows != 1 {
		t.Errorf("the next one: %+v, %v", r, err)
	}
}

// TestFormerKey: the chain goes on after the key was changed, if the former public key is given, and not without.
func TestFormerKey(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	v.pass(v.sealer(time.Hour), monday.Add(2*time.Hour))
	text, _, err := seal.NewKey("test.example/other")
	if err != nil {
		t.Fatal(err)
	}
	s := v.sealer(time.Hour)
	if s.Key, err = seal.ParseKey(text); err != nil {
		t.Fatal(err)
	}
	v.now = monday.Add(3 * time.Hour)
	if _, err := s.Pass(t.Context(), false); !errors.Is(err, seal.ErrUnsigned) {
		t.Errorf("the chain goes on from a stranger's seal: %v", err)
	}
	s.Former = []seal.PublicKey{public(t, key(t))}
	if r := v.pass(s, monday.Add(3*time.Hour)); r.Windows != 1 {
		t.Errorf("after the change: %+v", r)
	}
}

// TestForeignLeaves: nothing is signed that the journal does not confirm.
func TestForeignLeaves(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	planted := fileOf(t, []seal.Leaf{{Order: "planted", Digest: digestOf("planted")}})
	if err := v.CreateSeal(t.Context(), monday, archive.SealLeaves, bucket.Bytes(planted, "")); err != nil {
		t.Fatal(err)
	}
	v.now = monday.Add(2 * time.Hour)
	if r, err := v.sealer(time.Hour).Pass(t.Context(), false); !errors.Is(err, archive.ErrDamaged) || r.Windows != 0 || strings.Contains(err.Error(), "planted") {
		t.Errorf("%+v, %v", r, err)
	}
	if len(v.chain()) != 0 {
		t.Error("it was sealed")
	}
}

// hooked is a bucket that calls back, and fails where the test says so.
type hooked struct {
	bucket.Bucket
	do func(call, key string) (before, after error)
}

func (h hooked) Create(ctx context.Context, key string, c bucket.Content) error {
	before, after := h.do("create", key)
	if before != nil {
		return before
	}
	return errors.Join(h.Bucket.Create(ctx, key, c), after)
}

func (h hooked) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	if before, after := h.do("get", key); errors.Join(before, after) != nil {
		return nil, bucket.Object{}, errors.Join(before, after)
	}
	return h.Bucket.Get(ctx, key)
}

func (h hooked) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	if before, last := h.do("list", prefix); errors.Join(before, last) != nil {
		return func(yield func(bucket.Object, error) bool) { yield(bucket.Object{}, errors.Join(before, last)) }
	}
	return h.Bucket.List(ctx, prefix, after)
}

var errPlanned = errors.New("planned fault")

// stamper is a seal.Stamper that is a function.
type stamper func(signed []byte) ([]byte, error)

func (s stamper) Stamp(_ context.Context, signed []byte) ([]byte, error) { return s(signed) }

// TestAuthorityIsDown: sealing goes on, and later passes ask again, once a pass until it answers.
func TestAuthorityIsDown(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	down, asked := true, 0
	s := v.sealer(time.Hour)
	s.Stamper = stamper(func(signed []byte) ([]byte, error) {
		if asked++; down {
			return nil, errors.New("no answer")
		}
		return append([]byte("stamped:"), signed...), nil
	})
	if r := v.pass(s, monday.Add(4*time.Hour)); r.Windows != 3 || r.Unstamped != 3 || asked != 1 {
		t.Errorf("while it is down: %+v, asked %d times", r, asked)
	}
	down = false
	if r := v.pass(s, monday.Add(4*time.Hour+5*time.Minute)); r.Stamped != 3 || r.Unstamped != 0 {
		t.Errorf("when it is back: %+v", r)
	}
	if r := v.pass(s, monday.Add(4*time.Hour+10*time.Minute)); r.Stamped != 0 || asked != 4 {
		t.Errorf("then: %+v, asked %d times", r, asked)
	}
	token, found, err := v.ReadSeal(t.Context(), monday, archive.SealToken)
	signed, _, _ := v.ReadSeal(t.Context(), monday, archive.SealCheckpoint)
	if err != nil || !found || !bytes.HasSuffix(token, signed) {
		t.Errorf("token: %t, %v", found, err)
	}
}

// TestAuthorityIsDownAfterLongWindow: the week in which passes ask begins at the window's end, however long ago it began.
func TestAuthorityIsDownAfterLongWindow(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	s := v.sealer(seal.MaxEvery)
	s.Stamper = stamper(func([]byte) ([]byte, error) { return nil, errors.New("no answer") })
	r := v.pass(s, monday.Add(seal.MaxEvery+time.Hour))
	if r.Windows != 1 || r.Unstamped != 1 {
		t.Fatalf("while it is down: %+v", r)
	}
	s.Stamper = v.stampAt()
	if r := v.pass(s, r.Until.Add(6*24*time.Hour)); r.Windows != 0 || r.Stamped != 1 {
		t.Errorf("when it is back: %+v", r)
	}
}

// TestTwoSealersMakeOneSeal interleaves two passes at every call of the first one.
func TestTwoSealersMakeOneSeal(t *testing.T) {
	for at := 1; ; at++ {
		v := newVault(t, monday)
		v.archived("a", monday)
		v.now = monday.Add(3 * time.Hour)
		calls := 0
		first := v.sealer(time.Hour)
		first.Archive = archive.New(hooked{v.mem, func(string, string) (error, error) {
			if calls++; calls == at {
				v.journal("b", monday.Add(time.Minute)) // the second one sees more
				v.pass(v.sealer(time.Hour), v.now)
			}
			return nil, nil
		}})
		if _, err := first.Pass(t.Context(), false); err != nil {
			t.Fatalf("call %d: %v", at, err)
		}
		if calls < at {
			break
		}
		v.pass(v.sealer(time.Hour), monday.Add(4*time.Hour))
		if chain := strings.Join(v.chain(), ""); strings.Count(chain, " a") != 1 || strings.Count(chain, " b") != 1 {
			t.Errorf("call %d: %s", at, chain)
		}
	}
}

// TestNothingToDoCostsNothing: a pass that knows it from the one before makes no call.
func TestNothingToDoCostsNothing(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	s := v.sealer(time.Hour)
	v.pass(s, monday.Add(2*time.Hour))
	s.Archive = archive.New(hooked{v.mem, func(call, key string) (error, error) {
		t.Errorf("%s %s", call, key)
		return nil, nil
	}})
	v.pass(s, monday.Add(2*time.Hour+29*time.Minute))
}

// TestManyOrders: 100,000 orders of one window are sealed from listings alone, in bounded memory for each; and looked through for late
// ones the day after. How long a process takes, and how much memory at once, cmd/kycvault-bench measures.
func TestManyOrders(t *testing.T) {
	const orders, limit = 100_000, 3 << 10
	v := newVault(t, monday)
	for i := range orders {
		v.archived(fmt.Sprintf("orderNo%025d", i), monday.Add(time.Duration(i)*800*time.Millisecond))
	}
	s := v.sealer(24 * time.Hour)
	s.Archive = archive.New(hooked{v.mem, func(call, key string) (error, error) {
		if call == "get" && !strings.HasPrefix(key, "seals/") {
			t.Errorf("it reads %s", key)
		}
		return nil, nil
	}})
	for day, want := range []seal.Report{{Windows: 1, Leaves: orders}, {Windows: 1, Leaves: 1, Late: 1}} {
		want.Until = monday.AddDate(0, 0, day+1)
		v.now = want.Until.Add(time.Hour)
		before := allocated()
		r, err := s.Pass(t.Context(), day > 0)
		each := (allocated() - before) / orders
		t.Logf("%d leaves sealed; %d bytes allocated for each order", r.Leaves, each)
		if err != nil || r != want || each > limit {
			t.Errorf("%+v, %v; %d bytes allocated for each order", r, err, each)
		}
		if day == 0 {
			v.journal("late1", monday.Add(12*time.Hour))
		}
	}
}

// allocated is how many bytes were ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
