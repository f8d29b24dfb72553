package peertest

import (
	"os/exec"
	"testing"
)

// Program finds a program of the machine that tests check our results with, such as openssl.
func Program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name+" is not on this machine")
	}
	return path
}
