package seal_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// TestSealLogs one line about a pass that did something, or that waits for the authority, and none about another.
func TestSealLogs(t *testing.T) {
	v := newVault(t, monday)
	var log bytes.Buffer
	s := v.sealer(time.Hour)
	s.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	down := true
	pass := func(at time.Duration, want string) {
		t.Helper()
		log.Reset()
		v.now = monday.Add(at)
		if err := s.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, _, _ := strings.Cut(log.String(), "\n"); got != want {
			t.Errorf("after %s: %s\nwant %s", at, got, want)
		}
	}
	v.archived("a", monday)
	v.journal("b", monday)
	pass(time.Hour, "")
	pass(2*time.Hour, `level=INFO msg=sealed windows=1 leaves=2 late=0 until=2026-11-23T01:00:00.000Z behind=false stamped=0 unstamped=0`)
	pass(2*time.Hour+time.Minute, "")
	v.journal("c", monday.Add(time.Minute))
	pass(3*time.Hour, `level=INFO msg=sealed windows=1 leaves=1 late=1 until=2026-11-23T02:00:00.000Z behind=false stamped=0 unstamped=0`)
	s.Stamper = stamper(func([]byte) ([]byte, error) {
		if down {
			return nil, errors.New("no answer")
		}
		return []byte("token"), nil
	})
	const refused = `level=WARN msg="no timestamp could be had; later passes ask again" seal=20261123T000000Z error="no answer"`
	pass(4*time.Hour, refused)
	if !strings.HasSuffix(log.String(), " windows=1 leaves=0 late=0 until=2026-11-23T03:00:00.000Z behind=false stamped=0 unstamped=3\n") {
		t.Error(log.String())
	}
	pass(4*time.Hour+time.Minute, refused)
	if !strings.HasSuffix(log.String(), " windows=0 leaves=0 late=0 until=2026-11-23T03:00:00.000Z behind=false stamped=0 unstamped=3\n") {
		t.Error(log.String())
	}
	down = false
	pass(4*time.Hour+2*time.Minute, `level=INFO msg=sealed windows=0 leaves=0 late=0 until=2026-11-23T03:00:00.000Z behind=false stamped=3 unstamped=0`)
	pass(4*time.Hour+3*time.Minute, "")
}

// TestPassByHandAlwaysLooks, also when a usual one knows that there is nothing to do.
func TestPassByHandAlwaysLooks(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	s := v.sealer(time.Hour)
	v.pass(s, monday.Add(2*time.Hour))
	w := v.watch(s, &watched{})
	if r, err := s.Pass(t.Context(), true); err != nil || len(w.calls) == 0 || !r.Until.Equal(monday.Add(time.Hour)) {
		t.Errorf("%+v, %v, %q", r, err, w.calls)
	}
}

// lostClock is a store that does not tell its time.
type lostClock struct{ bucket.Bucket }

func (lostClock) Now(context.Context) (time.Time, error) { return time.Time{}, errPlanned }

