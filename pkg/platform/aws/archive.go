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

// opener opens the archives of one scheme. It reaches nothing over the network.
type opener func(a platform.Archive, p place) (bucket.Bucket, error)

// openers are the schemes that are linked. Another cloud's driver makes the binary larger, so a build tag adds it.
func openers() map[string]opener {
	linked := otherOpeners()
	linked[platform.SchemeS3] = openS3
	return linked
}

func openS3(a platform.Archive, p place) (bucket.Bucket, error) {
	return s3bucket.New(s3archive.Config(a, p.Region, p.Credentials))
}

// openArchive opens what KYC_ARCHIVE names; keys are without its prefix.
func openArchive(a platform.Archive, p place) (bucket.Bucket, error) {
	open := openers()[a.Scheme]
	if open == nil {
		return nil, fmt.Errorf("open archive: %s", unlinked(a.Scheme))
	}
	b, err := open(a, p)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return bucket.Prefixed(b, a.Prefix)
}

func unlinked(scheme string) string {
	return fmt.Sprintf("this function was built without the driver for %s://", scheme)
}
