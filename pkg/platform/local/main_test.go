package local_test

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets garbage lie longer: these tests live some thousand short lives, and a quarter of their time went to collecting.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

// folder is a new folder for an archive, in memory where the system has such: what a fault leaves behind is seen without a disk, and
// that each write is synced, package dirbucket's own tests look at.
func folder(t *testing.T) string {
	t.Helper()
	const memory = "/dev/shm" // Linux
	dir, err := os.MkdirTemp(memory, "kycvault-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
