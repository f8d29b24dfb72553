package tencent

import (
	"context"
	"fmt"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/tencent/cosarchive"
)

// place is what a driver may want to know of the function.
type place struct {
	lookup platform.Lookup // of the first invocation
	region string
	role   *role // its credentials rotate
}

// opener opens the archives of one scheme. It reaches nothing over the network.
type opener func(a platform.Archive, p place) (bucket.Bucket, error)

// openers are the schemes that are linked. Another cloud's driver makes the binary larger, so a build tag adds it.
func openers() map[string]opener {
	linked := otherOpeners()
	linked[platform.SchemeCOS] = openCOS
	return linked
}

func openCOS(a platform.Archive, p place) (bucket.Bucket, error) {
	return cosbucket.New(cosarchive.Config(a, p.region, func(context.Context) (cosbucket.Credential, error) {
		now, err := p.role.credentials()
		return cosbucket.Credential(now), err
	}))
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
