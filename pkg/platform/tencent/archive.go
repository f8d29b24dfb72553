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

// openers are the schemes that are linked.
func openers() platform.Openers[place] {
	linked := otherOpeners()
	linked[platform.SchemeCOS] = openCOS
	return linked
}

func openCOS(a platform.Archive, p place) (bucket.Bucket, error) {
	b, err := cosbucket.New(cosarchive.Config(a, p.region, func(context.Context) (cosbucket.Credential, error) {
		now, err := p.role.credentials()
		return cosbucket.Credential(now), err
	}))
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	return b, nil
}
