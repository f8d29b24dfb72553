package peertest

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// TimestampServer is the timestamp server's pinned version, as `make peers` installs it: later ones want a later Go.
const TimestampServer = "v2.1.2"

// TSA is a running timestamp authority (sigstore's timestamp-server), with a new key at each start. It serves its metrics on port
// 2112 of every interface, whatever it is told, so one runs at a time on a machine: StartTSA waits for the other's end.
type TSA struct {
	URL    string // takes RFC 3161 requests
	Chain  []byte // PEM: the signer's certificate, and those up to its root
	server *server
	free   func()
}

// StartTSA starts a timestamp authority.
func StartTSA(t testing.TB) *TSA {
	t.Helper()
	program := tool(t, "bin", "timestamp-server-"+TimestampServer)
	port := FreePort(t)
	s := &TSA{free: alone(t, program+".lock")}
	t.Cleanup(s.free)
	s.server = start(t, port, func() *exec.Cmd {
		return exec.Command(program, "serve", "--host", "127.0.0.1", "--port", strconv.Itoa(port), "--timestamp-signer", "memory", "--disable-ntp-monitoring")
	})
	s.URL = "http://" + s.server.address + "/api/v1/timestamp"
	res, err := http.Get(s.URL + "/certchain") //nolint:noctx // a local server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if s.Chain, err = io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("chain of the timestamp server: %d, %v", res.StatusCode, err)
	}
	return s
}

// Kill ends the server as a power cut does. Another can be started then.
func (s *TSA) Kill() {
	s.server.kill()
	s.free()
}

// alone waits until no other process, nor test of this one, holds the lock. The lock ends with the process.
func alone(t testing.TB, path string) (free func()) {
	t.Helper()
	lock, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() { _ = lock.Close() })
}
