package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// row is one line of the table. Cells are text, since each row has a unit of its own.
type row struct {
	what, other, ours, ratio string
	hold                     string // what DESIGN section 7 wants; "" where it says nothing
	held                     bool
}

type table struct {
	machine string
	rows    []row
}

func (t *table) add(r row) { t.rows = append(t.rows, r) }

func (t *table) missed() (missed []string) {
	for _, r := range t.rows {
		if r.hold != "" && !r.held {
			missed = append(missed, fmt.Sprintf("%s: %s, wanted %s", r.what, r.ratio, r.hold))
		}
	}
	return missed
}

// String is the table in Markdown, with its columns lined up.
func (t *table) String() string {
	lines := [][]string{{"what", "to compare with", "kycvault", "ratio", "to hold"}}
	for _, r := range t.rows {
		hold := r.hold
		if hold != "" && !r.held {
			hold += ": MISSED"
		}
		lines = append(lines, []string{r.what, r.other, r.ours, r.ratio, hold})
	}
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	rule := make([]string, len(widths))
	for i, w := range widths {
		rule[i] = strings.Repeat("-", w)
	}
	var b strings.Builder
	b.WriteString(t.machine + "\n\n")
	for _, line := range slices.Insert(lines, 1, rule) {
		for i, cell := range line {
			fmt.Fprintf(&b, "| %-*s ", widths[i], cell)
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// machine names the machine, and on Linux how busy it is with other things.
func machine() string {
	name := fmt.Sprintf("%s, %s/%s, %d CPUs", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		name += ", load before " + strings.Fields(string(load))[0]
	}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, found := strings.Cut(string(info), "model name"); found {
			model, _, _ := strings.Cut(rest, "\n")
			name += ", " + strings.TrimLeft(model, " \t:")
		}
	}
	return name
}

// takeTurns runs functions one after another, n times round, and gives the times of each. What else the machine does then
// meets all of them.
func takeTurns(n int, functions ...func() error) ([][]time.Duration, error) {
	times := make([][]time.Duration, len(functions))
	for range n {
		for i, f := range functions {
			runtime.GC() // nobody pays for another's garbage
			began := time.Now()
			if err := f(); err != nil {
				return nil, err
			}
			times[i] = append(times[i], time.Since(began))
		}
	}
	return times, nil
}

// median of some values; it sorts a copy.
func median[T int64 | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// ratio is the median of the quotients of each turn.
func ratio[T int64 | float64 | time.Duration](over, under []T) float64 {
	var quotients []float64
	for i := range over {
		quotients = append(quotients, float64(over[i])/float64(under[i]))
	}
	return median(quotients)
}

// times shows a quotient.
func times(quotient float64) string { return fmt.Sprintf("%.1f ×", quotient) }

// fraction shows a quotient below one as 1/x.
func fraction(quotient float64) string { return fmt.Sprintf("1/%.1f", 1/quotient) }

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
