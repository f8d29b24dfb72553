// Package serverlesstest reads what is shipped for Tencent Cloud (serverless.yml and the roles' policies beside the functions) as the
// deploy tool and CAM do, so that tests can ask what a function is given: its variables, its limits, its rights.
package serverlesstest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Root is the repository's folder: the one with serverless.yml.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "serverless.yml"))
		if err == nil {
			return dir
		}
		if !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			t.Fatalf("find serverless.yml: %v", err)
		}
		dir = filepath.Dir(dir)
	}
}

// read gives a file of the repository.
func read(t testing.TB, path ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{Root(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
