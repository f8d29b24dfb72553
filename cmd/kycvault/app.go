package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/platform"
)

// app is what a subcommand works with. Results go to stdout, everything else to stderr.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	now    func() time.Time

	environ   []string
	overrides map[string]string // by variable: what flags say
}

// config reads the settings: flags first, then the environment. A variable that nothing reads is warned of.
func (a *app) config(needs platform.Needs) (platform.Config, error) {
	c, err := platform.Load(a.lookup, needs)
	if err != nil {
		return platform.Config{}, usage(fmt.Errorf("read settings:\n%s", indented(err)))
	}
	for _, name := range platform.Unknown(a.environ) {
		a.logger(c).Warn("unknown variable: a typing mistake?", "variable", name)
	}
	return c, nil
}

// indented puts each line of an error on a line of its own, under a heading.
func indented(err error) string {
	return "  " + strings.ReplaceAll(err.Error(), "\n", "\n  ")
}

// lookup is platform.Lookup over the flags and the environment.
func (a *app) lookup(name string) (string, bool) {
	if v, ok := a.overrides[name]; ok {
		return v, true
	}
	for _, entry := range a.environ {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			return v, true
		}
	}
	return "", false
}

// logger logs to stderr.
func (a *app) logger(c platform.Config) *slog.Logger {
	return platform.NewLogger(a.stderr, c.LogLevel, platform.IsTerminal(a.stderr))
}

// printJSON writes a result for machines: one indented JSON value.
func (a *app) printJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// printJSONLine writes one of several results for machines: a JSON value on a line of its own.
func (a *app) printJSONLine(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	return a.print(string(line))
}

// print writes a result for people: one line.
func (a *app) print(line string) error {
	if _, err := fmt.Fprintln(a.stdout, line); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}
