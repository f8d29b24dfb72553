package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

// s3Bucket asks an s3:// archive's bucket about itself, and tells whether it can be used at all.
func (d *doctor) s3Bucket(ctx context.Context, location platform.Archive) bool {
	b, err := local.OpenS3(location)
	var about s3bucket.About
	if err == nil {
		about, err = b.About(ctx)
	}
	if err != nil {
		d.add(finding{Check: "archive", Level: levelBad, Found: err.Error(), Means: "nothing can be archived",
			Do: "mend what the finding names; nothing else of the archive can be looked at before"})
		return false
	}
	d.region(about.Region)
	d.versioning(about.Versioning)
	d.lock(location, about)
	d.defaultRetention(about.Retention)
	return true
}

func (d *doctor) region(f s3bucket.Fact[string]) {
	switch {
	case f.Unknown != nil:
		d.info("region", f.Unknown.Error(), "it must be the right one all the same, or nothing could be tried below")
	case f.Value != "":
		d.ok("region", f.Value)
	}
}

// versioning is no danger, but what is deleted stays then.
func (d *doctor) versioning(f s3bucket.Fact[s3bucket.Versioning]) {
	switch {
	case f.Unknown != nil:
		d.info("versioning", f.Unknown.Error(), "if it is on, what is deleted stays as an older version, and costs")
	case f.Value == s3bucket.VersioningOff:
		d.ok("versioning", "off: an archive needs none, since evidence is never written over")
	default:
		d.add(finding{Check: "versioning", Level: levelInfo, Found: string(f.Value),
			Means: "markers and notes that are deleted stay as older versions, under a delete marker, and cost",
			Do:    "let lifecycle rules remove older versions and lone delete markers below pending/, retry/ and quiet/"})
	}
}

// lock compares what KYC_ARCHIVE asks for with what the bucket can do.
func (d *doctor) lock(location platform.Archive, about s3bucket.About) {
	mode, days := location.Options.Get("lock"), strings.TrimSuffix(location.Options.Get("retain"), "d")
	switch f := about.Lock; {
	case f.Unknown != nil && mode == "":
		d.info("lock", "none is set in KYC_ARCHIVE", "who may delete objects can delete evidence")
	case f.Unknown != nil:
		d.add(finding{Check: "lock", Level: levelWarning, Found: f.Unknown.Error(),
			Means: "if the bucket has no Object Lock, it refuses all evidence, since KYC_ARCHIVE sets lock=" + mode,
			Do:    "let this role ask, or look at the bucket's Object Lock by other means"})
	case mode != "" && !f.Value:
		d.add(finding{Check: "lock", Level: levelBad, Found: "KYC_ARCHIVE sets lock=" + mode + ", and the bucket has no Object Lock",
			Means: "it refuses all evidence", Do: "enable Object Lock on the bucket, or take lock= and retain= out of KYC_ARCHIVE"})
	case mode != "":
		d.ok("lock", fmt.Sprintf("%s, %s days from when it is written, on each piece of evidence", mode, days))
	case f.Value:
		d.info("lock", "the bucket has Object Lock, KYC_ARCHIVE does not use it", "who may delete versions can delete evidence; lock=compliance&retain=1825d would keep it for five years")
	default:
		d.info("lock", "none", "who may delete objects can delete evidence")
	}
}

// defaultRetention warns of a lock on everything, also on what must go.
func (d *doctor) defaultRetention(f s3bucket.Fact[s3bucket.DefaultRetain]) {
	if f.Unknown != nil || f.Value.For == 0 {
		return
	}
	d.add(finding{Check: "default retention", Level: levelWarning, Found: fmt.Sprintf("%s, %d days, on every object", f.Value.Mode, int(f.Value.For.Hours()/24)),
		Means: "also markers, notes and tickets are locked: they are hidden when they go, and their versions pile up",
		Do:    "take the default out of the bucket, and lock evidence alone: lock= and retain= in KYC_ARCHIVE"})
}
