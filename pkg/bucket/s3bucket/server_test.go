package s3bucket

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// kind is what a bucket of the real server is like.
type kind string

const (
	plain     kind = "plain"
	versioned kind = "versioned"
	locked    kind = "locked"
)

func kinds() []kind { return []kind{plain, versioned, locked} }

var buckets atomic.Int64

// makeBucket makes a fresh bucket of a kind, and gives what reaches it.
func makeBucket(t *testing.T, server *peertest.S3, k kind) Config {
	t.Helper()
	c := reach(server, string(k)+"-"+strconv.FormatInt(buckets.Add(1), 10))
	admin := adminOf(c)
	_, err := admin.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &c.Bucket, ObjectLockEnabledForBucket: aws.Bool(k == locked)})
	if err == nil && k == versioned {
		_, err = admin.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &c.Bucket,
			VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}})
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// reach is the configuration for a bucket of the real server.
func reach(server *peertest.S3, name string) Config {
	return Config{
		Bucket: name, Region: server.Region, Endpoint: server.URL, PathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(server.AccessKey, server.SecretKey, ""),
	}
}

// adminOf is a bare client, to do and look at what the driver does not.
func adminOf(c Config) *s3.Client {
	return s3.New(s3.Options{Region: c.Region, Credentials: c.Credentials, BaseEndpoint: &c.Endpoint, UsePathStyle: true,
		HTTPClient: &http.Client{Timeout: 30 * time.Second}})
}

func open(t *testing.T, c Config) *Bucket {
	t.Helper()
	b, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
