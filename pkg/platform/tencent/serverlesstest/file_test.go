package serverlesstest_test

import (
	_ "embed"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/tencent/serverlesstest"
)

// environ is what one deploys with: a value for each ${env:…} of the file.
func environ() map[string]string {
	return map[string]string{
		"SCF_REGION": "ap-guangzhou", "CLS_LOGSET_ID": "logset-1", "CLS_TOPIC_ID": "topic-1",
		"KYC_APP_ID": "IDAXXXXX", "KYC_SECRET": "an-app-secret", "KYC_TICKET": "own",
		"KYC_ARCHIVE":     "cos://vault-1250000000/kyc?region=ap-guangzhou",
		"KYC_WEBHOOK_KEY": "a-webhook-key-of-thirty-two-bytes-or-more",
	}
}

// sealing is environ of who wants seals too.
func sealing() map[string]string {
	all := environ()
	all["KYC_SEAL_KEY"] = sealKey
	all["KYC_SEAL_EVERY"], all["KYC_SEAL_GRACE"] = "12h", "10m"
	all["KYC_TSA_URL"], all["KYC_TSA_CA"] = "https://tsa.example.com/tsr", authority
	return all
}

// authority is the root of a timestamp authority that does not exist.
//
//go:embed testdata/authority.pem
var authority string

// sealKey is the private key of pkg/seal's vectors.
const sealKey = "PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

// needs are the parts that each function has.
var needs = map[string]platform.Needs{
	"webhook": platform.NeedAll,
	"pull":    platform.NeedUpstream | platform.NeedArchive,
	"refetch": platform.NeedUpstream | platform.NeedArchive,
}

// TestVariablesAreSet: what the file gives each function is a whole configuration, and right.
func TestVariablesAreSet(t *testing.T) {
	f := serverlesstest.Load(t, environ())
	for _, function := range serverlesstest.Functions() {
		c, err := f.Config(function, needs[function])
		if err != nil {
			t.Errorf("%s:\n%v", function, err)
			continue
		}
		if c.Archive.Scheme != platform.SchemeCOS || !c.OwnTicket {
			t.Errorf("%s has the archive %s, own ticket %t", function, c.Archive, c.OwnTicket)
		}
		want := f.Inputs.Functions["pull"].Name
		if function == "pull" {
			want = "" // it calls nobody
		}
		if c.PullFunction != want {
			t.Errorf("%s would call %q as pull, want %q", function, c.PullFunction, want)
		}
		if keys := len(c.WebhookKeys); (keys > 0) != (function == "webhook") {
			t.Errorf("%s has %d webhook keys", function, keys)
		}
	}
}

// TestSealing: what seals go by comes from the environment, and refetch alone gets it; without it, and with values that are empty,
// nothing is sealed.
func TestSealing(t *testing.T) {
	f := serverlesstest.Load(t, sealing())
	for _, function := range serverlesstest.Functions() {
		c, err := f.Config(function, needs[function])
		if err != nil {
			t.Fatal(err)
		}
		got := []string{c.SealKey.Reveal(), c.SealEvery.String(), c.SealGrace.String(), c.TSAURL, c.TSACA}
		want := []string{"", "24h0m0s", "30m0s", "", ""}
		if function == "refetch" {
			want = []string{sealKey, "12h0m0s", "10m0s", "https://tsa.example.com/tsr", strings.TrimSpace(authority)}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", function, diff)
		}
	}
	empty := environ()
	for name := range sealing() {
		if _, always := empty[name]; !always {
			empty[name] = ""
		}
	}
	for _, values := range []map[string]string{environ(), empty} {
		c, err := serverlesstest.Load(t, values).Config("refetch", needs["refetch"])
		if err != nil || !c.SealKey.Empty() || c.SealEvery != 24*time.Hour || c.TSAURL != "" {
			t.Errorf("without seals: %v, key %t, every %s", err, !c.SealKey.Empty(), c.SealEvery)
		}
	}
}

