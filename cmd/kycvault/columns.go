package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/rivo/uniseg"
)

// column is one cell of a line: its text, and how wide it is at least. Chinese, Japanese and Korean characters take two
// places on a screen, so bytes and runes are no measure.
type column struct {
	text  string
	width int // in places of a screen; 0 is as wide as the text
	right bool
}

// columns makes a line of cells with two blanks between them, and none at its end.
func columns(cells ...column) string {
	var line strings.Builder
	for i, c := range cells {
		if i > 0 {
			line.WriteString("  ")
		}
		text := oneLine(c.text)
		fill := strings.Repeat(" ", max(0, c.width-uniseg.StringWidth(text)))
		if c.right {
			text = fill + text
		} else {
			text += fill
		}
		line.WriteString(text)
	}
	return strings.TrimRight(line.String(), " ")
}

// oneLine makes a text fit for a line on a terminal: what could begin another line, or steer the terminal, is shown as Go writes it.
func oneLine(s string) string {
	for _, r := range s {
		if !strconv.IsPrint(r) {
			quoted := strconv.Quote(s)
			return quoted[1 : len(quoted)-1]
		}
	}
	return s
}

// moment is a time for people; they are told that it is UTC.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// roughly is a span of time for people: at most two units, such as 3d4h, 2h5m or 1.5s.
func roughly(d time.Duration) string {
	d = d.Abs()
	switch day := 24 * time.Hour; {
	case d >= day:
		return strconv.Itoa(int(d/day)) + "d" + strconv.Itoa(int(d%day/time.Hour)) + "h"
	case d >= time.Hour:
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	case d >= time.Minute:
		return d.Truncate(time.Second).String()
	}
	return d.Round(time.Millisecond).String()
}

// bytesText is a size for people, in the units of disks: 66.3 kB.
func bytesText(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	size, unit := float64(n), ""
	for _, next := range []string{"kB", "MB", "GB", "TB", "PB"} {
		if size < 1000 {
			break
		}
		size, unit = size/1000, next
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + unit
}
