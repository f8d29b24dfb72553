package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMain lets the measured program find its other roles in this test binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && childRoles()[os.Args[1]] != nil {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestEveryPart runs the whole program on a five-hundredth of the work: every part must come to its figures, whatever they are.
func TestEveryPart(t *testing.T) {
	kycvault := filepath.Join(t.TempDir(), "kycvault")
	if out, err := exec.Command("go", "build", "-o", kycvault, "../kycvault").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	profile := filepath.Join(t.TempDir(), "profile")
	var table, progress strings.Builder
	err := run(t.Context(), []string{"-kycvault", kycvault, "-rounds", "1", "-scale", "500", "-profile", profile}, &table, &progress)
	if err != nil && !errors.Is(err, errMissed) {
		t.Fatal(err)
	}
	for _, want := range []string{"| decode a video of", "| an order of 64 MB", "| an encrypted order of 64 MB", "| serve, small media", "| verify small orders", "| a pass over 200 ", "| seal a day of 200 orders", "| cold start of pull, Lambda", "| cold start of pull, SCF", "| … its binary, for amd64"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("no row %q in\n%s", want, table.String())
		}
	}
	if info, err := os.Stat(profile); err != nil || info.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
}

func TestUnknownPart(t *testing.T) {
	var table strings.Builder
	if err := run(t.Context(), []string{"-only", "nothing"}, &table, &table); err == nil || errors.Is(err, errMissed) {
		t.Errorf("error %v", err)
	}
}

// TestMissedIsTold: a number that is not held is marked in the table, and named at the end.
func TestMissedIsTold(t *testing.T) {
	var x table
	x.add(row{what: "held", ratio: "9 ×", hold: "≥ 8 ×", held: true})
	x.add(row{what: "missed", ratio: "7 ×", hold: "≥ 8 ×"})
	x.add(row{what: "free", ratio: "1 ×"})
	if got := x.missed(); len(got) != 1 || got[0] != "missed: 7 ×, wanted ≥ 8 ×" {
		t.Errorf("missed %q", got)
	}
	if n := strings.Count(x.String(), "MISSED"); n != 1 {
		t.Errorf("%d rows are marked:\n%s", n, x.String())
	}
}

// TestRatioIsOfEachTurn: a turn that something disturbed on both sides does not change the ratio.
func TestRatioIsOfEachTurn(t *testing.T) {
	slow, fast := []time.Duration{8, 80, 8}, []time.Duration{1, 10, 1}
	if got := ratio(slow, fast); got != 8 {
		t.Errorf("ratio %v, want 8", got)
	}
}

// TestByHandWorks: what to compare with must bring the same bytes.
func TestByHandWorks(t *testing.T) {
	s := settings{scratch: t.TempDir()}
	v := newVault(s, "hand")
	defer v.close()
	if err := os.Mkdir(v.folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := runByHand(t.Context(), []string{v.URL, appID, appSecret, v.folder, "ok1"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ok1.jpg", "ok1.mp4"} {
		if info, err := os.Stat(filepath.Join(v.folder, name)); err != nil || info.Size() < 50_000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
