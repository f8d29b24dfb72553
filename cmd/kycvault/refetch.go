package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

type refetchCmd struct {
	JSON bool `name:"json" help:"One JSON object on stdout."`

	logFlags
	archiveFlags
	upstreamFlags
	paceFlags
	sealingFlags
}

// Help implements kong.HelpProvider.
func (refetchCmd) Help() string {
	return `Makes one pass of the scheduled re-fetch: keeps the ticket fresh, asks once for each order whose turn it is, and gives up
those past their deadline. It ends when the tries are done. A running serve makes these passes itself; this is for a
machine that has a scheduler instead, and for a look. Doing it twice is harmless.

The fields of --json:

    waiting        orders that waited when the pass began
    atRisk         of them older than 48 hours: the service forgets after 72
    oldestSeconds  the age of the oldest
    due            whose turn it was
    handedOut      of them tried: no more than fit before the next pass
    strays         notes without an order that waits, removed
    strange        keys that no version of kycvault makes

Example, with serve's settings in the environment:

    kycvault refetch

Exit codes: 0 the pass was made, whatever it found; 1 it could not be made, or the service refuses everyone; 2 wrong usage.`
}

// passed is what --json prints.
type passed struct {
	Waiting int     `json:"waiting"`
	AtRisk  int     `json:"atRisk"`
	Oldest  float64 `json:"oldestSeconds"`
	Due     int     `json:"due"`
	Handed  int     `json:"handedOut"`
	Strays  int     `json:"strays"`
	Strange int     `json:"strange"`
}

// Run does it.
func (c *refetchCmd) Run(ctx context.Context, a *app) error {
	cfg, err := a.config(platform.NeedUpstream | platform.NeedArchive)
	if err != nil {
		return err
	}
	b, err := openExisting(cfg.Archive)
	if err != nil {
		return err
	}
	server, err := local.New(cfg, local.Options{Writer: writer(), Log: quiet(a, cfg), Bucket: b})
	if err != nil {
		return err
	}
	report, err := server.RefetchOnce(ctx)
	if err != nil {
		return err
	}
	if err := c.print(a, report); err != nil {
		return err
	}
	if refused, _, err := server.Refetcher.Gate.Closed(context.WithoutCancel(ctx)); err != nil || refused {
		return errors.Join(err, errors.New("the service refuses everyone just now, and no order is given up for it; kycvault doctor tells more"))
	}
	return nil
}

func (c *refetchCmd) print(a *app, r kyc.PassReport) error {
	if c.JSON {
		return a.printJSON(passed{
			Waiting: r.Waiting, AtRisk: r.AtRisk, Oldest: r.Oldest.Round(time.Millisecond).Seconds(), Due: r.Due, Handed: r.Handed,
			Strays: r.Strays, Strange: r.Strange,
		})
	}
	if r.AtRisk > 0 {
		a.tell(fmt.Sprintf("%d orders are older than 48 hours: the service forgets them after 72", r.AtRisk))
	}
	if r.Handed < r.Due {
		a.tell(fmt.Sprintf("%d more are due; run the same command again", r.Due-r.Handed))
	}
	return a.print(fmt.Sprintf("%d orders waited, the oldest for %s: %d were due, %d were tried; %d strays removed, %d strange keys",
		r.Waiting, roughly(r.Oldest), r.Due, r.Handed, r.Strays, r.Strange))
}
