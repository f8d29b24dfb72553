package samtest_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/aws/samtest"
)

// needs are what each function asks platform.Load for.
var needs = map[string]platform.Needs{
	"WebhookFunction": platform.NeedAll | platform.NeedQueue,
	"PullFunction":    platform.NeedUpstream | platform.NeedArchive | platform.NeedQueue,
	"RefetchFunction": platform.NeedUpstream | platform.NeedArchive | platform.NeedQueue,
}

// load reads a function's environment as the function does.
func load(t *testing.T, s *samtest.Stack, function string) (platform.Config, map[string]string, error) {
	t.Helper()
	env, err := s.Environment(function)
	if err != nil {
		t.Fatal(err)
	}
	c, err := platform.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, needs[function])
	return c, env, err
}

// TestEnvironment: with each choice that the parameters give, every function gets an environment that it starts with.
func TestEnvironment(t *testing.T) {
	full := everything()
	full["WebhookAuth"] = "jwt"
	for name, parameters := range map[string]map[string]string{
		"defaults": least(), "everything": full,
		"ticket service":               with(full, map[string]string{"Ticket": "https://tickets.example.com/v1/ticket"}),
		"ticket service without token": service(),
		"governance":                   with(least(), map[string]string{"ObjectLock": "governance", "RetainDays": "1"}),
		"seals without timestamps":     with(least(), map[string]string{"Seal": "yes"}),
		"any authority's timestamps":   with(least(), map[string]string{"Seal": "yes", "TsaUrl": "https://tsa.example.com"}),
		"shortest":                     with(least(), map[string]string{"StepDelay": "0s", "Deadline": "1h", "Steps": "1"}),
	} {
		s := stack(t, parameters)
		if !slices.Equal(s.Functions(), slices.Sorted(maps.Keys(needs))) {
			t.Fatalf("functions are %q", s.Functions())
		}
		for _, function := range s.Functions() {
			c, env, err := load(t, s, function)
			if err != nil {
				t.Errorf("%s: %s does not start: %v", name, function, err)
				continue
			}
			if c.QueueURL == "" || c.Archive.Bucket != s.Bucket() || c.Archive.Prefix != strings.TrimSuffix(s.Prefix(), "/") {
				t.Errorf("%s: %s has queue %q, archive %s", name, function, c.QueueURL, c.Archive)
			}
			if unknown := platform.Unknown(list(env)); len(unknown) > 0 {
				t.Errorf("%s: nothing reads %q of %s", name, unknown, function)
			}
		}
	}
}

// list is an environment as os.Environ gives it.
func list(env map[string]string) []string {
	var all []string
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	return all
}

// TestEnvironmentHoldsChoices follows some choices into the configuration.
func TestEnvironmentHoldsChoices(t *testing.T) {
	full := everything()
	full["WebhookAuth"] = "jwt"
	c, env, err := load(t, stack(t, full), "WebhookFunction")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"lock": "compliance", "retain": "36500d", "kms": full["KmsKeyArn"]}
	for option, value := range want {
		if got := c.Archive.Options.Get(option); got != value {
			t.Errorf("%s is %q, want %q", option, got, value)
		}
	}
	if c.Steps != 10 || !c.KeepIdentity || len(c.Recipients) != 2 || c.API != platform.APIFaceRecord || len(c.WebhookOrigins) != 2 || c.WebhookRedirect == nil {
		t.Errorf("choices are lost: %v", c.Attrs())
	}
	if env["KYC_METRICS"] != "kycvault/"+samtest.StackName {
		t.Errorf("metrics go to %q", env["KYC_METRICS"])
	}
}

// TestTsaCa: the certificate of the parameter's one line is the root that refetch, and no other function, goes by.
func TestTsaCa(t *testing.T) {
	for name, c := range map[string]struct {
		parameters map[string]string
		roots      bool
	}{"given": {everything(), true}, "empty": {with(everything(), map[string]string{"TsaCa": ""}), false}} {
		s := stack(t, with(c.parameters, map[string]string{"WebhookAuth": "jwt"}))
		for _, function := range s.Functions() {
			config, env, err := load(t, s, function)
			if err != nil {
				t.Fatal(err)
			}
			roots, err := config.TSARoots()
			_, set := env["KYC_TSA_CA"]
			if want := c.roots && function == "RefetchFunction"; err != nil || (roots != nil) != want || set != want {
				t.Errorf("%s: %s has roots %t, and the variable %t, %v", name, function, roots != nil, set, err)
			}
		}
	}
}

// TestEnvironmentFits: all variables of a function may have 4 KB ("Lambda quotas"), measured as JSON, as the message of a
// refusal shows; with the longest TsaCa too.
func TestEnvironmentFits(t *testing.T) {
	s := stack(t, with(everything(), map[string]string{"TsaCa": "MII" + strings.Repeat("A", 2797)}))
	for _, function := range s.Functions() {
		env, err := s.Environment(function)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := json.Marshal(env); err != nil || len(text) > 4096 {
			t.Errorf("the environment of %s has %d bytes, %v", function, len(text), err)
		}
	}
}

