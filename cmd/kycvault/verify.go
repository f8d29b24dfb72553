package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

type verifyCmd struct {
	Orders   []string `arg:"" optional:"" name:"order" help:"Order numbers; none is the whole archive."`
	Since    string   `placeholder:"TIME" help:"Only orders archived since then: a time, a day, or how long ago (36h, 7d)."`
	Day      string   `placeholder:"DAY" help:"Only orders archived on that day (UTC): 2026-11-23, today or yesterday."`
	Parallel int      `placeholder:"N" default:"16" help:"Orders checked at once: 1 to 256."`
	Keys     []string `name:"identity" placeholder:"FILE" type:"path" sep:"none" help:"Secret keys: check the plain bytes of encrypted files too; may be given several times."`
	ReadOnly bool     `name:"read-only" help:"Report only; mend nothing."`
	JSON     bool     `name:"json" help:"One JSON object on stdout."`

	Bag        string   `name:"bag" placeholder:"PATH" type:"path" help:"Check a bag that export made, a folder or a ZIP file, and no archive."`
	Checkpoint []string `name:"checkpoint" placeholder:"FILE" help:"A checkpoint that was kept elsewhere and must be in the chain; repeat it for more."`

	logFlags
	archiveFlags
	sealFlags
	Media string `sets:"KYC_MEDIA" placeholder:"LIST" help:"What makes an order whole: photo,video or one of them."`
}

// Help implements kong.HelpProvider.
func (verifyCmd) Help() string {
	return `Reads the archive again and checks every file against its name and manifest, every manifest against the one before, and the
journal against both. What a step that died left behind is mended: evidence that no manifest names gets its manifest, a
manifest its journal entry, an archived order loses its marker. No evidence is ever changed or removed, and nothing is
mended of an order whose files or manifests are damaged or gone: no new manifest may vouch for it, and no journal entry for
a manifest that stands in the place of another.

Of an encrypted file, what is stored is checked without a key; with --identity, a file of secret keys, its plain bytes too.

--since and --day check the orders that the journal names in that time, which is quick enough for every day. A manifest whose journal
entry has gone, and objects that belong to no order, only a check of the whole archive finds: make one now and then.

Kinds of damage, as they are printed and in "kind":

    missing       a manifest names a file that is not there, or a manifest is not there and a later one is
    changed       a file's bytes are not those that its name and manifest say; "how" is altered, truncated, extended, swapped (they are
                  those of the file "from"), miscounted (the bytes are right, the manifest's size is not), or forged (of an
                  encrypted file: what is stored was never what its name says)
    locked        an encrypted file that none of the given secret keys opens; what is stored is as it should be
    bad-manifest  a manifest can not be read, is about another order, or does not follow the one before
    no-manifest   a journal entry without its manifest
    unknown       an object that no version up to this one makes
    unnamed       evidence that no manifest names, of an order that does not wait (mended)
    unjournaled   a manifest without its journal entry (mended)
    leftover      a marker or note of an archived order (mended)

If there are seals, or a --seal-key, the seals are checked too: that they form one chain, each signed by the key and stamped where it
says so, that nothing that was sealed is gone, and that nothing is unsealed although its window is over (docs/evidence.md). Look at what it says of the timestamps: seals that were removed and made anew by whoever seals have later ones:

    unsealed       a manifest that no seal has
    removed        a seal names a manifest that is not there
    bad-seal       leaves or a checkpoint are not what was signed, or do not follow the seal before
    bad-timestamp  a timestamp is not one of its checkpoint, or is of a time that can not be

With --bag, a bag that kycvault export made is checked, and no archive; no setting is needed:

    kycvault verify --bag case-4711.zip --seal-key seal-key.pub --tsa-ca tsa-ca.pem

It does what the README in the bag does: the bag's own lists, each file by its manifest, each manifest by its proof and the signed root, the signature, the
timestamp, and with --identity the plain bytes of encrypted files. Without --seal-key (or $KYC_SEAL_KEY) the signature is checked by the
key in the bag, without --tsa-ca the timestamp by the certificates in it: whoever made the bag put them there, so compare them. The bag's
README.md and check.py are not looked into. A manifest that its proof does not lead to the signed root is unsealed; more kinds of damage:

    unlisted  a file that no list of the bag names
    refused   a file that must not be taken: a name that leads out of the bag or is there twice, a link, an encrypted entry, a ZIP bomb
    bad-list  a list of the bag, bagit.txt or bag-info.txt can not be read, or says what is not so

The fields of --json:

    orders, files, bytes  what was read and found good
    seconds               how long it took
    stopped               why it ended early, "" if it did not
    seals                 of the seals, if they were checked: seals, leaves, timestamps, until, firstTimestamp (nobody vouches that a
                          seal was there before), slowestTimestamp (the most seconds from a window's end to its timestamp)
    damage, mended        each with orderNo, key, kind, what (for people), and, of a changed file, how and from
    bag                   with --bag: keyGiven and caGiven (whether they were, and not the bag's own), encrypted (files that were not
                          opened), and seals, each with name, until (the window's end), key (that in the bag, "" if it has not
                          signed), timestamp where there is a good one

Example:

    kycvault verify --archive "file://$PWD/vault"
    kycvault verify --archive "file://$PWD/vault" --since 36h

Exit codes: 0 all is well or mended, 1 something is damaged or not there, 2 wrong usage.`
}

