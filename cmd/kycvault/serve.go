package main

import (
	"context"
	"errors"

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
	sealingFlags
}

// Help implements kong.HelpProvider.
func (serveCmd) Help() string {
	return `Runs all three functions in one process: the webhook, the delayed steps and the scheduled re-fetch. A restart, also
after a kill -9, picks up every order that waits. SIGTERM and Ctrl-C let what is under way end.

Example (the app id and the secret are the ones that the service gave you):

    export KYC_APP_ID=IDAXXXXX KYC_SECRET=the-app-secret KYC_TICKET=own
    export KYC_ARCHIVE="file://$PWD/vault" KYC_WEBHOOK_KEY="$(head -c 32 /dev/urandom | base64)"
    kycvault serve --listen 127.0.0.1:8080

Exit codes: 0 stopped as asked, 1 could not serve, 2 wrong usage.`
}

// Run does it.
func (c *serveCmd) Run(ctx context.Context, a *app) error {
	if err := checkListen(c.Listen); err != nil {
		return usage(err)
	}
	cfg, err := a.config(platform.NeedUpstream | platform.NeedArchive | platform.NeedWebhook)
	if err != nil {
		return err
	}
	if cfg.WebhookAuth == webhook.NoProof {
		if err := webhook.LoopbackOnly(c.Listen); err != nil {
			return usage(err)
		}
	}
	// The address comes before the archive: who can not serve makes no folder.
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	log := a.logger(cfg)
	server, err := local.New(cfg, local.Options{Writer: writer(), Log: log})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	log.Info("serving", "address", listener.Addr().String(), "version", version, "config", cfg)
	if err := server.Serve(ctx, listener); err != nil {
		return err
	}
	log.Info("stopped; orders that wait are taken up at the next start")
	return nil
}
