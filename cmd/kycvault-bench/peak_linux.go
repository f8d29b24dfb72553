package main

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// watchPeak gives the last VmHWM of a process before its end, in bytes. The kernel's own sum at the end (ru_maxrss) would
// not do: until its exec a child counts as its parent's memory.
func watchPeak(pid int) int64 {
	line := regexp.MustCompile(`VmHWM:\s+(\d+) kB`)
	var peak int64
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		m := line.FindSubmatch(status)
		if err != nil || m == nil { // it has ended
			return peak
		}
		kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
		peak = kb << 10
		time.Sleep(peakEvery)
	}
}

// maxResident is the kernel's figure, in bytes.
func maxResident(state *os.ProcessState) int64 {
	return state.SysUsage().(*syscall.Rusage).Maxrss << 10
}