// maxVerifyParallel bounds --parallel of verify: each order holds a file or a connection.
const maxVerifyParallel = 256

// Run does it.
func (c *verifyCmd) Run(ctx context.Context, a *app) error {
	if c.Bag != "" {
		return c.runBag(ctx, a)
	}
	options, err := c.options(a)
	if err != nil {
		return usage(err)
	}
	cfg, err := a.config(platform.NeedArchive)
	if err != nil {
		return err
	}
	b, err := openExisting(cfg.Archive)
	if err != nil {
		return err
	}
	sealOptions, err := c.sealOptions(a, cfg, options)
	if err != nil {
		return err
	}
	v := verdict{Damage: []archive.Damage{}, Mended: []archive.Damage{}}
	stopped := v.check(ctx, a, archive.New(b), options)
	if stopped == nil {
		stopped = v.checkSeals(ctx, a, archive.New(b), sealOptions)
	}
	if stopped == nil && !c.ReadOnly {
		stopped = v.mend(ctx, local.Mender(cfg, b, writer(), quiet(a, cfg)))
	}
	return c.report(ctx, a, v, stopped)
}

// options reads what is to be checked.
func (c *verifyCmd) options(a *app) (o archive.VerifyOptions, err error) {
	if o.Orders, err = parseOrders(c.Orders); err != nil {
		return o, err
	}
	if c.Parallel < 1 || c.Parallel > maxVerifyParallel {
		return o, fmt.Errorf("--parallel must be 1 to %d", maxVerifyParallel)
	}
	o.Parallel = c.Parallel
	if len(c.Keys) > 0 {
		if o.Keys, err = agekey.ReadIdentities(c.Keys...); err != nil {
			return o, err
		}
	}
	if c.Since != "" && c.Day != "" || len(c.Orders) > 0 && (c.Since != "" || c.Day != "") {
		return o, errors.New("name orders, or a time with --since or --day, not both")
	}
	if c.Since != "" {
		o.From, err = parseSince(c.Since, a.now())
	}
	if c.Day != "" {
		o.From, err = parseDay(c.Day, a.now())
		o.To = o.From.Add(24 * time.Hour)
	}
	return o, err
}

// openExisting opens an archive that must be there: to look into a folder that a typing mistake made would find all well.
func openExisting(location platform.Archive) (bucket.Bucket, error) {
	if location.Scheme == platform.SchemeFile {
		if _, err := os.Stat(location.Path); err != nil {
			return nil, fmt.Errorf("open archive: %w", err)
		}
	}
	return local.OpenArchive(location)
}

// report prints what was found, also when the check ended early.
func (c *verifyCmd) report(ctx context.Context, a *app, v verdict, stopped error) error {
	if stopped != nil {
		v.Stopped = stopped.Error()
		if ctx.Err() != nil {
			v.Stopped = "interrupted"
		}
	}
	v.sort()
	if err := v.show(a, c.JSON); err != nil {
		return err
	}
	switch {
	case v.Stopped == "interrupted":
		return fmt.Errorf("interrupted after %d orders; nothing is lost by it: run the same command again, or check in parts, with --day", v.Orders)
	case stopped != nil:
		return stopped
	case len(v.Damage) > 0:
		return fmt.Errorf("damaged: %d; keep the archive as it is, and look for the objects in a backup or an older version", len(v.Damage))
	}
	return nil
}

// check reads the archive again, and tells how far it is meanwhile.
func (v *verdict) check(ctx context.Context, a *app, vault *archive.Archive, o archive.VerifyOptions) (err error) {
	start := a.now()
	var m *meter
	o.Progress = func(done archive.Checked, about int) {
		if m == nil {
			m = a.meter("verify", "orders", int64(about))
		}
		m.expect(int64(about))
		m.at(int64(done.Orders), "")
	}
	v.Checked, err = vault.VerifyWith(ctx, func(d archive.Damage) { v.Damage = append(v.Damage, d) }, o)
	if m != nil {
		m.end()
	}
	if err == nil {
		err = v.unheard(ctx, kyc.Orders{Archive: vault}, o.Orders)
	}
	v.Seconds = a.now().Sub(start).Round(time.Millisecond).Seconds()
	return err
}
