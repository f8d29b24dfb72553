package local

import (
	"context"
	"fmt"
	"os"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/aws/profile"
	"github.com/kycvault/kycvault/pkg/platform/aws/s3archive"
	"github.com/kycvault/kycvault/pkg/platform/tencent/cosarchive"
)

// OpenArchive opens the store that KYC_ARCHIVE names. A bucket in a cloud is not asked for anything yet: one that is not
// there shows at the first call.
func OpenArchive(a platform.Archive) (bucket.Bucket, error) {
	switch a.Scheme {
	case platform.SchemeFile:
		return dirbucket.Open(a.Path)
	case platform.SchemeS3:
		b, err := OpenS3(a)
		if err != nil {
			return nil, err
		}
		return bucket.Prefixed(b, a.Prefix)
	case platform.SchemeCOS:
		b, err := OpenCOS(a)
		if err != nil {
			return nil, err
		}
		return bucket.Prefixed(b, a.Prefix)
	default:
		return nil, fmt.Errorf("open archive: this program can not open %s:// archives", a.Scheme)
	}
}

// OpenS3 opens the bucket of an s3:// archive, without the archive's prefix, as whom the environment and profiles say.
func OpenS3(a platform.Archive) (*s3bucket.Bucket, error) {
	who, err := profile.Load(context.Background()) // files only
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	b, err := s3bucket.New(s3archive.Config(a, who.Region, who.Credentials))
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return b, nil
}

// OpenCOS opens the bucket of a cos:// archive, without the archive's prefix, as whom the environment says.
func OpenCOS(a platform.Archive) (*cosbucket.Bucket, error) { return cosarchive.Open(a, os.LookupEnv) }
