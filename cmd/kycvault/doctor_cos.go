package main

import (
	"context"
	"errors"

	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

// cosBucket asks a cos:// archive's bucket for its versioning, on which create-once depends, and tells whether the bucket can be
// used at all.
func (d *doctor) cosBucket(ctx context.Context, location platform.Archive) bool {
	b, err := local.OpenCOS(location)
	var state cosbucket.Versioning
	if err == nil {
		state, err = b.Versioning(ctx)
	}
	told, answered := errors.AsType[*cosbucket.Error](err)
	switch {
	case answered && told.Kind == cosbucket.Denied:
		d.add(finding{Check: "versioning", Level: levelWarning, Found: "this user may not ask for it (cos:GetBucketVersioning)",
			Means: "whether evidence could be written over shows at the first create only, which is then made twice; the trial below shows it too",
			Do:    "give this user, and the functions' roles, the right cos:GetBucketVersioning on the bucket"})
	case err != nil:
		d.add(finding{Check: "archive", Level: levelBad, Found: err.Error(), Means: "nothing can be archived",
			Do: "mend what the finding names; nothing else of the archive can be looked at before"})
		return false
	case state != cosbucket.Never:
		d.add(finding{Check: "versioning", Level: levelBad, Found: string(state),
			Means: "COS ignores x-cos-forbid-overwrite on a bucket that has, or ever had, versioning: evidence could be written over, so nothing is written there",
			Do:    "make a new bucket, never switch its versioning on, and name it in KYC_ARCHIVE; suspending it on this one does not help"})
		return false
	default:
		d.ok("versioning", "never on: create-once holds")
	}
	d.info("lock", "COS has none that could be used here", "who may delete objects can delete evidence, and who may put can write over it: keep those rights rare, see docs/tencent.md")
	return true
}