func TestPassWithoutAClock(t *testing.T) {
	v := newVault(t, monday)
	s := v.sealer(time.Hour)
	s.Archive = archive.New(lostClock{v.mem})
	if r, err := s.Pass(t.Context(), false); !errors.Is(err, errPlanned) || r != (seal.Report{}) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestFirstEntryOfAClockAhead: who finds no other does not wait for that time.
func TestFirstEntryOfAClockAhead(t *testing.T) {
	v := newVault(t, monday)
	v.journal("ahead", monday.AddDate(0, 0, 10))
	s := v.sealer(time.Hour)
	v.pass(s, monday.Add(10*time.Minute))
	v.journal("a", monday.Add(30*time.Minute))
	v.pass(s, monday.Add(time.Hour+30*time.Minute))
	v.wantChain("20261123T000000Z 20261123T010000Z: a")
}

// TestOldSealsAreStamped: those that a pass makes, however old, and a bounded number in a pass.
func TestOldSealsAreStamped(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	s := v.sealer(24 * time.Hour)
	s.Stamper = stamper(func([]byte) ([]byte, error) { return []byte("token"), nil })
	if r := v.pass(s, monday.AddDate(0, 0, 20).Add(time.Hour)); r.Windows != 20 || r.Stamped != 20 || r.Unstamped != 0 {
		t.Errorf("%+v", r)
	}
	v = newVault(t, monday)
	v.archived("a", monday)
	s = v.sealer(24 * time.Hour)
	for _, want := range []seal.Report{{Windows: 64, Behind: true}, {Windows: 6}} {
		if r := v.pass(s, monday.AddDate(0, 0, 70).Add(time.Hour)); r.Windows != want.Windows || r.Behind != want.Behind {
			t.Errorf("%+v", r)
		}
	}
	s.Stamper = stamper(func([]byte) ([]byte, error) { return []byte("token"), nil })
	for _, want := range [][2]int{{64, 6}, {6, 0}} {
		if r, err := s.Pass(t.Context(), true); err != nil || r.Stamped != want[0] || r.Unstamped != want[1] {
			t.Errorf("%+v, %v; want %v", r, err, want)
		}
	}
}

// TestStampIsStopped: a pass that is stopped while it asks does not say that the authority gave no answer.
func TestStampIsStopped(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	v.now = monday.Add(2 * time.Hour)
	s := v.sealer(time.Hour)
	ctx, stop := context.WithCancel(t.Context())
	s.Stamper = stamper(func([]byte) ([]byte, error) { stop(); return nil, ctx.Err() })
	if r, err := s.Pass(ctx, false); !errors.Is(err, context.Canceled) || r.Windows != 1 || r.Unstamped != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestWhichSealsAreStamped: in a usual pass those of windows that ended in the last seven days, each once, whatever lies beside them.
func TestWhichSealsAreStamped(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	v.pass(v.sealer(24*time.Hour), monday.AddDate(0, 0, 20).Add(time.Hour))
	v.put(tsr(-1), nil) // of no seal
	v.put(tsr(5), []byte("token"))
	s := v.sealer(24 * time.Hour)
	asked := 0
	s.Stamper = stamper(func(signed []byte) ([]byte, error) {
		if asked++; len(signed) == 0 {
			t.Error("a timestamp of nothing")
		}
		return []byte("token"), nil
	})
	v.put(tsr(21), nil) // of no seal either: the one before it still lacks its own
	if r := v.pass(s, monday.AddDate(0, 0, 20).Add(2*time.Hour)); r.Stamped != 7 || r.Unstamped != 0 || asked != 7 {
		t.Errorf("%+v, asked %d times", r, asked)
	}
	if r, err := s.Pass(t.Context(), true); err != nil || r.Stamped != 12 || asked != 19 {
		t.Errorf("by hand: %+v, %v, asked %d times", r, err, asked)
	}
}

// TestStampMeetsAnother: a token that another process stored meanwhile counts; a checkpoint that is listed, and can not be read yet, is
// for a later pass.
func TestStampMeetsAnother(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday)
	v.pass(v.sealer(24*time.Hour), day(2).Add(time.Hour))
	s := v.sealer(24 * time.Hour)
	s.Stamper = stamper(func([]byte) ([]byte, error) { return []byte("ours"), nil })
	s.Archive = archive.New(hooked{v.mem, func(call, key string) (error, error) {
		switch {
		case call == "create" && key == tsr(1):
			v.put(key, []byte("another's"))
		case call == "get" && key == cp(0):
			return bucket.ErrNotFound, nil
		}
		return nil, nil
	}})
	if _, err := s.Pass(t.Context(), false); err != nil || string(v.get(tsr(1))) != "another's" {
		t.Errorf("%v", err)
	}
	if _, _, err := v.mem.Get(t.Context(), tsr(0)); !errors.Is(err, bucket.ErrNotFound) {
		t.Errorf("a timestamp of what could not be read: %v", err)
	}
}
