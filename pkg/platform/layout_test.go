package platform

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// The arrows of the house (DESIGN section 2), proven on what the compiler sees. The linter says the same earlier and with a
// line number, but knows direct imports only.

const module = "github.com/kycvault/kycvault"

// graph is the non-test imports of packages: those of the module, and everything below them.
type graph map[string][]string

// arrow forbids packages to depend on others, directly or not. Both are patterns for path.Match, of which a whole first
// part of an import path is enough.
type arrow struct {
	why    string
	from   []string
	except []string // of from
	to     []string
	direct bool // only what stands in the package's own files counts
	native bool // it holds without the build tags that link the other cloud's bucket
}

var sdks = []string{"github.com/aws", "github.com/tencentyun", "github.com/tencentcloud"}

var arrows = []arrow{
	{why: "the core links no SDK", from: []string{module + "/pkg/kyc", module + "/pkg/archive", module + "/pkg/seal"}, to: sdks},
	{why: "the core knows no driver and no platform", from: []string{module + "/pkg/kyc", module + "/pkg/archive"},
		to: []string{module + "/pkg/bucket/*", module + "/pkg/platform", module + "/functions"}},
	{why: "each SDK stays in its driver packages", from: []string{module}, direct: true, to: sdks,
		except: []string{module + "/pkg/bucket/s3bucket", module + "/pkg/bucket/cosbucket", module + "/pkg/delay",
			module + "/pkg/platform/aws", module + "/pkg/platform/tencent", module + "/functions", module + "/cmd/kycvault-bench/bare", module + "/cmd/kycvault-bench/barescf"}},
	{why: "a function links no config loader: it doubles the cold start",
		from: []string{module + "/functions", module + "/pkg/platform/aws"}, except: []string{module + "/pkg/platform/aws/profile"},
		to: []string{"github.com/aws/aws-sdk-go-v2/config", module + "/pkg/platform/aws/profile"}},
	{why: "a function links its own cloud only, unless a build tag says so", native: true,
		from: []string{module + "/functions/aws", module + "/pkg/platform/aws"}, to: []string{"github.com/tencentyun", "github.com/tencentcloud"}},
	{why: "a function links its own cloud only, unless a build tag says so", native: true,
		from: []string{module + "/functions/tencent", module + "/pkg/platform/tencent"}, to: []string{"github.com/aws"}},
	{why: "a build tag brings the other cloud's bucket, and nothing else of it",
		from: []string{module + "/functions/aws", module + "/pkg/platform/aws"},
		to:   []string{"github.com/tencentyun/scf-go-lib", "github.com/tencentcloud", module + "/pkg/delay/scf"}},
	{why: "a build tag brings the other cloud's bucket, and nothing else of it",
		from: []string{module + "/functions/tencent", module + "/pkg/platform/tencent"},
		to:   []string{"github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2/service/sqs", module + "/pkg/delay/sqs"}},
	{why: "the fake service has no way into production",
		from: []string{module + "/functions", module + "/pkg/platform/aws", module + "/pkg/platform/tencent"},
		to:   []string{module + "/pkg/faceid/faceidtest", module + "/pkg/bucket/cosbucket/costest"}},
}

// within tells whether pkg is one of the patterns or below one.
func within(pkg string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		parts := strings.Split(pkg, "/")
		depth := min(len(parts), strings.Count(pattern, "/")+1)
		ok, _ := path.Match(pattern, strings.Join(parts[:depth], "/"))
		return ok
	})
}

// broken lists "package → package" for each dependence that an arrow forbids.
func (g graph) broken(a arrow) []string {
	var all []string
	for pkg := range g {
		if !within(pkg, a.from) || within(pkg, a.except) {
			continue
		}
		for _, dep := range g.reach(pkg, a.direct) {
			if within(dep, a.to) {
				all = append(all, pkg+" → "+dep)
			}
		}
	}
	slices.Sort(all)
	return all
}

// reach is what a package imports, or, if not only directly, everything that is linked with it.
func (g graph) reach(pkg string, direct bool) []string {
	if direct {
		return g[pkg]
	}
	var seen []string
	for todo := slices.Clone(g[pkg]); len(todo) > 0; {
		next := todo[0]
		todo = todo[1:]
		if !slices.Contains(seen, next) {
			seen = append(seen, next)
			todo = append(todo, g[next]...)
		}
	}
	return seen
}

