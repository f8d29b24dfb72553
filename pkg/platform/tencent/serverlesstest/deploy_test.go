package serverlesstest_test

import (
	"bytes"
	_ "embed"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform/tencent/serverlesstest"
)

//go:embed deploy.js
var deployScript string

// deploy runs the file through the deploy library, and gives the changes that it made.
func deploy(t *testing.T, c *cloud, f *serverlesstest.File) []call {
	t.Helper()
	cmd := peertest.Toolkit(t, deployScript, c.port())
	cmd.Stdin = bytes.NewReader(f.JSON())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("deploy: %v\n%s", err, out)
	}
	return c.taken()
}

// meant is what each function is meant to be: written down once more, so that a slip in serverless.yml shows.
var meant = map[string]call{
	"kycvault-prod-pull": {
		"Handler": "pull", "Role": "kycvault-prod-pull", "MemorySize": "256", "Timeout": "900", "AsyncRunEnable": "TRUE",
	},
	"kycvault-prod-refetch": {
		"Handler": "refetch", "Role": "kycvault-prod-refetch", "MemorySize": "256", "Timeout": "240", "AsyncRunEnable": "TRUE",
	},
	"kycvault-prod-webhook": {
		"Handler": "webhook", "Role": "kycvault-prod-webhook", "MemorySize": "128", "Timeout": "30",
	},
}

// meantForAll is the same for each function.
var meantForAll = call{
	"Action": "CreateFunction", "Region": "ap-guangzhou", "Namespace": "default", "Runtime": "Go1", "Type": "Event", "DeployMode": "code", "DiskSize": "512",
	"Description": "kycvault keeps the evidence of face checks.", "ClsLogsetId": "logset-1", "ClsTopicId": "topic-1",
	"PublicNetConfig.PublicNetStatus": "ENABLE", "PublicNetConfig.EipConfig.EipStatus": "DISABLE",
	"Code.CosBucketName": "code", "Code.CosObjectName": "package.zip", "InstallDependency": "FALSE", "L5Enable": "FALSE",
}

// TestDeploy: the calls that the deploy library makes of serverless.yml are the ones that were meant, all of them.
func TestDeploy(t *testing.T) {
	c, f := newCloud(t), serverlesstest.Load(t, environ())
	first := deploy(t, c, f)

	created := of(first, "CreateFunction")
	for key, function := range f.Inputs.Functions {
		want := call{"FunctionName": function.Name}
		maps.Copy(want, meantForAll)
		maps.Copy(want, meant[function.Name])
		maps.Copy(want, variables(f.Environment(key)))
		if diff := cmp.Diff(want, created[function.Name]); diff != "" {
			t.Errorf("%s (-meant +called):\n%s", key, diff)
		}
	}
	wantRetries(t, of(first, "UpdateFunctionEventInvokeConfig"))
	wantTriggers(t, of(first, "CreateTrigger"))
	wantActions(t, first, map[string]int{"CreateFunction": 3, "UpdateFunctionEventInvokeConfig": 2, "CreateTrigger": 2, "CreateTag": 6, "AttachResourcesTag": 6})

	// A second deploy changes what is there, and neither makes nor removes anything.
	second := deploy(t, c, f)
	wantRetries(t, of(second, "UpdateFunctionEventInvokeConfig"))
	wantActions(t, second, map[string]int{"UpdateFunctionCode": 3, "UpdateFunctionConfiguration": 3, "UpdateFunctionEventInvokeConfig": 2,
		"UpdateTrigger": 1, "CreateTag": 6, "AttachResourcesTag": 6})
	updated := of(second, "UpdateTrigger")["kycvault-prod-webhook"]
	if updated["TriggerDesc"] != functionURL["TriggerDesc"] || updated["TriggerName"] != "url" {
		t.Errorf("the function URL became %v", updated)
	}
}

