package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// fading is a context that somebody cancels when it is asked for the nth time.
type fading struct {
	context.Context
	cancel context.CancelFunc
	left   *atomic.Int64
}

func fade(ctx context.Context, n int) fading {
	ctx, cancel := context.WithCancel(ctx)
	f := fading{Context: ctx, cancel: cancel, left: new(atomic.Int64)}
	f.left.Store(int64(n))
	return f
}

func (f fading) Err() error {
	if f.left.Add(-1) == 0 {
		f.cancel()
	}
	return f.Context.Err()
}

// TestInterruptedAnywhere interrupts each command at its first look at the context, at its second, and so on until it comes
// to its end: it must say how to go on, with exit code 1, and leave nothing half done.
func TestInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var out bytes.Buffer
	if code := run(t.Context(), []string{"pull", "ok1", "ok2"}, nil, &out, &out, v.env()); code != exitDone {
		t.Fatal(out.String())
	}
	evidence := filepath.Join(t.TempDir(), "evidence")
	for name, test := range map[string]struct {
		args []string
		left string // a pattern that no file may have afterwards
	}{
		"ls":      {[]string{"ls"}, ""},
		"get":     {[]string{"get", "ok1", "-o", evidence}, evidence},
		"status":  {[]string{"status", "ok1"}, ""},
		"doctor":  {[]string{"doctor"}, filepath.Join(v.dir, "system/doctor/*")},
		"refetch": {[]string{"refetch"}, ""},
	} {
		for n := 1; ; n++ {
			var stdout, stderr bytes.Buffer
			ctx := fade(t.Context(), n)
			code := run(ctx, test.args, nil, &stdout, &stderr, v.env())
			if ctx.Context.Err() == nil {
				if ctx.cancel(); code != exitDone || n < 3 {
					t.Errorf("%s ends at the %d. look with %d: %s", name, n, code, &stderr)
				}
				break
			}
			if code == exitDone {
				if err := os.RemoveAll(test.left); err != nil { // the last look was after the work
					t.Fatal(err)
				}
				continue
			}
			if text := stderr.String(); code != exitNotDone || !strings.Contains(text, "interrupted: ") || !strings.Contains(text, "un the same command again") {
				t.Errorf("%s, interrupted at its %d. look, ends with %d: %s", name, n, code, text)
			}
			if files, err := filepath.Glob(test.left); err != nil || len(files) > 0 {
				t.Fatalf("%s, interrupted at its %d. look, leaves %v, %v", name, n, files, err)
			}
		}
	}
	if files, err := os.ReadDir(evidence); err != nil || len(files) != 4 {
		t.Errorf("in the end there is %v, %v", files, err)
	}
}
