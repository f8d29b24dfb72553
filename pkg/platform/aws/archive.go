package aws

import (
	"fmt"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/aws/s3archive"
)

// place is what a driver may want to know of the function.
type place struct {
	Identity
	lookup platform.Lookup
}

// openers are the schemes that are linked.
func openers() platform.Openers[place] {
	linked := otherOpeners()
	linked[platform.SchemeS3] = openS3
	return linked
}

func openS3(a platform.Archive, p place) (bucket.Bucket, error) {
	b, err := s3bucket.New(s3archive.Config(a, p.Region, p.Credentials))
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return b, nil
}
