package s3bucket

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket/s3bucket/s3test"
	"github.com/kycvault/kycvault/pkg/peertest"
)

func TestAbout(t *testing.T) {
	server := peertest.StartS3(t)
	want := map[s3test.Kind]About{
		s3test.Plain:     {Versioning: Fact[Versioning]{Value: VersioningOff}},
		s3test.Versioned: {Versioning: Fact[Versioning]{Value: VersioningOn}},
		s3test.Locked: {Versioning: Fact[Versioning]{Value: VersioningOn}, Lock: Fact[bool]{Value: true},
			Retention: Fact[DefaultRetain]{Value: DefaultRetain{LockGovernance, 3 * 24 * time.Hour}}},
	}
	for _, k := range s3test.Kinds() {
		c := makeBucket(t, server, k)
		if k == s3test.Locked {
			s3test.LockByDefault(t, server, c.Bucket, 3)
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
