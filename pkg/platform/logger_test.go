package platform

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
)

func TestLineHandlerKeepsSlogRules(t *testing.T) {
	var out bytes.Buffer
	slogtest.Run(t,
		func(*testing.T) slog.Handler { out.Reset(); return newLineHandler(&out, slog.LevelInfo) },
		func(t *testing.T) map[string]any { return parseLine(t, out.String()) })
}

var linePattern = regexp.MustCompile(`^(\d\d:\d\d:\d\d )?([A-Z]+) +(\S+)((?: \S+=\S+)*)\n$`)

// parseLine reads back a line whose message and values are single words.
func parseLine(t *testing.T, line string) map[string]any {
	m := linePattern.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("not a line: %q", line)
	}
	fields := map[string]any{slog.LevelKey: m[2], slog.MessageKey: m[3]}
	if m[1] != "" {
		fields[slog.TimeKey] = m[1]
	}
	for _, pair := range strings.Fields(m[4]) {
		key, value, _ := strings.Cut(pair, "=")
		into := fields
		groups := strings.Split(key, ".")
		for _, group := range groups[:len(groups)-1] {
			if into[group] == nil {
				into[group] = map[string]any{}
			}
			into = into[group].(map[string]any)
		}
		into[groups[len(groups)-1]] = value
	}
	return fields
}

func TestLineOnATerminal(t *testing.T) {
	var out bytes.Buffer
	h := newLineHandler(&out, slog.LevelInfo)
	rec := slog.NewRecord(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), slog.LevelWarn, "step failed", 0)
	rec.Add("order", "o1", "err", errors.New("read reply: cut\x1b[31m short\nINFO forged"), "next", "try again", "wait", 2*time.Second, "none", "")
	if err := h.Handle(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	want := `03:04:05 WARN  step failed order=o1 err="read reply: cut\x1b[31m short\nINFO forged" next="try again" wait=2s none=""` + "\n"
	if out.String() != want {
		t.Errorf("line = %q, want %q", out.String(), want)
	}
}

func TestLoggerForMachines(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, slog.LevelWarn, false)
	log.Info("not shown")
	log.Warn("shown", "at", time.Date(2026, 1, 2, 3, 4, 5, 6789000, time.FixedZone("CST", 8*3600)))
	var entry map[string]string
	if err := json.Unmarshal(out.Bytes(), &entry); err != nil {
		t.Fatalf("not one JSON object: %v: %s", err, &out)
	}
	if entry["msg"] != "shown" || entry["at"] != "2026-01-01T19:04:05.007Z" || !strings.HasSuffix(entry["time"], "Z") {
		t.Errorf("entry = %v", entry)
	}
}

// TestLoggerKeepsLinesWhole writes from many goroutines; a handler without a lock would mix lines (seen with -race).
func TestLoggerKeepsLinesWhole(t *testing.T) {
	var out bytes.Buffer
	log := NewLogger(&out, slog.LevelInfo, true)
	done := make(chan struct{})
	for i := range 8 {
		go func() {
			log.With("writer", i).Info(strings.Repeat(strconv.Itoa(i), 50))
			done <- struct{}{}
		}()
	}
	for range 8 {
		<-done
	}
	for line := range strings.Lines(out.String()) {
		parseLine(t, line)
	}
}

func TestIsTerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	if IsTerminal(file) || IsTerminal(new(bytes.Buffer)) {
		t.Error("a file and a buffer are taken for terminals")
	}
}
