package main

import (
	"testing"
	"time"
)

func TestParseSince(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 19, 30, 0, 0, time.FixedZone("CST", 8*3600)) // 11:30 UTC
	for s, want := range map[string]string{
		"2026-11-20T09:00:00Z":      "2026-11-20T09:00:00Z",
		"2026-11-20T09:00:00+08:00": "2026-11-20T01:00:00Z",
		"2026-11-20":                "2026-11-20T00:00:00Z",
		"today":                     "2026-11-23T00:00:00Z",
		"yesterday":                 "2026-11-22T00:00:00Z",
		"90m":                       "2026-11-23T10:00:00Z",
		"7d":                        "2026-11-16T11:30:00Z",
		"0s":                        "2026-11-23T11:30:00Z",
	} {
		got, err := parseSince(s, now)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%q is %s, %v; want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"", "soon", "-1h", "-1d", "1.5d", "99999999999d", "2026-13-01", "2026-11-20 09:00", "今天"} {
		if got, err := parseSince(s, now); err == nil {
			t.Errorf("%q is taken for %s", s, got)
		}
	}
}
