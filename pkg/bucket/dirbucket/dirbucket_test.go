package dirbucket

import (
	"testing"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/buckettest"
)

func TestConformance(t *testing.T) {
	buckettest.Run(t, buckettest.Harness{Open: func(t *testing.T) bucket.Bucket { return open(t, t.TempDir()) }})
}

func open(t *testing.T, folder string, options ...Option) *Bucket {
	t.Helper()
	b, err := Open(folder, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}
