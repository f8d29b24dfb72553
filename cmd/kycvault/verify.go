package main

import (
	"context"
	"fmt"
	"os"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

type verifyCmd struct {
	Orders   []string `arg:"" optional:"" name:"order" help:"Order numbers; none is the whole archive."`
	ReadOnly bool     `name:"read-only" help:"Report only; mend nothing."`
	JSON     bool     `name:"json" help:"One JSON object on stdout."`

	logFlags
	archiveFlags
	Media string `sets:"KYC_MEDIA" placeholder:"LIST" help:"What makes an order whole: photo,video or one of them."`
}

// Help implements kong.HelpProvider.
func (verifyCmd) Help() string {
	return `Reads the archive again and checks every file against its name and manifest, every manifest against the one before, and the
journal against both. What a step that died left behind is mended: evidence that no manifest names gets its manifest, a
manifest its journal entry, an archived order loses its marker. No evidence is ever changed or removed, and nothing is
mended of an order whose files are damaged: no new manifest may vouch for it.

Example:

    kycvault verify --archive "file://$PWD/vault"

Exit codes: 0 all is well or mended, 1 something is damaged or not there, 2 wrong usage.`
}

// Run does it.
func (c *verifyCmd) Run(ctx context.Context, a *app) error {
	orders, err := parseOrders(c.Orders)
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
	v := verdict{Damage: []archive.Damage{}, Mended: []archive.Damage{}}
	vault := archive.New(b)
	if v.Checked, err = vault.Verify(ctx, func(d archive.Damage) { v.Damage = append(v.Damage, d) }, orders...); err != nil {
		return err
	}
	if err := v.unheard(ctx, kyc.Orders{Archive: vault}, orders); err != nil {
		return err
	}
	if !c.ReadOnly {
		if err := v.mend(ctx, local.Mender(cfg, b, writer(), quiet(a, cfg))); err != nil {
			return err
		}
	}
	return c.report(a, v)
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

func (c *verifyCmd) report(a *app, v verdict) error {
	if c.JSON {
		if err := a.printJSON(v); err != nil {
			return err
		}
	} else if err := v.print(a); err != nil {
		return err
	}
	if len(v.Damage) > 0 {
		return fmt.Errorf("damaged: %d; keep the archive as it is, and look for the objects in a backup or an older version", len(v.Damage))
	}
	return nil
}
