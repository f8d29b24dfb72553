package main

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/kycvault/kycvault/pkg/platform"
)

// tellEvery is how often a long command tells how far it is where nobody looks at a terminal.
const tellEvery = 10 * time.Second

// progress tells on stderr how far a long command is: a bar with rate and time left on a terminal, else a plain line now
// and then. What else goes to stderr meanwhile is written through it, so that it does not run into the bar.
type progress struct {
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

// progress begins to tell. A negative total is one that is not known. The caller calls end.
func (a *app) progress(what, unit string, total int64) *progress {
	p := &progress{what: what, unit: unit, out: a.stderr, now: a.now, start: a.now(), told: a.now(), total: total}
	if !platform.IsTerminal(a.stderr) {
		return p
	}
	p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(a.stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString(unit), progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(20), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	return p
}

// at says how much is done. note is what else to know, such as what the command waits for.
func (p *progress) at(done int64, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = done
	if p.bar != nil {
		if note != p.note {
			p.bar.Describe(p.title(note))
		}
		_ = p.bar.Set64(done)
	}
	p.note = note
	if now := p.now(); p.bar == nil && now.Sub(p.told) >= tellEvery {
		p.told = now
		_, _ = fmt.Fprintln(p.out, p.line(now))
	}
}

// expect sets the total, once it is known.
func (p *progress) expect(total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.total = total; p.bar != nil {
		p.bar.ChangeMax64(total)
	}
}

func (p *progress) title(note string) string {
	if note == "" {
		return p.what
	}
	return p.what + " (" + note + ")"
}

// line is how far it is, in words.
func (p *progress) line(now time.Time) string {
	took := now.Sub(p.start)
	rate := float64(p.done) / took.Seconds()
	text := fmt.Sprintf("%s: %d %s, %s a second", p.title(p.note), p.done, p.unit, short(rate))
	if p.total < 0 {
		return text
	}
	text = fmt.Sprintf("%s: %d of %d %s, %s a second", p.title(p.note), p.done, p.total, p.unit, short(rate))
	if left := p.total - p.done; left > 0 && rate > 0 {
		text += fmt.Sprintf(", about %s left", (time.Duration(float64(left)/rate) * time.Second).Round(time.Second))
	}
	return text
}

// short writes a rate with as many digits as mean something.
func short(rate float64) string {
	if rate < 10 {
		return fmt.Sprintf("%.1f", rate)
	}
	return fmt.Sprintf("%.0f", rate)
}

// Write implements io.Writer: it writes above the bar.
func (p *progress) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	return p.out.Write(b)
}

// tell writes a line for people above the bar.
func (p *progress) tell(line string) { _, _ = io.WriteString(p, line+"\n") }

// end takes the bar away. Nothing may be told after it.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Exit()
		_ = p.bar.Clear()
	}
}
