package platform

import (
	"context"
	"testing"
	"time"
)

// TestTimes: what begins, and what goes on, until when, by how long an invocation may take.
func TestTimes(t *testing.T) {
	now := time.Now().Add(time.Hour) // no deadline of this test has passed
	for limit, want := range map[time.Duration]struct{ begin, end time.Duration }{
		15 * time.Minute: {15*time.Minute - 20*time.Second, 15*time.Minute - 2*time.Second},
		time.Minute:      {45 * time.Second, 58 * time.Second},
		4 * time.Second:  {3 * time.Second, 3600 * time.Millisecond},
	} {
		ctx, cancel := context.WithDeadline(t.Context(), now.Add(limit))
		defer cancel()
		times := TimesOf(ctx, now)
		if times.Begin.Sub(now) != want.begin || times.End.Sub(now) != want.end {
			t.Errorf("%s: begins until %s, ends at %s", limit, times.Begin.Sub(now), times.End.Sub(now))
		}
		if !times.MayBegin(times.Begin.Add(-1)) || times.MayBegin(times.Begin) {
			t.Errorf("%s: begins at the wrong time", limit)
		}
		bounded, stop := times.Bound(ctx)
		defer stop()
		if end, ok := bounded.Deadline(); !ok || !end.Equal(times.End) {
			t.Errorf("%s: bounded at %s", limit, end)
		}
	}
}

// TestTimesWithoutADeadline: nothing is late.
func TestTimesWithoutADeadline(t *testing.T) {
	times := TimesOf(context.Background(), time.Now())
	ctx, cancel := times.Bound(context.Background())
	defer cancel()
	if _, bounded := ctx.Deadline(); bounded || !times.MayBegin(time.Now().Add(time.Hour)) {
		t.Error("there is a deadline")
	}
}
