package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bag"
	"github.com/kycvault/kycvault/pkg/bundle"
)

// bagVerdict is what --json prints of a bag besides.
type bagVerdict struct {
	Seals     []bundle.Seal `json:"seals"`
	KeyGiven  bool          `json:"keyGiven"`
	CAGiven   bool          `json:"caGiven"`
	Encrypted int           `json:"encrypted"`

	ca bool // the bag has certificates
}

// runBag checks a bag in place of the archive. No setting is needed for it.
func (c *verifyCmd) runBag(ctx context.Context, a *app) error {
	if len(c.Orders)+len(c.Checkpoint) > 0 || c.Since+c.Day+c.Archive != "" {
		return usage(errors.New("--bag checks a bag whole, and no archive: leave orders, --since, --day, --checkpoint and --archive away"))
	}
	o, err := c.bagOptions(a)
	if err != nil {
		return err
	}
	b, err := bag.Open(c.Bag)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	v, stopped := checkBag(ctx, a, b, o)
	return c.reportBag(a, v, stopped)
}

// bagOptions reads what a bag is checked by.
func (c *verifyCmd) bagOptions(a *app) (o bundle.Options, err error) {
	cfg, err := a.config(0)
	if err != nil {
		return o, err
	}
	if o.Keys, err = c.keys(cfg); err != nil {
		return o, err
	}
	if o.Roots, err = cfg.TSARoots(); err != nil {
		return o, usage(err)
	}
	o.Identities, err = agekey.ReadIdentities(c.Keys...)
	return o, usage(err)
}

// checkBag checks a bag, and tells how far it is meanwhile.
func checkBag(ctx context.Context, a *app, b *bag.Reader, o bundle.Options) (verdict, error) {
	start := a.now()
	m := a.meter("verify", unitBytes, b.Size())
	o.Progress = func(bytes int64) { m.at(bytes, "") }
	found, err := bundle.Check(ctx, b, o)
	m.end()
	return verdict{
		Checked: found.Checked,
		Seconds: a.now().Sub(start).Round(time.Millisecond).Seconds(),
		Damage:  append([]archive.Damage{}, found.Damage...),
		Mended:  []archive.Damage{},
		Bag: &bagVerdict{
			Seals: append([]bundle.Seal{}, found.Seals...), KeyGiven: len(o.Keys) > 0, CAGiven: o.Roots != nil, Encrypted: found.Encrypted, ca: found.CA,
		},
	}, err
}

// reportBag prints what was found, also when the check ended early.
func (c *verifyCmd) reportBag(a *app, v verdict, stopped error) error {
	if stopped != nil {
		v.Stopped = "interrupted"
	}
	v.sort()
	if err := v.show(a, c.JSON); err != nil {
		return err
	}
	if stopped != nil {
		return errors.New("interrupted: the bag was not read whole; run the same command again")
	}
	v.Bag.warn(a)
	if len(v.Damage) > 0 {
		return fmt.Errorf("damaged: %d; this bag proves nothing as it is: get it again from where it came, or export it anew", len(v.Damage))
	}
	return nil
}

// warn tells what the check could not know.
func (b *bagVerdict) warn(a *app) {
	var keys []string
	stamps := 0
	for _, s := range b.Seals {
		if s.Key != "" && !strings.Contains(strings.Join(keys, ", "), s.Key) {
			keys = append(keys, s.Key)
		}
		if !s.Timestamp.IsZero() {
			stamps++
		}
	}
	if !b.KeyGiven && len(keys) > 0 {
		a.tell("warning: the seals were checked by the key that came in the bag; it counts only if it is the one that was published: compare it, or give that with --seal-key: " + strings.Join(keys, ", "))
	}
	switch {
	case stamps < len(b.Seals):
		a.tell(fmt.Sprintf("warning: %d of %d seals have no good timestamp: nobody but who holds the seal key says when they were made", len(b.Seals)-stamps, len(b.Seals)))
	case b.CAGiven || stamps == 0:
	case b.ca:
		a.tell("warning: the timestamps were checked by certificates that came in the bag; they count only if the authority's own are the same: compare them, or give those with --tsa-ca")
	default:
		a.tell("warning: the timestamps were checked by the certificates within them: anyone can make such; get the authority's root and give it with --tsa-ca")
	}
	if b.Encrypted > 0 {
		a.tell(fmt.Sprintf("%d files are encrypted: they are what was sealed; with --identity FILE what they hold is checked too", b.Encrypted))
	}
}

// lines say who has signed the seals, and when.
func (b *bagVerdict) lines() []string {
	var lines []string
	for _, s := range b.Seals {
		line := fmt.Sprintf("seal %s: what was archived until %s", s.Name, s.Until.Format(time.RFC3339))
		if s.Key != "" {
			line += ", signed by " + s.Key
		}
		if !s.Timestamp.IsZero() {
			line += ", timestamp " + s.Timestamp.Format(time.RFC3339)
		}
		lines = append(lines, line)
	}
	return lines
}
