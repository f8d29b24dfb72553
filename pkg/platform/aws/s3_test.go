package aws

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/platform"
)

// TestS3Config: each option of an s3:// archive reaches the driver.
func TestS3Config(t *testing.T) {
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
		if diff := cmp.Diff(test.want, S3Config(a, Identity{Region: test.region})); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.location, diff)
		}
	}
}
