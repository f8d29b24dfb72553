package peertest

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// NeedPeak skips a test that asks for PeakMiB where there is none.
func NeedPeak(t testing.TB) {
	t.Helper()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the peak of a process's memory is read from /proc, which only Linux has")
	}
}

// PeakMiB is the most memory that a process had resident so far, in MiB: VmHWM in Linux.
func PeakMiB(t testing.TB, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatal("no VmHWM")
	}
	kb, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kb / 1024
}
