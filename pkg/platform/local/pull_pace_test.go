package local

import (
	"testing"
	"time"
)

// TestPaceFollowsTheService: refusals halve it, good answers raise it by one, a closed gate lets one at a time look.
func TestPaceFollowsTheService(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	p := pace{most: 16, limit: 16}
	for i, want := range []int{8, 4, 2, 1, 1} {
		if p.refused(now); p.limit != want {
			t.Errorf("after %d refusals %d at once, want %d", i+1, p.limit, want)
		}
	}
	if p.since != now || p.resting(now) {
		t.Errorf("in trouble since %s; resting: %t", p.since, p.resting(now))
	}
	for range 20 {
		p.good()
	}
	if p.limit != 16 || p.bad != 0 || !p.since.IsZero() {
		t.Errorf("after 20 good answers: %+v", p)
	}
	if p.back(now); p.limit != 1 || !p.resting(now) || p.from != now.Add(time.Second) {
		t.Errorf("when all back off: %+v", p)
	}
	if p.good(); p.resting(now) || p.limit != 2 {
		t.Errorf("after a good answer: %+v", p)
	}
}

// TestPaceSlowsDownWhenNothingComes: a few failures are those of single orders; then pauses grow, to half a minute.
func TestPaceSlowsDownWhenNothingComes(t *testing.T) {
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	p := pace{most: 4, limit: 4}
	for range 4 {
		p.failed(now)
	}
	if p.limit != 4 || p.resting(now) {
		t.Errorf("after as many failures as there are orders in work: %+v", p)
	}
	for _, want := range []time.Duration{2, 4, 8, 16, 30, 30, 30} {
		if p.failed(now); p.limit != 1 || p.from.Sub(now) != want*time.Second {
			t.Errorf("pause %s, want %d s", p.from.Sub(now), want)
		}
	}
}
