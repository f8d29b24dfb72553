// Package peertest starts the real servers that tests talk to: an S3 server, an SQS server and a timestamp authority, on free
// ports of 127.0.0.1, stopped by the test that started them; and it runs scripts with Tencent's deploy library. `make peers`
// installs what is not on the machine below .cache. Where one is missing a test skips and says so; with CI=true that is a failure.
// For servers within a test it has connections in memory, for programs under test a look at their memory.
package peertest

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startTime is how long a server may take to listen: a loaded machine is slow.
const startTime = 30 * time.Second

// tool finds what `make peers` installed, by its path below .cache.
func tool(t testing.TB, path ...string) string {
	t.Helper()
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(append([]string{root, ".cache"}, path...)...)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	missing(t, filepath.Base(file)+" is not installed: make peers")
	return ""
}

// missing skips a test for want of a peer; in the continuous integration nothing is skipped.
func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// repository is the folder with go.mod.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return "", err
		}
		dir = filepath.Dir(dir)
	}
}

// Ports for servers that can not choose one themselves. They lie below those that systems give to who asks for any (from 32768
// on with Linux, 49152 with macOS): else another test's listener may get the port between our look and the server's start. Each has a
// guard, the port guarded above it, which is held as long as the test runs: so no other test, of whatever process, chooses it too.
const (
	firstPort = 20_000
	lastPort  = 26_000
	guarded   = lastPort - firstPort
)

// FreePort finds a port of 127.0.0.1 that nobody listens on now, and that no other test is given before this one ends.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		guard, err := net.Listen("tcp", loopback(port+guarded))
		if err != nil {
			continue
		}
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			_ = guard.Close()
			continue
		}
		_ = l.Close()
		t.Cleanup(func() { _ = guard.Close() })
		return port
	}
	t.Fatal("a hundred ports are taken")
	return 0
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// server is a process that listens.
type server struct {
	t       testing.TB
	address string
	command func() *exec.Cmd
	cmd     *exec.Cmd
	output  *strings.Builder
	ended   chan struct{}
	killed  bool
}

// start runs the command until the test ends, and returns when it listens.
func start(t testing.TB, port int, command func() *exec.Cmd) *server {
	t.Helper()
	s := &server{t: t, address: loopback(port), command: command}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd, s.output, s.ended, s.killed = s.command(), new(strings.Builder), make(chan struct{}), false
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		s.t.Fatalf("start %s: %v", s.cmd.Path, err)
	}
	go func() { defer close(s.ended); _ = s.cmd.Wait() }()
	for end := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-s.ended:
			s.t.Fatalf("%s ended:\n%s", s.cmd.Path, s.output)
		default:
		}
		if time.Now().After(end) {
			s.kill()
			s.t.Fatalf("%s does not listen on %s:\n%s", s.cmd.Path, s.address, s.output)
		}
	}
}

// kill ends the process as a power cut does. One that ended before, by itself, is the reason of whatever else failed.
func (s *server) kill() {
	s.t.Helper()
	err := s.cmd.Process.Kill()
	<-s.ended
	if errors.Is(err, os.ErrProcessDone) && !s.killed {
		s.t.Errorf("%s ended by itself:\n%s", s.cmd.Path, s.output)
	}
	s.killed = true
}
