package main

import (
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/webhook"
)

type tokenCmd struct {
	Order string        `arg:"" help:"The order number."`
	TTL   time.Duration `name:"ttl" default:"1h" placeholder:"TIME" help:"How long the token is valid: 1s to 72h, by default ${default}."`

	WebhookAuth string `sets:"KYC_WEBHOOK_AUTH" placeholder:"WAY" help:"jwt, standard-webhooks or none: how the key is read."`
}

// Help implements kong.HelpProvider.
func (tokenCmd) Help() string {
	return `Prints a token that proves to the webhook that its holder may speak of this order, to wire up and try a front end. It is
signed with the first key of KYC_WEBHOOK_KEY, and good for POST /v1/completions, for the redirect's token parameter and
for GET /v1/orders/ORDER. Treat it like a password.

Example: tell a webhook that a check has ended:

    curl -X POST https://HOST/v1/completions -H "Authorization: Bearer $(kycvault token orderNo0001)" \
      -H "Content-Type: application/json" -d '{"orderNo":"orderNo0001"}'

Exit codes: 0 done, 1 not done, 2 wrong usage.`
}

// Run does it.
func (c *tokenCmd) Run(a *app) error {
	order, err := archive.ParseOrder(c.Order)
	if err != nil {
		return usage(err)
	}
	if c.TTL < time.Second || c.TTL > webhook.MaxTokenAge {
		return usage(fmt.Errorf("--ttl must be from 1s to %s", webhook.MaxTokenAge))
	}
	cfg, err := a.config(platform.NeedWebhookKey)
	if err != nil {
		return err
	}
	token, err := webhook.MintToken(cfg.WebhookKeys[0], cfg.WebhookAuth, order, c.TTL, a.now())
	if err != nil {
		return err
	}
	return a.print(token)
}