// TestSecretsWhereNeeded: who can not use a secret does not get it.
func TestSecretsWhereNeeded(t *testing.T) {
	s := stack(t, service())
	for _, function := range s.Functions() {
		env, err := s.Environment(function)
		if err != nil {
			t.Fatal(err)
		}
		if env["KYC_SECRET"] != "" || env["KYC_TICKET_TOKEN"] != "" {
			t.Errorf("%s has secrets that a ticket service makes needless", function)
		}
		if key := env["KYC_WEBHOOK_KEY"]; (key != "") != (function == "WebhookFunction") {
			t.Errorf("%s: has the webhook's key: %t", function, key != "")
		}
		if env["KYC_SEAL_KEY"] != "" {
			t.Errorf("%s has a key to seal with, and is not to", function)
		}
	}
}

// TestTicketTokenWhereNeeded: with a ticket of our own the token opens GET /v1/ticket, and is the webhook's alone.
func TestTicketTokenWhereNeeded(t *testing.T) {
	token := map[string]string{"TicketToken": "yes"}
	for name, c := range map[string]struct {
		parameters map[string]string
		want       []string
	}{
		"own":     {with(least(), token), []string{"WebhookFunction"}},
		"service": {with(service(), token), []string{"PullFunction", "RefetchFunction", "WebhookFunction"}},
		"none":    {least(), nil},
	} {
		s, have := stack(t, c.parameters), []string(nil)
		for _, function := range s.Functions() {
			env, err := s.Environment(function)
			if err != nil {
				t.Fatal(err)
			}
			if env["KYC_TICKET_TOKEN"] != "" {
				have = append(have, function)
			}
		}
		if !slices.Equal(have, c.want) {
			t.Errorf("%s: the token is %q's, want %q", name, have, c.want)
		}
	}
}

// TestArchiveUrl: what the operator's command writes is kept as the functions keep it, locked above all.
func TestArchiveUrl(t *testing.T) {
	for name, parameters := range map[string]map[string]string{"least": least(), "lock": lock(), "key": key(), "everything": everything()} {
		s := stack(t, parameters)
		env, err := s.Environment("PullFunction")
		if err != nil {
			t.Fatal(err)
		}
		functions, err := platform.ParseArchive(env["KYC_ARCHIVE"])
		command, err2 := platform.ParseArchive(s.Outputs["ArchiveUrl"])
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if command.Options.Get("region") != samtest.Region {
			t.Errorf("%s: the command's region is %q", name, command.Options.Get("region"))
		}
		if command.Options.Del("region"); command.String() != functions.String() || command.Options.Encode() != functions.Options.Encode() {
			t.Errorf("%s: the command has %s with %s, the functions %s with %s", name, command, command.Options.Encode(), functions, functions.Options.Encode())
		}
	}
}

// TestStorageClass: the option is left out where it says nothing.
func TestStorageClass(t *testing.T) {
	for class, want := range map[string]bool{"STANDARD": false, "GLACIER_IR": true} {
		env, err := stack(t, with(least(), map[string]string{"StorageClass": class})).Environment("PullFunction")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(env["KYC_ARCHIVE"], "storage_class="+class); got != want {
			t.Errorf("%s: %s", class, env["KYC_ARCHIVE"])
		}
	}
}

// TestParametersAreRefused: what the code would refuse at the first call, CloudFormation refuses before anything is made.
func TestParametersAreRefused(t *testing.T) {
	for name, values := range map[string][]string{
		"AppId": {"", "IDAXXXX", "IDAXXXXX1", "IDAXXXX-"}, "Ticket": {"", "http://tickets.example.com", "none", "https://u:p@tickets.example.com/", "https:///x"}, "StepDelay": {"901s", "1m", "-1s", "2"},
		"Deadline": {"0h", "721h", "72"}, "Steps": {"0", "11"}, "RefetchMinutes": {"1", "60"}, "BucketName": {"", "Kyc", "a.b", "-a"},
		"ArchivePrefix": {"kyc", "/kyc/", "../", "a//", "kyc/*/"}, "PullConcurrency": {"1", "1001"}, "WebhookAuth": {"none"}, "RetainDays": {"0"},
		"KmsKeyArn": {"alias/kyc", "arn:aws:kms:us-east-1:111122223333:alias/kyc"}, "WebhookOrigins": {"*", "https://www.example.com/", "https://*.example.com", "https://a?b", "https://a@b"},
		"WebhookRedirect": {"http://www.example.com", "https://u@www.example.com/", "https:///"}, "BaseUrl": {"http://example.com", "https://example.com/", "https://:1"}, "SecretName": {"a}b", "a b"},
		"TsaCa": {"tsa-ca.pem", "-----BEGIN CERTIFICATE-----", "MIIB AAAA", "MIIB\nAAAA", "MII" + strings.Repeat("A", 2798)},
	} {
		for _, value := range values {
			_, err := template(t).Resolve(samtest.Options{Parameters: with(least(), map[string]string{name: value})})
			if err == nil {
				t.Errorf("%s may be %q", name, value)
			}
		}
	}
	if _, err := template(t).Resolve(samtest.Options{}); err == nil || strings.Count(err.Error(), "no default") != len(least()) {
		t.Errorf("what must be given: %v", err)
	}
}
