package main

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/kycvault/kycvault/pkg/platform"
)

// tellEvery is how often a long command tells how far it is where nobody looks at a terminal.
const tellEvery = 10 * time.Second

// unitBytes is the unit whose numbers are written as sizes: 66.3 kB.
const unitBytes = "bytes"

// meter tells on stderr how far a long command is: a bar with rate and time left on a terminal, else a plain line now
// and then. What else goes to stderr meanwhile is written through it, so that it does not run into the bar.
type meter struct {
	what  string // the command
	unit  string // what is counted, in the plural
	out   io.Writer
	now   func() time.Time
	start time.Time

	mu    sync.Mutex
	bar   *progressbar.ProgressBar // nil without a terminal
	total int64                    // negative: not known
	done  int64
	note  string
	told  time.Time
}

// meter begins to tell. A negative total is one that is not known. The caller calls end.
func (a *app) meter(what, unit string, total int64) *meter {
	m := &meter{what: what, unit: unit, out: a.stderr, now: a.now, start: a.now(), told: a.now(), total: total}
	if !platform.IsTerminal(a.stderr) {
		return m
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(a.stderr), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionSetWidth(20),
		progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionClearOnFinish(),
	}
	if unit == unitBytes {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit))
	}
	m.bar = progressbar.NewOptions64(total, options...)
	return m
}

// at says how much is done. note is what else to know, such as what the command waits for.
func (m *meter) at(done int64, note string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done = done
	if m.bar != nil {
		if note != m.note {
			m.bar.Describe(m.title(note))
		}
		_ = m.bar.Set64(done)
	}
	m.note = note
	if now := m.now(); m.bar == nil && now.Sub(m.told) >= tellEvery {
		m.told = now
		_, _ = fmt.Fprintln(m.out, m.line(now))
	}
}

// expect sets the total, once it is known.
func (m *meter) expect(total int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.total == total {
		return
	}
	if m.total = total; m.bar != nil {
		m.bar.ChangeMax64(total)
	}
}

func (m *meter) title(note string) string {
	if note == "" {
		return m.what
	}
	return m.what + " (" + note + ")"
}

// line is how far it is, in words.
func (m *meter) line(now time.Time) string {
	rate := float64(m.done) / max(now.Sub(m.start).Seconds(), 0.001)
	text := m.title(m.note) + ": " + m.count(m.done)
	if m.total >= 0 {
		text += " of " + m.count(m.total)
	}
	if m.unit == unitBytes {
		text += fmt.Sprintf(", %s a second", bytesText(int64(rate)))
	} else {
		text += fmt.Sprintf(" %s, %s a second", m.unit, short(rate))
	}
	if left := m.total - m.done; left > 0 && rate > 0 {
		text += fmt.Sprintf(", about %s left", (time.Duration(float64(left)/rate) * time.Second).Round(time.Second))
	}
	return text
}

func (m *meter) count(n int64) string {
	if m.unit == unitBytes {
		return bytesText(n)
	}
	return strconv.FormatInt(n, 10)
}

// short writes a rate with as many digits as mean something.
func short(rate float64) string {
	if rate < 10 {
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}

// Write implements io.Writer: it writes above the bar.
func (m *meter) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Clear()
	}
	return m.out.Write(b)
}

// above takes the bar off its line, for a result that goes to stdout. It comes again.
func (m *meter) above() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Clear()
	}
}

// tell writes a line for people above the bar.
func (m *meter) tell(line string) { _, _ = io.WriteString(m, line+"\n") }

// end takes the bar away. Nothing may be told after it.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bar != nil {
		_ = m.bar.Exit()
		_ = m.bar.Clear()
	}
}
