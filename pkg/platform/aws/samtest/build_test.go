package samtest_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestBuild asks make what it would do for `sam build`, which calls build-<logical id> with ARTIFACTS_DIR set ("Building
// custom runtimes"). What comes of it is run by the tests of the functions.
func TestBuild(t *testing.T) {
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("make is not on this machine")
	}
	s := stack(t, least())
	for _, function := range s.Functions() {
		r := s.Resources[function]
		if r.Build != "makefile" || r.Properties["CodeUri"] != "." {
			t.Errorf("%s: built by %q in %v", function, r.Build, r.Properties["CodeUri"])
		}
		if r.Properties["Handler"] != "bootstrap" || r.Properties["Runtime"] != "provided.al2023" {
			t.Errorf("%s runs as %v on %v", function, r.Properties["Handler"], r.Properties["Runtime"])
		}
		name := strings.ToLower(strings.TrimSuffix(function, "Function"))
		const build = `CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build -tags lambda.norpc -trimpath -ldflags="-s -w"`
		if got, want := dryRun(t, "build-"+function, "ARTIFACTS_DIR=/artifacts"), build+" -o /artifacts/bootstrap ./functions/aws/"+name+"\n"; got != want {
			t.Errorf("make build-%s: %s", function, got)
		}
		if want := build + " -o bin/aws/" + name + "/bootstrap ./functions/aws/" + name + "\n"; !strings.Contains(dryRun(t, "functions"), want) {
			t.Errorf("make functions leaves out %s", name)
		}
	}
}

func dryRun(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", append([]string{"-n", "GO=go"}, args...)...)
	cmd.Dir = root
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MAKE") || strings.HasPrefix(v, "MFLAGS") })
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make -n %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
