//go:build !linux

package main

import (
	"os"
	"syscall"
)

// watchPeak knows nothing here: the figure of maxResident is taken.
func watchPeak(int) int64 { return 0 }

// maxResident is the kernel's figure, in bytes (macOS counts bytes, not kilobytes).
func maxResident(state *os.ProcessState) int64 { return state.SysUsage().(*syscall.Rusage).Maxrss }
