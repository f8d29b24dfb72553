package s3bucket

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket/s3test"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestLockHolds: nobody, the server's owner included, can delete a version of what was kept; markers are free.
func TestLockHolds(t *testing.T) {
	server := peertest.StartS3(t)
	for _, mode := range []string{LockCompliance, LockGovernance} {
		c := makeBucket(t, server, s3test.Locked)
		c.Lock, c.Retain = mode, 24*time.Hour
		b := open(t, c)
		evidence := bucket.Bytes([]byte("evidence"), "")
		evidence.Retain = true
		for key, content := range map[string]bucket.Content{"orders/A1/photo.jpg": evidence, "pending/A1.x": bucket.Bytes([]byte("marker"), "")} {
			if err := b.Create(t.Context(), key, content); err != nil {
				t.Fatal(err)
			}
			version := versionOf(t, server, c.Bucket, key)
			if err := b.Delete(t.Context(), key); err != nil { // a delete marker
				t.Errorf("%s: %v", key, err)
			}
			_, err := s3test.Admin(server).DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &c.Bucket, Key: &key, VersionId: &version})
			if content.Retain != (err != nil) {
				t.Errorf("%s, %s: the version's deletion said %v", mode, key, err)
			}
			if content.Retain && answerOf(err).status != statusForbidden {
				t.Errorf("%s, %s: refused by %v", mode, key, err)
			}
		}
	}
}

func versionOf(t *testing.T, server *peertest.S3, name, key string) string {
	t.Helper()
	head, err := s3test.Admin(server).HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &name, Key: &key})
	if err != nil || head.VersionId == nil {
		t.Fatalf("%s has no version: %v", key, err)
	}
	return *head.VersionId
}

// TestLockNeedsALockedBucket: elsewhere evidence is refused, with what to do; markers are not.
func TestLockNeedsALockedBucket(t *testing.T) {
	server := peertest.StartS3(t)
	c := makeBucket(t, server, s3test.Plain)
	c.Lock, c.Retain = LockCompliance, 24*time.Hour
	b := open(t, c)
	evidence := bucket.Bytes([]byte("evidence"), "")
	evidence.Retain = true
	if err := b.Create(t.Context(), "k", evidence); err == nil || !strings.Contains(err.Error(), "needs a bucket that has it enabled") {
		t.Errorf("error %v", err)
	}
	if err := b.Create(t.Context(), "pending/A1.x", bucket.Bytes(nil, "")); err != nil {
		t.Error(err)
	}
}
