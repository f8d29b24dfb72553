package cosarchive

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/platform"
)

func parse(t *testing.T, location string) platform.Archive {
	t.Helper()
	a, err := platform.ParseArchive(location)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestConfig: each option of a cos:// archive reaches the driver.
func TestConfig(t *testing.T) {
	tests := []struct {
		location, region string
		want             cosbucket.Config
	}{
		{"cos://vault-1/kyc", "ap-guangzhou", cosbucket.Config{Bucket: "vault-1", Region: "ap-guangzhou"}},
		{"cos://vault-1?region=ap-beijing", "ap-guangzhou", cosbucket.Config{Bucket: "vault-1", Region: "ap-beijing"}},
		{"cos://vault-1?endpoint=https%3A%2F%2Fevidence.example.com&storage_class=STANDARD_IA&encryption=AES256", "",
			cosbucket.Config{Bucket: "vault-1", Endpoint: "https://evidence.example.com", StorageClass: "STANDARD_IA", Encryption: cosbucket.EncryptionCOS}},
		{"cos://vault-1?region=r&kms=key-1", "", cosbucket.Config{Bucket: "vault-1", Region: "r", Encryption: cosbucket.EncryptionKMS, KMSKey: "key-1"}},
		{"cos://vault-1?region=r&encryption=cos%2Fkms", "", cosbucket.Config{Bucket: "vault-1", Region: "r", Encryption: cosbucket.EncryptionKMS}},
	}
	for _, test := range tests {
		got := Config(parse(t, test.location), test.region, nil)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.location, diff)
		}
	}
}

type environment map[string]string

func (e environment) lookup(name string) (string, bool) { v, ok := e[name]; return v, ok }

func TestEnvironment(t *testing.T) {
	tests := []struct {
		environment environment
		id, token   string
		problem     string
	}{
		{environment{}, "", "", "set TENCENTCLOUD_SECRET_ID and"},
		{environment{"TENCENTCLOUD_SECRET_ID": "a", "TENCENTCLOUD_SECRET_KEY": "k"}, "a", "", ""},
		{environment{"TENCENTCLOUD_SECRET_ID": "a", "TENCENTCLOUD_SECRET_KEY": "k", "TENCENTCLOUD_TOKEN": "t"}, "a", "t", ""},
		{environment{"TENCENTCLOUD_SECRETID": "b", "TENCENTCLOUD_SECRETKEY": "k", "TENCENTCLOUD_SESSIONTOKEN": "s"}, "b", "s", ""},
		{environment{"TENCENTCLOUD_SECRET_ID": "a", "TENCENTCLOUD_SECRET_KEY": "k", "TENCENTCLOUD_SECRETID": "b", "TENCENTCLOUD_SECRETKEY": "k", "TENCENTCLOUD_SESSIONTOKEN": "s"}, "a", "", ""},
		{environment{"TENCENTCLOUD_SECRET_ID": "a", "TENCENTCLOUD_SECRETID": "b", "TENCENTCLOUD_SECRETKEY": "k"}, "", "", "only one is set"},
	}
	for i, test := range tests {
		c, err := Environment(test.environment.lookup)(t.Context())
		if test.problem != "" {
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%d: error %v, want …%s…", i, err, test.problem)
			}
			continue
		}
		if err != nil || c.SecretID != test.id || c.SecretKey.Reveal() != "k" || c.SessionToken.Reveal() != test.token {
			t.Errorf("%d: %s, error %v", i, c.SecretID, err)
		}
	}
}

func TestOpen(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	location := parse(t, "cos://"+costest.DefaultBucket+"/kyc?endpoint="+strings.ReplaceAll(strings.ReplaceAll(s.URL, ":", "%3A"), "/", "%2F"))
	env := environment{"TENCENTCLOUD_SECRET_ID": costest.DefaultKey.SecretID, "TENCENTCLOUD_SECRET_KEY": costest.DefaultKey.SecretKey}
	b, err := Open(location, env.lookup)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := b.Versioning(t.Context()); v != cosbucket.Never || err != nil {
		t.Errorf("Versioning = %v, %v", v, err)
	}
	if _, err := Open(location, environment{}.lookup); !errors.Is(err, ErrNoCredentials) {
		t.Errorf("Open without credentials = %v", err)
	}
	if _, err := Open(parse(t, "cos://vault-1"), env.lookup); err == nil || !strings.Contains(err.Error(), "no region") {
		t.Errorf("Open without region = %v", err)
	}
	env["TENCENTCLOUD_REGION"] = "ap-guangzhou"
	if _, err := Open(parse(t, "cos://vault-1"), env.lookup); err != nil {
		t.Errorf("Open with the environment's region = %v", err)
	}
}
