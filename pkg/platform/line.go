package platform

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
)

// lineHandler writes one line a record: time of day, level, message, key=value. Whatever is not plain text is quoted,
// so that a value can neither begin a new line nor steer the terminal.
type lineHandler struct {
	mu     *sync.Mutex // shared by all handlers made from one
	w      io.Writer
	level  slog.Leveler
	prefix string // of keys: the open groups, each with a dot
	attrs  string // already written out, each with a blank before it
}

func newLineHandler(w io.Writer, level slog.Leveler) *lineHandler {
	return &lineHandler{mu: new(sync.Mutex), w: w, level: level}
}

// Enabled implements slog.Handler.
func (h *lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle implements slog.Handler.
func (h *lineHandler) Handle(_ context.Context, rec slog.Record) error {
	var b strings.Builder
	if !rec.Time.IsZero() {
		b.WriteString(rec.Time.Format("15:04:05 "))
	}
	fmt.Fprintf(&b, "%-5s %s", rec.Level, printable(rec.Message))
	b.WriteString(h.attrs)
	rec.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, h.prefix, a)
		return true
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

// WithAttrs implements slog.Handler.
func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		appendAttr(&b, h.prefix, a)
	}
	with := *h
	with.attrs += b.String()
	return &with
}

// WithGroup implements slog.Handler.
func (h *lineHandler) WithGroup(name string) slog.Handler {
	with := *h
	if name != "" {
		with.prefix += name + "."
	}
	return &with
}

// appendAttr writes " key=value"; a group's members have its name and a dot before their keys.
func appendAttr(b *strings.Builder, prefix string, a slog.Attr) {
	a.Value = a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
	case a.Value.Kind() == slog.KindGroup:
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range a.Value.Group() {
			appendAttr(b, prefix, member)
		}
	default:
		b.WriteString(" " + quoted(prefix+a.Key) + "=" + quoted(a.Value.String()))
	}
}

// printable leaves a message as it is unless it holds something that does not print.
func printable(s string) string {
	if strings.ContainsFunc(s, func(c rune) bool { return !strconv.IsPrint(c) }) {
		return strconv.Quote(s)
	}
	return s
}

// quoted quotes what would not read back as one word.
func quoted(s string) string {
	if s == "" || strings.ContainsAny(s, " =\"") {
		return strconv.Quote(s)
	}
	return printable(s)
}