// TestDeploySeals: a key, and certificates of several lines, reach refetch as they are, and nobody else.
func TestDeploySeals(t *testing.T) {
	c, f := newCloud(t), serverlesstest.Load(t, sealing())
	created := of(deploy(t, c, f), "CreateFunction")
	for key, function := range f.Inputs.Functions {
		got := map[string]string{}
		for name, value := range created[function.Name] {
			if index, is := strings.CutSuffix(name, ".Key"); is {
				got[value] = created[function.Name][index+".Value"]
			}
		}
		if diff := cmp.Diff(f.Environment(key), got); diff != "" {
			t.Errorf("%s (-of the file +called):\n%s", key, diff)
		}
		for name, value := range map[string]string{"KYC_SEAL_KEY": sealKey, "KYC_TSA_CA": authority} {
			if key != "refetch" {
				value = ""
			}
			if got[name] != value {
				t.Errorf("%s has %d bytes of %s, want %d", key, len(got[name]), name, len(value))
			}
		}
	}
}

// variables are an environment as the API has it.
func variables(environment map[string]string) call {
	p := call{}
	for i, name := range slices.Sorted(maps.Keys(environment)) {
		prefix := "Environment.Variables." + strconv.Itoa(i)
		p[prefix+".Key"], p[prefix+".Value"] = name, environment[name]
	}
	return p
}

func wantRetries(t *testing.T, called map[string]call) {
	t.Helper()
	retries := func(name, retries, stay string) call {
		return call{"Action": "UpdateFunctionEventInvokeConfig", "Region": "ap-guangzhou", "Namespace": "default", "FunctionName": name,
			"AsyncTriggerConfig.RetryConfig.0.RetryNum": retries, "AsyncTriggerConfig.MsgTTL": stay}
	}
	want := map[string]call{
		"kycvault-prod-pull":    retries("kycvault-prod-pull", "1", "300"),
		"kycvault-prod-refetch": retries("kycvault-prod-refetch", "0", "60"),
	}
	if diff := cmp.Diff(want, called); diff != "" {
		t.Errorf("asynchronous retries (-meant +called):\n%s", diff)
	}
}

var functionURL = call{
	"Action": "CreateTrigger", "Region": "ap-guangzhou", "Namespace": "default", "FunctionName": "kycvault-prod-webhook", "Type": "http", "TriggerName": "url",
	"Qualifier": "$DEFAULT", "Enable": "OPEN", "TriggerDesc": `{"AuthType":"NONE","NetConfig":{"EnableIntranet":false,"EnableExtranet":true}}`,
}

func wantTriggers(t *testing.T, called map[string]call) {
	t.Helper()
	want := map[string]call{
		"kycvault-prod-webhook": functionURL,
		"kycvault-prod-refetch": {
			"Action": "CreateTrigger", "Region": "ap-guangzhou", "Namespace": "default", "FunctionName": "kycvault-prod-refetch", "Type": "timer",
			"TriggerName": "every-5-minutes", "Qualifier": "$DEFAULT", "Enable": "OPEN", "TriggerDesc": "0 */5 * * * * *", "CustomArgument": "refetch",
		},
	}
	if diff := cmp.Diff(want, called); diff != "" {
		t.Errorf("triggers (-meant +called):\n%s", diff)
	}
}

// wantActions counts the calls, so that none stays unseen.
func wantActions(t *testing.T, changes []call, want map[string]int) {
	t.Helper()
	got := map[string]int{}
	for _, p := range changes {
		got[p["Action"]]++
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-meant +made):\n%s", diff)
	}
}

// TestNowhereElse: the deploy library gets no connection but to the API server.
func TestNowhereElse(t *testing.T) {
	c := newCloud(t)
	script := deployScript + `net.connect(443, "192.0.2.1");`
	if out, err := peertest.Toolkit(t, script, c.port()).CombinedOutput(); err == nil || !bytes.Contains(out, []byte("192.0.2.1:443")) {
		t.Errorf("a connection to 192.0.2.1 went unnoticed: %v\n%s", err, out)
	}
}
