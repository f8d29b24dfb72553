package scfruntest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Build compiles a main package as a deployment does, and gives the binary. pkg is an import path, or a folder that begins
// with a dot.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	dir := t.TempDir()
	if err := Compile(dir, pkg); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, filepath.Base(pkg))
}

// Compile compiles main packages as a deployment does but for this machine, each to a binary of its last name in dir. Before
// the packages may stand flags of the go command, such as -tags=s3.
func Compile(dir string, pkgs ...string) error {
	args := append([]string{"build", "-trimpath", "-ldflags", "-s -w", "-o", dir + string(filepath.Separator)}, pkgs...)
	if _, err := runGo(args...); err != nil {
		return err
	}
	return touchSources(pkgs)
}

// touchSources looks at each source file that the packages are made of: the go command remembers a test's result for as long as
// the files that it looked at are the same, and knows nothing of what the test compiles.
func touchSources(pkgs []string) error {
	const files = `{{if not .Standard}}{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}`
	out, err := runGo(append([]string{"list", "-deps", "-f", files}, pkgs...)...)
	if err != nil {
		return err
	}
	for file := range strings.Lines(out) {
		if _, err := os.Stat(strings.TrimSpace(file)); err != nil {
			return fmt.Errorf("look at source: %w", err)
		}
	}
	return nil
}

func runGo(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, problems.String())
	}
	return string(out), nil
}
