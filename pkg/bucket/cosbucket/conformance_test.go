package cosbucket

import (
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/buckettest"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
)

// TestConformance runs the suite against a bucket whose listings are stale for an hour of its own clock, or until the test
// settles them.
func TestConformance(t *testing.T) {
	var last *costest.Running
	buckettest.Run(t, buckettest.Harness{
		Open: func(t *testing.T) bucket.Bucket {
			last = costest.Start(t, costest.Config{StaleFor: time.Hour})
			return open(t, last, nil)
		},
		Settle: func(*testing.T) { last.Settle() },
		Many:   2100,
	})
}

// TestConformanceTemporary runs it with temporary credentials that may not ask for versioning, on a bucket with encryption
// and a storage class.
func TestConformanceTemporary(t *testing.T) {
	key := costest.Key{SecretID: "AKIDtemporary", SecretKey: "temporary-key", Token: "session/token+=="}
	allow := func(_, action, _ string) bool {
		return action != costest.GetBucketVersioning && action != costest.HeadBucket
	}
	var last *costest.Running
	buckettest.Run(t, buckettest.Harness{
		Open: func(t *testing.T) bucket.Bucket {
			last = costest.Start(t, costest.Config{Keys: []costest.Key{key}, Allow: allow})
			return open(t, last, func(c *Config) {
				c.Credentials, c.Encryption, c.KMSKey, c.StorageClass = with(key), EncryptionKMS, "key-1", "STANDARD_IA"
			})
		},
		Settle: func(*testing.T) { last.Settle() },
		Many:   1001,
	})
}
