//go:build cos

package aws

import (
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/tencent/cosarchive"
)

// otherOpeners are the other clouds' drivers: COS, as whom TENCENTCLOUD_SECRET_ID and its like say. Lambda's role is nobody there.
func otherOpeners() platform.Openers[place] {
	return platform.Openers[place]{
		platform.SchemeCOS: func(a platform.Archive, p place) (bucket.Bucket, error) { return cosarchive.Open(a, p.lookup) },
	}
}
