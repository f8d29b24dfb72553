package s3bucket

import (
	"testing"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/buckettest"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// peculiar is what versitygw does otherwise than Amazon's S3 (COMPONENTS). With versions of objects kept, it keeps more than
// the folders that its keys are.
func peculiar(k kind) buckettest.Peculiarities {
	return buckettest.Peculiarities{MarkerTakesKey: k != plain, FolderIsObject: k != plain}
}

// TestConformance runs the suite against a real S3 server, on each kind of bucket.
func TestConformance(t *testing.T) {
	server := peertest.StartS3(t)
	for _, k := range kinds() {
		many := 1050 // two pages
		if k == plain {
			many = 2100
		}
		t.Run(string(k), func(t *testing.T) {
			buckettest.Run(t, buckettest.Harness{
				Open:     func(t *testing.T) bucket.Bucket { return open(t, makeBucket(t, server, k)) },
				Many:     many,
				Peculiar: peculiar(k),
			})
		})
	}
}
