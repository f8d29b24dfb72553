package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/seal"
)

// verdict is what --json prints. The help tells what its fields mean.
type verdict struct {
	archive.Checked
	Seconds float64          `json:"seconds"`
	Stopped string           `json:"stopped"`
	Damage  []archive.Damage `json:"damage"`
	Mended  []archive.Damage `json:"mended"`
	Seals   *seal.Sealed     `json:"seals,omitempty"`
	Bag     *bagVerdict      `json:"bag,omitempty"` // of --bag

	part bool // the seals were compared with a part of the archive
	yet  int  // manifests of that part that came after the last seal
}

// sort puts what was found into the order of keys.
func (v *verdict) sort() {
	for _, list := range [][]archive.Damage{v.Damage, v.Mended} {
		slices.SortStableFunc(list, func(a, b archive.Damage) int {
			return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Kind, b.Kind))
		})
	}
}

// unheard makes damage of each order that was named and of which the archive knows nothing.
func (v *verdict) unheard(ctx context.Context, known kyc.Orders, named []archive.Order) error {
	found := make(map[archive.Order]bool)
	for _, d := range v.Damage {
		found[d.Order] = true
	}
	for _, o := range named {
		if found[o] {
			continue
		}
		if _, err := known.Status(ctx, o); errors.Is(err, kyc.ErrUnknownOrder) {
			v.Damage = append(v.Damage, archive.Damage{Order: o, Kind: archive.Missing, What: "the archive knows nothing of this order"})
		} else if err != nil {
			return fmt.Errorf("look at order %s: %w", o, err)
		}
	}
	return nil
}

// mender makes a step on an order that asks nothing upstream.
type mender interface {
	Mend(ctx context.Context, o archive.Order) error
}

// mend lets each order with damage that a step can mend make that step. A step takes stored bytes for what their names say,
// so an order whose files or manifests are damaged is left alone: no new manifest may vouch for a file that is cut short, and no
// journal entry for a manifest that stands in the place of another.
func (v *verdict) mend(ctx context.Context, m mender) error {
	done := v.untouchable()
	var left []archive.Damage
	for _, d := range v.Damage {
		if !d.Mendable() {
			left = append(left, d)
			continue
		}
		if _, ok := done[d.Order]; !ok {
			done[d.Order] = m.Mend(ctx, d.Order)
		}
		switch err := done[d.Order]; {
		case err == nil:
			v.Mended = append(v.Mended, d)
		case errors.Is(err, archive.ErrDamaged), errors.Is(err, archive.ErrNewer):
			left = append(left, d)
		default:
			return fmt.Errorf("mend order %s: %w", d.Order, err)
		}
	}
	v.Damage = append([]archive.Damage{}, left...)
	return nil
}

// untouchable gives ErrDamaged for each order that no step may touch.
func (v *verdict) untouchable() map[archive.Order]error {
	orders := make(map[archive.Order]error)
	for _, d := range v.Damage {
		switch d.Kind {
		case archive.Changed, archive.Missing, archive.BadManifest, archive.NoManifest, archive.Locked, seal.Removed:
			orders[d.Order] = archive.ErrDamaged
		}
	}
	return orders
}

// show prints it, for machines or for people.
func (v verdict) show(a *app, asJSON bool) error {
	if asJSON {
		return a.printJSON(v)
	}
	return v.print(a)
}

func (v verdict) print(a *app) error {
	for _, d := range v.Mended {
		if err := a.print(fmt.Sprintf("mended %s: %s: %s", d.Kind, cmp.Or(d.Key, string(d.Order)), d.What)); err != nil {
			return err
		}
	}
	for _, d := range v.Damage {
		if err := a.print(fmt.Sprintf("damaged %s: %s: %s", d.Kind, cmp.Or(d.Key, string(d.Order)), d.What)); err != nil {
			return err
		}
	}
	if v.Seals != nil {
		if err := a.print(v.sealLine()); err != nil {
			return err
		}
	}
	if v.Bag != nil {
		if err := a.printAll(v.Bag.lines()); err != nil {
			return err
		}
	}
	return a.print(fmt.Sprintf("%d orders, %d files, %d bytes read: %d damaged, %d mended", v.Orders, v.Files, v.Bytes, len(v.Damage), len(v.Mended)))
}
