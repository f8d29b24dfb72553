package platform

import (
	"io"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"
)

// NewLogger makes the one logger of a process: lines for people on a terminal, JSON lines with UTC times for machines otherwise.
func NewLogger(w io.Writer, level slog.Leveler, terminal bool) *slog.Logger {
	if terminal {
		return slog.New(newLineHandler(w, level))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: readable}))
}

// IsTerminal tells whether w is a terminal that a person looks at.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// readable gives times in UTC and durations as Go writes them ("1m30s"): a bare number says nothing of its unit.
func readable(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindTime:
		a.Value = slog.TimeValue(a.Value.Time().UTC().Round(time.Millisecond))
	case slog.KindDuration:
		a.Value = slog.StringValue(a.Value.Duration().Round(time.Microsecond).String())
	}
	return a
}
