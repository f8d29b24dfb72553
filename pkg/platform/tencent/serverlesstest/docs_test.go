package serverlesstest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/platform/tencent/serverlesstest"
)

func repositoryFile(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{serverlesstest.Root(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDocsParameters: docs/tencent.md names every value that serverless.yml wants from the environment, and fills in every
// name that the policies have.
func TestDocsParameters(t *testing.T) {
	docs := repositoryFile(t, "docs", "tencent.md")
	for _, match := range regexp.MustCompile(`(?m)^[^#\n]*\$\{env:(\w+)\}`).FindAllStringSubmatch(repositoryFile(t, "serverless.yml"), -1) {
		if !strings.Contains(docs, "`"+match[1]+"`") {
			t.Errorf("docs/tencent.md has no parameter %s", match[1])
		}
		if _, ok := sealing()[match[1]]; !ok {
			t.Errorf("the tests give no value for %s", match[1])
		}
	}
	for _, function := range serverlesstest.Functions() {
		for _, match := range regexp.MustCompile(`\$\{(\w+)\}`).FindAllStringSubmatch(repositoryFile(t, "functions", "tencent", function, "policy.json"), -1) {
			if !regexp.MustCompile(`(?m)^export .*\b` + match[1] + `=`).MatchString(docs) {
				t.Errorf("docs/tencent.md does not set %s, which the policy of %s needs", match[1], function)
			}
		}
	}
}

// TestDocsNumbers: numbers that stand in docs/tencent.md are the file's.
func TestDocsNumbers(t *testing.T) {
	docs, f := repositoryFile(t, "docs", "tencent.md"), serverlesstest.Load(t, environ())
	pull, refetch := f.Inputs.Functions["pull"], f.Inputs.Functions["refetch"]
	for _, text := range []string{
		fmt.Sprintf("--FunctionName %s --ReservedConcurrencyMem %d", refetch.Name, refetch.MemorySize),
		fmt.Sprintf("a pass ends within %d s, and begins at most %d s late", refetch.Timeout, refetch.MsgTTL),
		fmt.Sprintf("stays %d s (`msgTTL`)", pull.MsgTTL),
		fmt.Sprintf("%d s an invocation", pull.Timeout),
		fmt.Sprintf("%d pulls at a time", 128000/pull.MemorySize),
		"tencent-component-toolkit 2.27.6",
	} {
		if !strings.Contains(docs, text) {
			t.Errorf("docs/tencent.md does not say %q", text)
		}
	}
}