func TestLayout(t *testing.T) {
	for _, tags := range []string{"", "cos,s3"} {
		g := list(t, tags)
		if len(g[module+"/pkg/kyc"]) == 0 {
			t.Fatal("pkg/kyc is not in the graph: nothing would be proven")
		}
		linked := slices.Contains(g.reach(module+"/functions/aws/pull", false), module+"/pkg/bucket/cosbucket") &&
			slices.Contains(g.reach(module+"/functions/tencent/pull", false), module+"/pkg/bucket/s3bucket")
		if linked != (tags != "") {
			t.Errorf("with the tags %q the other cloud's bucket is linked: %t", tags, linked)
		}
		for _, a := range arrows {
			if a.native && tags != "" {
				continue
			}
			for _, b := range g.broken(a) {
				t.Errorf("with the tags %q: %s: %s", tags, a.why, b)
			}
		}
	}
}

// list asks the go command for the module's packages and all that they link.
func list(t *testing.T, tags string) graph {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-tags="+tags, "-deps", "-json=ImportPath,Imports", module+"/...")
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			t.Fatalf("go list: %v: %s", err, failed.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	g := graph{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return g
		} else if err != nil {
			t.Fatal(err)
		}
		g[p.ImportPath] = p.Imports
	}
}

// TestArrowsBreak proves that each arrow notices what it is there for.
func TestArrowsBreak(t *testing.T) {
	sdk := "github.com/aws/aws-sdk-go-v2/service/s3"
	loader, profile := "github.com/aws/aws-sdk-go-v2/config", module+"/pkg/platform/aws/profile"
	fake := module + "/pkg/faceid/faceidtest"
	queue, runtime := "github.com/aws/aws-sdk-go-v2/service/sqs", "github.com/tencentyun/scf-go-lib/functioncontext"
	g := graph{
		module + "/pkg/kyc":                 {module + "/pkg/archive"},
		module + "/pkg/archive":             {module + "/pkg/bucket", module + "/pkg/helper"},
		module + "/pkg/helper":              {module + "/pkg/bucket/s3bucket"},
		module + "/pkg/bucket/s3bucket":     {sdk},
		module + "/functions/aws/pull":      {module + "/pkg/platform/aws"},
		module + "/pkg/platform/aws":        {module + "/pkg/setup", sdk},
		module + "/functions/tencent/pull":  {module + "/pkg/bucket/s3bucket", queue},
		module + "/functions/aws/webhook":   {module + "/pkg/platform/tencent"},
		module + "/pkg/platform/tencent":    {runtime},
		module + "/pkg/setup":               {fake, profile},
		profile:                             {loader},
		module + "/cmd/kycvault":            {fake, sdk},
		module + "/pkg/platform/local":      {fake},
		"github.com/aws/aws-sdk-go-v2/core": {sdk},
	}
	want := [][]string{
		{module + "/pkg/archive → " + sdk, module + "/pkg/kyc → " + sdk},
		{module + "/pkg/archive → " + module + "/pkg/bucket/s3bucket", module + "/pkg/kyc → " + module + "/pkg/bucket/s3bucket"},
		{module + "/cmd/kycvault → " + sdk},
		{module + "/functions/aws/pull → " + loader, module + "/functions/aws/pull → " + profile,
			module + "/pkg/platform/aws → " + loader, module + "/pkg/platform/aws → " + profile},
		{module + "/functions/aws/webhook → " + runtime},
		{module + "/functions/tencent/pull → " + sdk, module + "/functions/tencent/pull → " + queue},
		{module + "/functions/aws/webhook → " + runtime},
		{module + "/functions/tencent/pull → " + queue},
		{module + "/functions/aws/pull → " + fake, module + "/pkg/platform/aws → " + fake},
	}
	for i, a := range arrows {
		if got := g.broken(a); !slices.Equal(got, want[i]) {
			t.Errorf("%s: broken by %q, want %q", a.why, got, want[i])
		}
	}
}
