package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/kycvault/kycvault/pkg/archive"
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
manifest its journal entry, an archived order loses its marker. No evidence is ever changed or removed.

Example:

    kycvault verify --archive file:///var/lib/kycvault

Exit codes: 0 all is well or mended, 1 something is damaged, 2 wrong usage.`
}

// verdict is what --json prints.
type verdict struct {
	archive.Checked
	Damage []archive.Damage `json:"damage"`
	Mended []archive.Damage `json:"mended"`
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
	b, err := local.OpenArchive(cfg.Archive)
	if err != nil {
		return err
	}
	v := verdict{Damage: []archive.Damage{}, Mended: []archive.Damage{}}
	vault := archive.New(b)
	if v.Checked, err = vault.Verify(ctx, func(d archive.Damage) { v.Damage = append(v.Damage, d) }, orders...); err != nil {
		return err
	}
	if !c.ReadOnly {
		if err := v.mend(ctx, local.Mender(cfg, b, writer(), quiet(a, cfg))); err != nil {
			return err
		}
	}
	return c.report(a, v)
}

// mend lets each order with damage that a step can mend make that step.
func (v *verdict) mend(ctx context.Context, mender interface {
	Mend(ctx context.Context, o archive.Order) error
}) error {
	var left []archive.Damage
	done := make(map[archive.Order]error)
	for _, d := range v.Damage {
		if !d.Mendable() {
			left = append(left, d)
			continue
		}
		if _, ok := done[d.Order]; !ok {
			done[d.Order] = mender.Mend(ctx, d.Order)
		}
		if err := done[d.Order]; errors.Is(err, archive.ErrDamaged) || errors.Is(err, archive.ErrNewer) {
			left = append(left, d)
		} else if err != nil {
			return fmt.Errorf("mend order %s: %w", d.Order, err)
		} else {
			v.Mended = append(v.Mended, d)
		}
	}
	v.Damage = append([]archive.Damage{}, left...)
	return nil
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
		return fmt.Errorf("%d things are damaged: keep the archive as it is, and look for the objects in a backup or an older version", len(v.Damage))
	}
	return nil
}

func (v verdict) print(a *app) error {
	for _, d := range v.Mended {
		if err := a.print(fmt.Sprintf("mended %s: %s: %s", d.Kind, d.Key, d.What)); err != nil {
			return err
		}
	}
	for _, d := range v.Damage {
		if err := a.print(fmt.Sprintf("damaged %s: %s: %s", d.Kind, d.Key, d.What)); err != nil {
			return err
		}
	}
	return a.print(fmt.Sprintf("%d orders, %d files, %d bytes read: %d damaged, %d mended", v.Orders, v.Files, v.Bytes, len(v.Damage), len(v.Mended)))
}
