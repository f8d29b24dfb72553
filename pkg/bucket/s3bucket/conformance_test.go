package s3bucket

import (
	"testing"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/buckettest"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket/s3test"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// peculiar is what versitygw does otherwise than Amazon's S3 (COMPONENTS). With versions of objects kept, it keeps more than
// the folders that its keys are.
func peculiar(k s3test.Kind) buckettest.Peculiarities {
	return buckettest.Peculiarities{MarkerTakesKey: k != s3test.Plain, FolderIsObject: k != s3test.Plain}
}

// ways are how the suite is run on each kind of bucket. Keys do not care for versions: a locked bucket has them too, and both
// ways on all kinds are thousands of listings more that find nothing else. With -short, as under the race detector, it is
// once each way.
func ways(k s3test.Kind) []buckettest.Way {
	switch {
	case k == s3test.Locked:
		return []buckettest.Way{buckettest.Prefixed}
	case testing.Short() && k == s3test.Versioned:
		return nil
	case testing.Short() || k == s3test.Versioned:
		return []buckettest.Way{buckettest.Plain}
	}
	return []buckettest.Way{buckettest.Plain, buckettest.Prefixed}
}

// TestConformance runs the suite against a real S3 server, on each kind of bucket.
func TestConformance(t *testing.T) {
	for _, k := range s3test.Kinds() {
		ways := ways(k)
		if ways == nil {
			continue
		}
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			server := peertest.StartS3(t)
			buckettest.Run(t, buckettest.Harness{
				Open:     func(t *testing.T) bucket.Bucket { return open(t, makeBucket(t, server, k)) },
				Many:     1100, // two pages
				Ways:     ways,
				Peculiar: peculiar(k),
			})
		})
	}
}
