package s3archive

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/platform"
)

// TestConfig: each option of an s3:// archive reaches the driver.
func TestConfig(t *testing.T) {
	tests := []struct {
		location, region string
		want             s3bucket.Config
	}{
		{"s3://vault", "eu-west-1", s3bucket.Config{Bucket: "vault", Region: "eu-west-1"}},
		{"s3://vault/kyc?region=eu-central-1", "eu-west-1", s3bucket.Config{Bucket: "vault", Region: "eu-central-1"}},
		{"s3://vault?endpoint=http%3A%2F%2F127.0.0.1%3A7070&path_style=true", "",
			s3bucket.Config{Bucket: "vault", Endpoint: "http://127.0.0.1:7070", PathStyle: true}},
		{"s3://vault?path_style=false&lock=compliance&retain=1825d&kms=alias%2Fkyc&storage_class=STANDARD_IA", "r",
			s3bucket.Config{Bucket: "vault", Region: "r", Lock: s3bucket.LockCompliance, Retain: 1825 * 24 * time.Hour, KMSKey: "alias/kyc", StorageClass: "STANDARD_IA"}},
		{"s3://vault?lock=governance&retain=99999d", "r",
			s3bucket.Config{Bucket: "vault", Region: "r", Lock: s3bucket.LockGovernance, Retain: 99999 * 24 * time.Hour}},
	}
	for _, test := range tests {
		a, err := platform.ParseArchive(test.location)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, Config(a, test.region, nil)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.location, diff)
		}
	}
}

// TestOpen: what the environment lacks is told by its variables' names, and nothing of their values.
func TestOpen(t *testing.T) {
	whole := map[string]string{"AWS_ACCESS_KEY_ID": "planted-id", "AWS_SECRET_ACCESS_KEY": "planted-key", "AWS_REGION": "eu-west-1"}
	tests := []struct {
		lacks []string
		want  string
	}{
		{nil, ""},
		{[]string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, ErrNoCredentials.Error()},
		{[]string{"AWS_SECRET_ACCESS_KEY"}, "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set"},
		{[]string{"AWS_ACCESS_KEY_ID"}, "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set"},
		{[]string{"AWS_REGION"}, "no region is set: give KYC_ARCHIVE the option region=, or set AWS_REGION"},
	}
	for _, test := range tests {
		_, err := Open(platform.Archive{Scheme: platform.SchemeS3, Bucket: "vault"}, func(name string) (string, bool) {
			if slices.Contains(test.lacks, name) {
				return "", false
			}
			return whole[name], true
		})
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasSuffix(err.Error(), test.want)) || err != nil && strings.Contains(err.Error(), "planted") {
			t.Errorf("without %q: %v, want %q", test.lacks, err, test.want)
		}
	}
}
