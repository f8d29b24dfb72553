package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/platform"
)

// Clocks further apart than the first are worth a look (a token's times may be a minute off), further than the second no
// order is given up any more (DESIGN section 4).
const (
	noticedSkew = 30 * time.Second
	harmfulSkew = 5 * time.Minute
)

// archive opens the archive and puts its promises to the test. It gives nil when there is none to look at.
func (d *doctor) archive(ctx context.Context, cfg platform.Config) *archive.Archive {
	if cfg.Archive.Scheme == "" {
		return nil
	}
	b, err := openExisting(cfg.Archive)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.add(finding{Check: "archive", Level: levelWarning, Found: "the folder is not there yet",
			Means: "serve makes it at its first start; a typing mistake in KYC_ARCHIVE would look the same", Do: "make the folder, and run kycvault doctor again: only then can it be tried"})
		return nil
	case err != nil:
		d.add(finding{Check: "archive", Level: levelBad, Found: err.Error(), Means: "nothing can be archived", Do: "mend KYC_ARCHIVE or what it names; this user must be able to read and write it"})
		return nil
	}
	if !d.bucket(ctx, cfg.Archive) {
		return nil
	}
	d.ok("archive", "there ("+b.Properties().Name+")")
	vault := archive.New(b)
	tried, err := vault.Try(ctx, rand.Text())
	for _, t := range tried.Trials {
		d.promise(t)
	}
	if err != nil && ctx.Err() == nil {
		d.add(finding{Check: "archive", Level: levelWarning, Found: err.Error(), Means: "objects below system/doctor/ may stay; they harm nothing", Do: "let this user delete there"})
	}
	d.storeClock(b.Properties(), tried.Skew+d.ahead(ctx, b))
	d.protection(cfg)
	return vault
}

// bucket asks a bucket in a cloud about itself, and tells whether it can be used at all. A folder always can.
func (d *doctor) bucket(ctx context.Context, location platform.Archive) bool {
	switch location.Scheme {
	case platform.SchemeS3:
		return d.s3Bucket(ctx, location)
	case platform.SchemeCOS:
		return d.cosBucket(ctx, location)
	default:
		return true
	}
}

// lost says of each promise what happens where it is not kept.
var lost = map[string]string{
	archive.TrialPut:    "no order can be promised, archived or tried again",
	archive.TrialCreate: "evidence could be overwritten, and two processes could refresh the ticket at once",
	archive.TrialRace:   "two steps at the same time could overwrite each other's evidence",
	archive.TrialDigest: "bytes that change on the way would be archived",
	archive.TrialList:   "orders that wait may not be found again",
	archive.TrialDelete: "orders that are archived stay in the list of those that wait",
}

func (d *doctor) promise(t archive.Trial) {
	if t.Err == nil {
		d.ok(t.Promise, "tried: it holds")
		return
	}
	d.add(finding{Check: t.Promise, Level: levelBad, Found: t.Err.Error(), Means: lost[t.Promise],
		Do: "let this user read, write, list and delete there; if it may, use another store or file system (a local one, no network share)"})
}

// ahead is how far a store's own clock is ahead of this machine's.
func (d *doctor) ahead(ctx context.Context, b bucket.Bucket) time.Duration {
	now, err := b.Now(ctx)
	if err != nil || !b.Properties().OwnClock {
		return 0 // that it can not be read is a finding of the trial
	}
	return now.Sub(d.app.now())
}

// storeClock compares the clock that objects get their times from with this machine's.
func (d *doctor) storeClock(p bucket.Properties, skew time.Duration) {
	if !p.OwnClock && skew.Abs() <= noticedSkew {
		d.ok("clock of the archive", "the same as this machine's")
		return
	}
	d.skew("clock of the archive", "the archive's times", skew)
}

// skew judges how far two clocks are apart.
func (d *doctor) skew(check, whose string, skew time.Duration) {
	f := finding{Check: check, Level: levelOK, Found: fmt.Sprintf("%s are %s off this machine's clock", whose, roughly(skew))}
	switch {
	case skew.Abs() > harmfulSkew:
		f.Level, f.Means = levelBad, "good tokens are refused, and no order is given up, until the clocks agree"
	case skew.Abs() > noticedSkew:
		f.Level, f.Means = levelWarning, "beyond a minute good tokens are refused"
	}
	if f.Level != levelOK {
		f.Do = "let a time service (NTP) set this machine's clock, and look at the other one"
	}
	d.add(f)
}

// protection tells what keeps evidence in a folder from being removed; for a bucket see doctor_s3.go and doctor_cos.go.
func (d *doctor) protection(cfg platform.Config) {
	if cfg.Archive.Scheme != platform.SchemeFile {
		return
	}
	d.info("versioning", "n/a for a folder", "a folder keeps no older versions, and needs none: nothing is ever written over")
	d.info("lock", "n/a for a folder", "the owner of the files can remove them: copy the folder to another place, see README.md on backups")
	info, err := os.Stat(cfg.Archive.Path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return
	}
	d.add(finding{Check: "access", Level: levelWarning, Found: "other users of this machine can look into the folder",
		Means: "they see order numbers; the files themselves are the owner's alone", Do: "chmod 700 the folder"})
}
