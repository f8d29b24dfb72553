package samtest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestLint lets cfn-lint look at the template: it knows each property of each resource, and what SAM makes of the template.
func TestLint(t *testing.T) {
	t.Parallel()
	if out, err := lint(t, root+"/template.yaml"); err != nil {
		t.Errorf("cfn-lint: %v\n%s", err, out)
	}
}

// TestLintFinds proves that it looks: at a property that is none, and at a time-out that is too long.
func TestLintFinds(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(root + "/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.NewReplacer("maxReceiveCount: 5", "maxReceiveCounts: 5", "Timeout: 600", "Timeout: 901").Replace(string(text))
	file := t.TempDir() + "/template.yaml"
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := lint(t, file)
	if err == nil || !strings.Contains(out, "maxReceiveCounts") || !strings.Contains(out, "901") {
		t.Errorf("cfn-lint finds too little: %v\n%s", err, out)
	}
}

// lint runs cfn-lint. It can not be installed by make, so a machine may lack it; in the continuous integration it must be there.
func lint(t *testing.T, file string) (string, error) {
	t.Helper()
	tool, err := exec.LookPath("cfn-lint")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("cfn-lint is not on this machine: pip install cfn-lint")
		}
		t.Skip("cfn-lint is not on this machine (pip install cfn-lint): template.yaml is not checked")
	}
	out, err := exec.CommandContext(t.Context(), tool, "--template", file).CombinedOutput()
	return string(out), err
}
