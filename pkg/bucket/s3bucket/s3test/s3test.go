// Package s3test makes buckets of each kind on a real S3 server (package peertest), and looks at what drivers do not. It is for
// tests only.
package s3test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// Kind is what a bucket is like.
type Kind string

// The kinds of bucket.
const (
	Plain     Kind = "plain"
	Versioned Kind = "versioned"
	Locked    Kind = "locked" // with Object Lock, and so with versions too
)

// Kinds lists them all.
func Kinds() []Kind { return []Kind{Plain, Versioned, Locked} }

// MakeBucket makes a bucket of a kind.
func MakeBucket(t testing.TB, server *peertest.S3, name string, k Kind) {
	t.Helper()
	admin := Admin(server)
	_, err := admin.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name, ObjectLockEnabledForBucket: aws.Bool(k == Locked)})
	if err == nil && k == Versioned {
		_, err = admin.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &name,
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	}
	if err != nil {
		t.Fatalf("make bucket %s: %v", name, err)
	}
}

// LockByDefault sets a default retention of so many days, in governance mode, on a Locked bucket.
func LockByDefault(t testing.TB, server *peertest.S3, name string, days int32) {
	t.Helper()
	_, err := Admin(server).PutObjectLockConfiguration(t.Context(), &s3.PutObjectLockConfigurationInput{Bucket: &name,
		ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled,
			Rule: &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: &days}}}})
	if err != nil {
		t.Fatalf("lock bucket %s: %v", name, err)
	}
}

// Credentials are the server's own: they may do all.
func Credentials(server *peertest.S3) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(server.AccessKey, server.SecretKey, "")
}

// Admin is a bare client, with nothing of a driver.
func Admin(server *peertest.S3) *s3.Client {
	return s3.New(s3.Options{Region: server.Region, Credentials: Credentials(server), BaseEndpoint: &server.URL, UsePathStyle: true,
		HTTPClient: &http.Client{Timeout: 30 * time.Second}})
}
