package main

import (
	"context"
	"fmt"
	"net"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
	"github.com/kycvault/kycvault/pkg/webhook"
)

type serveCmd struct {
	Listen string `default:"127.0.0.1:8080" placeholder:"ADDR" help:"Address of the webhook, by default ${default}. Put TLS in front of it."`

	logFlags
	archiveFlags
	upstreamFlags
	webhookFlags
	paceFlags
}

// Help implements kong.HelpProvider.
func (serveCmd) Help() string {
	return `Runs all three functions in one process: the webhook, the delayed steps and the scheduled re-fetch. A restart, also
after a kill -9, picks up every order that waits. SIGTERM and Ctrl-C let what is under way end.

Example:

    export KYC_APP_ID=IDAXXXXX KYC_SECRET=… KYC_TICKET=own KYC_WEBHOOK_KEY=…
    kycvault serve --archive file:///var/lib/kycvault --listen 127.0.0.1:8080

Exit codes: 0 stopped as asked, 1 could not serve, 2 wrong usage.`
}

// Run does it.
func (c *serveCmd) Run(ctx context.Context, a *app) error {
	cfg, err := a.config(platform.NeedUpstream | platform.NeedArchive | platform.NeedWebhook)
	if err != nil {
		return err
	}
	if cfg.WebhookAuth == webhook.NoProof {
		if err := webhook.LoopbackOnly(c.Listen); err != nil {
			return usage(err)
		}
	}
	log := a.logger(cfg)
	server, err := local.New(cfg, local.Options{Writer: writer(), Log: log})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	log.Info("serving", "address", listener.Addr().String(), "version", version, "config", cfg)
	if err := server.Serve(ctx, listener); err != nil {
		return err
	}
	log.Info("stopped; orders that wait are taken up at the next start")
	return nil
}