// TestMissingValue: a value that is not there when one deploys is told by the function, by its name.
func TestMissingValue(t *testing.T) {
	for name := range environ() {
		if !strings.HasPrefix(name, platform.Prefix) {
			continue
		}
		values := environ()
		delete(values, name)
		_, err := serverlesstest.Load(t, values).Config("webhook", platform.NeedAll)
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "undefined") {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestVariablesExist: every variable that the file names, in a comment too, is one that the code reads, and it names every
// one of them but those of the other cloud.
func TestVariablesExist(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(serverlesstest.Root(t), "serverless.yml"))
	if err != nil {
		t.Fatal(err)
	}
	named, known := map[string]bool{}, map[string]bool{}
	for _, name := range regexp.MustCompile(`\bKYC_\w+`).FindAllString(string(text), -1) {
		named[name] = true
	}
	for _, v := range platform.Variables() {
		if !strings.HasPrefix(v.What, "AWS: ") {
			known[v.Name] = true
		}
	}
	if diff := cmp.Diff(known, named); diff != "" {
		t.Errorf("variables (-of the code +of serverless.yml):\n%s", diff)
	}
	for _, match := range regexp.MustCompile(`(?m)# (KYC_\w+): (\S+)`).FindAllStringSubmatch(string(text), -1) {
		wantDefault(t, match[1], match[2])
	}
}

// wantDefault: a line that is only to be uncommented has the default, or comes from the environment.
func wantDefault(t *testing.T, name, value string) {
	t.Helper()
	i := slices.IndexFunc(platform.Variables(), func(v platform.Variable) bool { return v.Name == name })
	if i < 0 {
		return
	}
	v := platform.Variables()[i]
	if v.Default == "" && (value == "${env:"+name+"}" || strings.HasPrefix(value, "https://")) || value == v.Default {
		return
	}
	t.Errorf("the comment gives %s the value %q; its default is %q", name, value, v.Default)
}

// TestSecretsAreParameters: no secret stands in the file.
func TestSecretsAreParameters(t *testing.T) {
	const planted = "planted-in-the-environment-for-this-test"
	values := environ()
	for _, v := range platform.Variables() {
		if v.Secret {
			values[v.Name] = planted
		}
	}
	f := serverlesstest.Load(t, values)
	for _, function := range serverlesstest.Functions() {
		for _, v := range platform.Variables() {
			if value, set := f.Environment(function)[v.Name]; v.Secret && set && value != planted {
				t.Errorf("%s of %s does not come from the environment", v.Name, function)
			}
		}
	}
}

// TestHandlers: what a function starts is a program of this repository, and the package that is uploaded is what make builds.
func TestHandlers(t *testing.T) {
	f := serverlesstest.Load(t, environ())
	if diff := cmp.Diff(slices.Sorted(slices.Values(serverlesstest.Functions())), slices.Sorted(maps.Keys(f.Inputs.Functions))); diff != "" {
		t.Errorf("functions (-of the house +of serverless.yml):\n%s", diff)
	}
	for key, function := range f.Inputs.Functions {
		if function.Handler != key {
			t.Errorf("the handler of %s is %q", key, function.Handler)
		}
		wantProgram(t, filepath.Join(serverlesstest.Root(t), "functions", "tencent", function.Handler))
	}
	if f.Inputs.Src.Src != "./bin/tencent" || f.Inputs.Runtime != "Go1" || f.Inputs.Type != "event" || f.Component != "multi-scf" {
		t.Errorf("the package is %q for %s, %s functions of %s", f.Inputs.Src.Src, f.Inputs.Runtime, f.Inputs.Type, f.Component)
	}
	makefile, err := os.ReadFile(filepath.Join(serverlesstest.Root(t), "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"SCF_FUNCTIONS := " + strings.Join(serverlesstest.Functions(), " ") + "\n", "GOOS=linux GOARCH=amd64", "-o bin/tencent/$$name ./functions/tencent/$$name"} {
		if !strings.Contains(string(makefile), part) {
			t.Errorf("the Makefile lacks %q", part)
		}
	}
}

// wantProgram: the folder is a Go program.
func wantProgram(t *testing.T, folder string) {
	t.Helper()
	packages, err := parser.ParseDir(token.NewFileSet(), folder, func(i fs.FileInfo) bool { return !strings.HasSuffix(i.Name(), "_test.go") }, parser.PackageClauseOnly) //nolint:staticcheck // one folder, no build tags
	if err != nil || packages["main"] == nil {
		t.Errorf("%s is no program: %v", folder, err)
	}
}

// every is the step of a cron expression that says "every n minutes, on the minute".
var every = regexp.MustCompile(`^0 \*/(\d+) \* \* \* \* \*$`)

// TestTimer: the timer says what KYC_REFETCH_EVERY says, in seven fields, and the hour is a multiple of it.
func TestTimer(t *testing.T) {
	f := serverlesstest.Load(t, environ())
	for _, trigger := range f.Inputs.Triggers {
		if trigger.Type != "timer" {
			continue
		}
		match := every.FindStringSubmatch(trigger.Parameters.CronExpression)
		if match == nil {
			t.Fatalf("the timer's expression is %q", trigger.Parameters.CronExpression)
		}
		minutes, _ := strconv.Atoi(match[1])
		for _, function := range serverlesstest.Functions() {
			if c, _ := f.Config(function, 0); c.RefetchEvery != time.Duration(minutes)*time.Minute || 60%minutes != 0 {
				t.Errorf("the timer fires every %d minutes, and %s believes %s", minutes, function, c.RefetchEvery)
			}
		}
		if trigger.Function != "refetch" || !trigger.Parameters.Enable {
			t.Errorf("the timer of %s is enabled: %t", trigger.Function, trigger.Parameters.Enable)
		}
		return
	}
	t.Error("there is no timer")
}

// What the service's client takes for one query at most, apart from the reply's bytes (pkg/faceid, Limits): connecting, the first
// byte, and silence.
const oneQuery = 10*time.Second + 30*time.Second + 30*time.Second

// TestLimits: time-outs, memory and waiting times fit to each other and to the platform (document 583/11637).
func TestLimits(t *testing.T) {
	f := serverlesstest.Load(t, environ())
	c, err := f.Config("refetch", 0)
	if err != nil {
		t.Fatal(err)
	}
	const slow = 1 << 20 // bytes a second: 8 Mbit/s
	chain := time.Duration(c.Steps) * (oneQuery + c.StepDelay)
	if least := chain + 512<<20/slow*time.Second; f.Limit("pull") < least {
		t.Errorf("pull is stopped after %s, and may take %s", f.Limit("pull"), least)
	}
	refetch := f.Inputs.Functions["refetch"]
	if late := time.Duration(refetch.MsgTTL)*time.Second + f.Limit("refetch"); late > c.RefetchEvery {
		t.Errorf("a pass may go on until %s after its time, and the next one begins after %s", late, c.RefetchEvery)
	}
	if pull := f.Inputs.Functions["pull"]; time.Duration(pull.MsgTTL)*time.Second > c.RefetchEvery {
		t.Errorf("an event may wait for %d s, and its order is handed out again after %s", pull.MsgTTL, c.RefetchEvery)
	}
	if f.Limit("webhook") < 25*time.Second {
		t.Errorf("webhook is stopped after %s, and may wait 25 s for a ticket", f.Limit("webhook"))
	}
	for key, function := range f.Inputs.Functions {
		wantPlatform(t, key, function)
	}
}

func wantPlatform(t *testing.T, key string, f serverlesstest.Function) {
	t.Helper()
	if f.Timeout < 1 || f.Timeout > 900 || f.MemorySize%128 != 0 || f.MemorySize > 3072 || f.DiskSize != 512 {
		t.Errorf("%s has %d s, %d MB, %d MB of disk", key, f.Timeout, f.MemorySize, f.DiskSize)
	}
	if f.Async != (key != "webhook") || f.Async != (f.RetryNum != nil && f.MsgTTL > 0) {
		t.Errorf("%s is asynchronous: %t, with retries %v and a stay of %d s", key, f.Async, f.RetryNum, f.MsgTTL)
	}
	if f.RetryNum != nil && (*f.RetryNum < 0 || *f.RetryNum > 2) || f.MsgTTL > 6*3600 {
		t.Errorf("%s: %d retries within %d s", key, *f.RetryNum, f.MsgTTL)
	}
	size := 0
	for name, value := range f.Environment.Variables {
		size += len(name) + len(value)
	}
	if size > 1<<10 { // of the 4 KB, with what a long key or URL may add
		t.Errorf("the environment of %s has %d bytes", key, size)
	}
	if !regexp.MustCompile(`^[a-z][a-z0-9-]{0,58}[a-z0-9]$`).MatchString(f.Name) || f.Role != f.Name {
		t.Errorf("%s is named %q, its role %q", key, f.Name, f.Role)
	}
}
