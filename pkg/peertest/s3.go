package peertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// VersityGW is the S3 server's pinned version, as `make peers` installs it.
const VersityGW = "v1.8.0"

// S3 is a running S3 server (versitygw on a folder). It differs from Amazon's in this: If-None-Match over a delete marker
// answers 412; keys are files, so that a and a/b can not both be; lifecycle calls are not implemented.
type S3 struct {
	URL       string // http://127.0.0.1:port; path style
	Region    string
	AccessKey string
	SecretKey string
	Root      string // its folders are the buckets
	server    *server
}

// StartS3 starts an S3 server without buckets.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	program := tool(t, "bin", "versitygw-"+VersityGW)
	dir, port := t.TempDir(), FreePort(t)
	root, versions := filepath.Join(dir, "root"), filepath.Join(dir, "versions")
	for _, folder := range []string{root, versions} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s := &S3{Region: "us-east-1", AccessKey: "test", SecretKey: "testsecret", Root: root}
	s.server = start(t, port, func() *exec.Cmd {
		cmd := exec.Command(program, "--port", "127.0.0.1:"+strconv.Itoa(port), "--region", s.Region, "--quiet", "posix", "--versioning-dir", versions, root)
		cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
		return cmd
	})
	s.URL = "http://" + s.server.address
	return s
}

// Kill ends the server as a power cut does; Restart starts it again on the same folder and port.
func (s *S3) Kill() { s.server.kill() }

// Restart starts a killed server again.
func (s *S3) Restart() { s.server.start() }
