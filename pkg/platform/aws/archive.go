package aws

import (
	"fmt"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/platform"
)

// opener opens the archives of one scheme. It reaches nothing over the network.
type opener func(a platform.Archive, who Identity) (bucket.Bucket, error)

// openers are the schemes that are linked. Another cloud's driver makes the binary larger, so a build tag adds it.
func openers() map[string]opener {
	linked := otherOpeners()
	linked[platform.SchemeS3] = openS3
	return linked
}

func openS3(a platform.Archive, who Identity) (bucket.Bucket, error) {
	return s3bucket.New(S3Config(a, who))
}

// openArchive opens what KYC_ARCHIVE names; keys are without its prefix.
func openArchive(a platform.Archive, who Identity) (bucket.Bucket, error) {
	open := openers()[a.Scheme]
	if open == nil {
		return nil, fmt.Errorf("open archive: this function was built without the driver for %s://", a.Scheme)
	}
	b, err := open(a, who)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return bucket.Prefixed(b, a.Prefix)
}
