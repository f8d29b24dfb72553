//go:build s3

package tencent

import (
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/aws/s3archive"
)

// otherOpeners are the other clouds' drivers: S3, as whom AWS_ACCESS_KEY_ID and its like say. SCF's role is nobody there.
func otherOpeners() platform.Openers[place] {
	return platform.Openers[place]{
		platform.SchemeS3: func(a platform.Archive, p place) (bucket.Bucket, error) { return s3archive.Open(a, p.lookup) },
	}
}
