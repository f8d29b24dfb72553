package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// parseDay reads a day, and gives its beginning.
func parseDay(s string, now time.Time) (time.Time, error) {
	today := now.UTC().Truncate(24 * time.Hour)
	switch s {
	case "today":
		return today, nil
	case "yesterday":
		return today.AddDate(0, 0, -1), nil
	}
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, errors.New("--day must be a day such as 2026-11-23, today or yesterday")
	}
	return day, nil
}

// maxDays keeps a count of days from running over a duration: 100 years.
const maxDays = 36525

// parseSince reads a time, a day, or how long ago.
func parseSince(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if day, err := parseDay(s, now); err == nil {
		return day, nil
	}
	if count, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(count); err == nil && n >= 0 && n <= maxDays {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, errors.New("--since must be a time such as 2026-11-23T09:00:00Z, a day, or how long ago, such as 90m, 36h or 7d")
}
