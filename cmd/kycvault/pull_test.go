package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// backfill is a pull process with a list, which a test can signal.
type backfill struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
}

// pullList starts the real binary on a list of orders.
func (v *vault) pullList(list string, args ...string) *backfill {
	v.t.Helper()
	file, err := binary()
	if err != nil {
		v.t.Fatal(err)
	}
	b := &backfill{cmd: exec.Command(file, append([]string{"pull", "--file", list}, args...)...)}
	b.cmd.Env, b.cmd.Stdout, b.cmd.Stderr = v.env(), &b.stdout, &b.stderr
	if err := b.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = b.cmd.Process.Kill() })
	return b
}

// ends waits for the exit code.
func (b *backfill) ends(t *testing.T, code int) {
	t.Helper()
	_ = b.cmd.Wait()
	if got := b.cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit code %d, want %d:\n%s%s", got, code, &b.stdout, &b.stderr)
	}
}

// journaled counts what is archived, from the journal's file names.
func (v *vault) journaled() int {
	v.t.Helper()
	entries, err := filepath.Glob(filepath.Join(v.dir, "journal", "*", "*"))
	if err != nil {
		v.t.Fatal(err)
	}
	return len(entries)
}

// waitJournaled waits until n orders are archived by a pull under way.
func (v *vault) waitJournaled(n int) {
	v.t.Helper()
	for end := time.Now().Add(2 * time.Minute); v.journaled() < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			v.t.Fatalf("%d orders are archived, want %d", v.journaled(), n)
		}
	}
}

// writeList writes a list of n orders.
func writeList(t *testing.T, n int) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("order_no,note\r\n")
	for i := range n {
		fmt.Fprintf(&text, "own%dx,\"n %d\"\r\n", i, i)
	}
	list := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(list, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return list
}

// reported reads a report: the ends by order, and the summary.
func reported(t *testing.T, path string) (ends map[string]string, summary map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	ends = make(map[string]string)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			OrderNo, End string
			Summary      map[string]any
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v in %s", err, lines.Text())
		}
		if line.Summary != nil {
			summary = line.Summary
			continue
		}
		ends[line.OrderNo] = line.End
	}
	return ends, summary
}

// TestPullInterruptedAndResumed: Ctrl-C lets the steps under way end, tells how to go on, and leaves an archive that is whole;
// kill -9 leaves nothing worse. The same command goes on, and asks nothing about what is archived.
func TestPullInterruptedAndResumed(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	const n = 120
	list, report := writeList(t, n), filepath.Join(t.TempDir(), "report.jsonl")
	if err := v.sim.AddFault(faceidtest.Fault{Route: faceidtest.Query, Times: -1, Delay: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	for i, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		b := v.pullList(list, "--parallel", "4", "--report", report)
		v.waitJournaled(15 * (i + 1))
		if err := b.cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if signal == syscall.SIGKILL {
			b.ends(t, -1)
			continue
		}
		b.ends(t, exitNotDone)
		if told := b.stderr.String(); !regexp.MustCompile(`kycvault: interrupted: \d+ of 120 orders are not archived; run the same command again to go on\n$`).MatchString(told) {
			t.Errorf("told %q", told)
		}
		ends, summary := reported(t, report)
		done := v.journaled()
		if len(ends) != n || summary["stopped"] != "interrupted" || summary["archived"].(float64)+summary["already"].(float64) != float64(done) {
			t.Errorf("%d archived, the report has %d orders and says %v", done, len(ends), summary)
		}
		var damage bytes.Buffer
		if code := run(t.Context(), []string{"verify", "--read-only"}, nil, &damage, &damage, v.env()); code != exitDone {
			t.Errorf("after %s: %s", signal, &damage)
		}
	}
	v.sim.ClearFaults()
	before := v.journaled()
	v.pullList(list, "--report", report).ends(t, exitDone)
	ends, summary := reported(t, report)
	if len(ends) != n || summary["already"].(float64) < float64(before-4) || summary["archived"].(float64)+summary["already"].(float64) != n {
		t.Errorf("%d were archived, the report has %d orders and says %v", before, len(ends), summary)
	}
	asked := v.sim.Stats().Calls[faceidtest.Sync]
	again := v.pullList(list)
	again.ends(t, exitDone)
	if now := v.sim.Stats().Calls[faceidtest.Sync]; now != asked || !strings.Contains(again.stdout.String(), "120 already") {
		t.Errorf("%d queries about archived orders: %s", now-asked, &again.stdout)
	}
	v.verify()
}

// TestPullListMemory: a list of 200,000 orders takes little more than the list itself.
func TestPullListMemory(t *testing.T) {
	peertest.NeedPeak(t)
	t.Parallel()
	v := newVault(t)
	b := v.pullList(writeList(t, 200_000), "--parallel", "4")
	v.waitJournaled(100)
	peak := peertest.PeakMiB(t, b.cmd.Process.Pid)
	if err := b.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	b.ends(t, exitNotDone)
	if t.Logf("peak %d MiB", peak); peak > 96 {
		t.Error("at most 96 MiB are allowed")
	}
}

// TestMeterLines tells what is told where nobody looks at a terminal.
func TestMeterLines(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	a := &app{stderr: &stderr, now: func() time.Time { return now }}
	m := a.meter("pull", "orders", 5000)
	for i := range 60 {
		now = now.Add(time.Second)
		note := ""
		if i > 40 {
			note = "waiting for the service"
		}
		m.at(int64(i+1)*20, note)
	}
	m.tell("a log line")
	m.end()
	got := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	if len(got) != 7 || got[0] != "pull: 200 of 5000 orders, 20 a second, about 4m0s left" ||
		got[5] != "pull (waiting for the service): 1200 of 5000 orders, 20 a second, about 3m10s left" || got[6] != "a log line" {
		t.Errorf("told %s", strconv.Quote(stderr.String()))
	}
	stderr.Reset()
	m = a.meter("get", unitBytes, 64<<20)
	now = now.Add(10 * time.Second)
	m.at(16<<20, "")
	if got := stderr.String(); got != "get: 16.8 MB of 67.1 MB, 1.7 MB a second, about 30s left\n" {
		t.Errorf("told %q", got)
	}
}
