package kyc

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
)

// These tests stand in the package, since what they test is for this package alone.

// TestDue goes through the lines of DESIGN section 3 about when an order's turn comes.
func TestDue(t *testing.T) {
	const never = -1
	s := Settings{RefetchEvery: 5 * time.Minute, Deadline: 72 * time.Hour} // 0.8 of it: 4 minutes
	for _, tc := range []struct {
		name  string
		age   time.Duration
		quiet bool
		gap   time.Duration // the least time since the last try at which the order is due
	}{
		{"new", 0, false, 4 * time.Minute},
		{"not less than 0.8 of every", 40*time.Minute - 10*time.Second, false, 4 * time.Minute},
		{"a tenth of its age", 50 * time.Minute, false, 5 * time.Minute},
		{"a tenth of its age, later", 5 * time.Hour, false, 30 * time.Minute},
		{"not more than an hour", 10 * time.Hour, false, time.Hour},
		{"not more than an hour, later", 71 * time.Hour, false, time.Hour},
		{"just before the deadline", 72*time.Hour - 1, false, time.Hour},
		{"at the deadline: soon", 72 * time.Hour, false, 4 * time.Minute},
		{"past the deadline", 100 * time.Hour, false, 4 * time.Minute},
		{"quiet, new", time.Minute, true, 4 * time.Minute},
		{"quiet: half its age", 2 * time.Hour, true, time.Hour},
		{"quiet: no upper bound", 64 * time.Hour, true, 32 * time.Hour},
		{"quiet, at the deadline: soon", 72 * time.Hour, true, 4 * time.Minute},
	} {
		for since, want := range map[time.Duration]bool{0: false, tc.gap - 1: false, tc.gap: true, tc.gap + time.Hour: true, never: false} {
			if got := s.due(tc.age, since, tc.quiet); got != want {
				t.Errorf("%s: age %s, %s since the last try: due %t", tc.name, tc.age, since, got)
			}
		}
	}
}

// TestDueWithRareRuns: with a schedule of two hours an order is due at each run, although the longest wait is an hour.
func TestDueWithRareRuns(t *testing.T) {
	s := Settings{RefetchEvery: 2 * time.Hour, Deadline: 72 * time.Hour}
	for since, want := range map[time.Duration]bool{90 * time.Minute: false, 96 * time.Minute: true, 2 * time.Hour: true} {
		if got := s.due(50*time.Hour, since, false); got != want {
			t.Errorf("%s since the last try: due %t", since, got)
		}
	}
}

// TestQuietOrdersDouble: a quiet order is tried at about 1, 2, 4, 8, 16, 32 and 64 hours of age.
func TestQuietOrdersDouble(t *testing.T) {
	s := Settings{RefetchEvery: 5 * time.Minute, Deadline: 72 * time.Hour}
	var tries []string
	last := 30 * time.Minute
	for age := last; age < s.Deadline; age += s.RefetchEvery {
		if s.due(age, age-last, true) {
			tries, last = append(tries, age.String()), age
		}
	}
	if got, want := strings.Join(tries, " "), "1h0m0s 2h0m0s 4h0m0s 8h0m0s 16h0m0s 32h0m0s 64h0m0s"; got != want {
		t.Errorf("tried at %s, want %s", got, want)
	}
}

func TestOpeningsSortByTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	last := ""
	for _, step := range []time.Duration{0, time.Millisecond, 31 * time.Millisecond, 32 * time.Millisecond, time.Second, time.Hour, 365 * 24 * time.Hour, 100 * 365 * 24 * time.Hour} {
		id, err := newOpening(now.Add(step), rand.Reader)
		if err != nil || id <= last || len(id) != 26 {
			t.Errorf("%s later: %q after %q, %v", step, id, last, err)
		}
		if err := archive.CheckOpening(id); err != nil || id != strings.ToLower(id) {
			t.Errorf("%q: %v", id, err)
		}
		last = id
	}
}

