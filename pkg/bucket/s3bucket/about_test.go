package s3bucket

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/peertest"
)

func TestAbout(t *testing.T) {
	server := peertest.StartS3(t)
	want := map[kind]About{
		plain:     {Versioning: Fact[Versioning]{Value: VersioningOff}},
		versioned: {Versioning: Fact[Versioning]{Value: VersioningOn}},
		locked: {Versioning: Fact[Versioning]{Value: VersioningOn}, Lock: Fact[bool]{Value: true},
			Retention: Fact[DefaultRetain]{Value: DefaultRetain{LockGovernance, 3 * 24 * time.Hour}}},
	}
	for _, k := range kinds() {
		c := makeBucket(t, server, k)
		if k == locked {
			putDefault(t, c)
		}
		got, err := open(t, c).About(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got.Region = Fact[string]{}
		if diff := cmp.Diff(want[k], got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", k, diff)
		}
	}
}

func putDefault(t *testing.T, c Config) {
	t.Helper()
	_, err := adminOf(c).PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: &c.Bucket,
		ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled,
			Rule: &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(3)}}}})
	if err != nil {
		t.Fatal(err)
	}
}
