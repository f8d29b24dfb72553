package main

import (
	"context"
	"errors"
	"time"

	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
)

type simCmd struct {
	Listen     string        `default:"127.0.0.1:8090" placeholder:"ADDR" help:"Loopback address, by default ${default}."`
	MediaAfter time.Duration `default:"1500ms" placeholder:"TIME" help:"From the end of a check until its media can be had, by default ${default}."`
	Seed       uint64        `placeholder:"N" help:"Makes tickets and faults repeatable."`
	Cases      bool          `help:"Print the test order numbers as a table and exit."`

	AppID string `sets:"KYC_APP_ID" name:"app-id" placeholder:"ID" help:"The app id that callers must name."`
}

// Help implements kong.HelpProvider.
func (simCmd) Help() string {
	return `Runs the fake upstream alone, for tests and to wire up a front end: as strict as the real service, and unkind on request.
What it does with an order is chosen by the order number, as payment sandboxes have test cards; --cases lists them. App id
and secret are KYC_APP_ID and KYC_SECRET, as for serve. To callers on this machine, /_sim/cases, /_sim/history and
/_sim/stats show the test order numbers and what was asked.

Example: a service and a vault on one machine:

    export KYC_APP_ID=IDAXXXXX KYC_SECRET=any-secret KYC_TICKET=own
    export KYC_ARCHIVE="file://$PWD/vault" KYC_WEBHOOK_KEY="$(head -c 32 /dev/urandom | base64)"
    kycvault sim --listen 127.0.0.1:8090 &
    kycvault serve --base-url http://127.0.0.1:8090

Exit codes: 0 stopped as asked, 1 could not serve, 2 wrong usage.`
}

// Run does it.
func (c *simCmd) Run(ctx context.Context, a *app) error {
	if c.Cases {
		return a.print(faceidtest.MarkdownTable())
	}
	if err := checkListen(c.Listen); err != nil {
		return usage(err)
	}
	if c.MediaAfter < 0 {
		return usage(errors.New("--media-after must not be negative"))
	}
	cfg, err := a.config(0)
	if err != nil {
		return err
	}
	if cfg.AppID == "" || cfg.Secret.Empty() {
		return usage(errors.New("the fake upstream needs KYC_APP_ID and KYC_SECRET, the same as serve's"))
	}
	listener, err := faceidtest.Listen(c.Listen)
	if errors.Is(err, faceidtest.ErrNotLoopback) {
		return usage(err)
	}
	if err != nil {
		return err
	}
	if c.MediaAfter == 0 {
		c.MediaAfter = -1 // for the fake 0 is its default
	}
	a.logger(cfg).Info("fake upstream is serving", "url", "http://"+listener.Addr().String())
	sim := faceidtest.New(faceidtest.Config{AppID: cfg.AppID, Secret: cfg.Secret, Seed: c.Seed, MediaAfter: c.MediaAfter})
	return sim.Serve(ctx, listener)
}