// TestOpeningsAreUnique: of ten thousand made in one millisecond no two are the same.
func TestOpeningsAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for range 10_000 {
		id, err := newOpening(time.UnixMilli(1_800_000_000_000), rand.Reader)
		if err != nil || seen[id] {
			t.Fatalf("%q a second time, %v", id, err)
		}
		seen[id] = true
	}
}

func TestOpeningNeedsAllItsRandomBytes(t *testing.T) {
	for _, r := range []*bytes.Reader{bytes.NewReader(nil), bytes.NewReader(make([]byte, 9))} {
		if id, err := newOpening(time.Now(), r); err == nil || id != "" {
			t.Errorf("%q, %v", id, err)
		}
	}
	if _, err := newOpening(time.Now(), iotest.ErrReader(os.ErrClosed)); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// vectorReply is the reply that testdata/result.v1.json is about, as pkg/faceid gives it.
func vectorReply() Reply {
	return Reply{
		Code: "0", Class: OK, Msg: "请求成功 <&>", Occurred: "20180810150152",
		Result: map[string]any{
			"orderNo": "orderNo19959248596551", "liveRate": json.Number("100"), "similarity": json.Number("95.0"), "big": json.Number("12345678901234567890.10"),
			"occurredTime": "20180810150152", "success": false, "idType": "01", "name": "张三", "idNo": "4300000000000",
			"user_name": "张三", "ID_No": "4300000000000", "filename": "kept",
		},
	}
}

func TestResultVector(t *testing.T) {
	for name, s := range map[string]Settings{"result.v1.json": {AppID: "IDAXXXXX"}, "result-identity.v1.json": {AppID: "IDAXXXXX", KeepIdentity: true}} {
		want, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		r := vectorReply()
		got, err := s.encodeResult("orderNo19959248596551", r)
		if diff := cmp.Diff(string(want), string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
		if diff := cmp.Diff(vectorReply(), r); diff != "" {
			t.Errorf("%s: the reply was changed: %s", name, diff)
		}
		v, err := parseVerdict(got)
		if diff := cmp.Diff(archive.Verdict{Code: "0", Occurred: "20180810150152"}, v); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
}

// TestResultHasNoIdentity: whatever spelling the service uses.
func TestResultHasNoIdentity(t *testing.T) {
	got, err := Settings{}.encodeResult("order1", vectorReply())
	if err != nil || bytes.Contains(got, []byte("张三")) || bytes.Contains(got, []byte("4300000000000")) || !bytes.Contains(got, []byte("kept")) {
		t.Errorf("%v\n%s", err, got)
	}
}

// TestResultIsCanonical: two steps that hear the same write the same bytes.
func TestResultIsCanonical(t *testing.T) {
	first, err := Settings{}.encodeResult("order1", vectorReply())
	for range 20 {
		again, err2 := Settings{}.encodeResult("order1", vectorReply())
		if err != nil || err2 != nil || !bytes.Equal(first, again) {
			t.Fatal(err, err2)
		}
	}
	none, err := Settings{}.encodeResult("order1", Reply{Code: "66660004"})
	if err != nil || !bytes.Contains(none, []byte(`"result": {}`)) || bytes.Contains(none, []byte("msg")) {
		t.Errorf("without fields: %v\n%s", err, none)
	}
}

func TestParseVerdict(t *testing.T) {
	for text, want := range map[string]archive.Verdict{
		`{"code":"66660004","result":{"occurredTime":20180810150152}}`: {Code: "66660004", Occurred: "20180810150152"},
		`{"code":"0","result":{"occurredTime":null}}`:                  {Code: "0"},
		`{"code":"0","result":{"occurredTime":{"a":1}}}`:               {Code: "0"},
		`{"code":"0"}`: {Code: "0"},
	} {
		if got, err := parseVerdict([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "{", "[]", `{"code":0}`, `{"code":"0"`, "hello"} {
		if v, err := parseVerdict([]byte(text)); !errors.Is(err, archive.ErrDamaged) || v != (archive.Verdict{}) {
			t.Errorf("%s: %+v, %v", text, v, err)
		}
	}
}
