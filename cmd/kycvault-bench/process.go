package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// usage is what a process took.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // resident bytes
}

// process is a child under way.
type process struct {
	cmd   *exec.Cmd
	began time.Time
	said  bytes.Buffer // stdout and stderr
	peak  chan int64
}

// begin starts a program with nothing but the given environment.
func begin(ctx context.Context, env []string, program string, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, args...), began: time.Now(), peak: make(chan int64, 1)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, &p.said, &p.said
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	go func() { p.peak <- watchPeak(p.cmd.Process.Pid) }()
	return p, nil
}

// wait waits for its end, which must be a good one.
func (p *process) wait() (usage, error) {
	err := p.cmd.Wait()
	peak := <-p.peak
	if err != nil {
		return usage{}, fmt.Errorf("%s: %w: %s", p.cmd.Args, err, p.said.Bytes())
	}
	state := p.cmd.ProcessState
	if peak == 0 {
		peak = maxResident(state)
	}
	return usage{wall: time.Since(p.began), cpu: state.UserTime() + state.SystemTime(), peak: peak}, nil
}

// stop asks it to end, as a supervisor does.
func (p *process) stop() (usage, error) {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return usage{}, fmt.Errorf("stop: %w", err)
	}
	return p.wait()
}

// runProcess runs a program to its end.
func runProcess(ctx context.Context, env []string, program string, args ...string) (usage, error) {
	p, err := begin(ctx, env, program, args...)
	if err != nil {
		return usage{}, err
	}
	return p.wait()
}

// peakEvery is how often a process's peak is read; it only grows, so little of it is missed.
const peakEvery = 2 * time.Millisecond
