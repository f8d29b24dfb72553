package s3bucket

import (
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/kycvault/kycvault/pkg/bucket/s3bucket/s3test"
	"github.com/kycvault/kycvault/pkg/peertest"
)

var buckets atomic.Int64

// makeBucket makes a fresh bucket of a kind on the real server, and gives what reaches it.
func makeBucket(t *testing.T, server *peertest.S3, k s3test.Kind) Config {
	t.Helper()
	name := string(k) + "-" + strconv.FormatInt(buckets.Add(1), 10)
	s3test.MakeBucket(t, server, name, k)
	return Config{Bucket: name, Region: server.Region, Endpoint: server.URL, PathStyle: true, Credentials: s3test.Credentials(server)}
}

func open(t *testing.T, c Config) *Bucket {
	t.Helper()
	b, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
