package main

import (
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// configuration tells of every variable whether it is set, not set or wrong, and never its value. It gives the settings
// without those that are wrong, so that the rest can be looked at.
func (d *doctor) configuration() platform.Config {
	_, err := platform.Load(d.app.lookup, platform.NeedUpstream|platform.NeedArchive|platform.NeedWebhook)
	wrong := mistakes(err)
	for _, v := range platform.Variables() {
		if len(wrong[v.Name]) == 0 {
			d.ok(v.Name, d.origin(v))
		}
		for _, m := range wrong[v.Name] {
			d.add(finding{Check: v.Name, Level: levelBad, Found: m.Problem, Means: "serve does not start with it", Do: "set " + m.Expected})
		}
		delete(wrong, v.Name)
	}
	for name, list := range wrong { // Amazon's own
		for _, m := range list {
			d.add(finding{Check: name, Level: levelBad, Found: m.Problem, Means: "serve does not start with it", Do: "set " + m.Expected})
		}
	}
	for _, name := range platform.Unknown(d.app.environ) {
		d.add(finding{Check: name, Level: levelWarning, Found: "nothing reads it", Means: "most likely a typing mistake: what it was to say is not set", Do: "correct or remove it"})
	}
	cfg, err := platform.Load(func(name string) (string, bool) {
		if list := mistakes(err)[name]; len(list) > 0 {
			return "", false
		}
		return d.app.lookup(name)
	}, 0)
	if err != nil {
		return platform.Config{} // the first look told why
	}
	d.choices(cfg)
	return cfg
}

// mistakes sorts what is wrong by variable.
func mistakes(err error) map[string][]*platform.Mistake {
	all := make(map[string][]*platform.Mistake)
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // Load joins them itself
	if !ok {
		return all
	}
	for _, err := range joined.Unwrap() {
		if m, ok := err.(*platform.Mistake); ok { //nolint:errorlint // the same
			all[m.Variable] = append(all[m.Variable], m)
		}
	}
	return all
}

// origin tells where a variable's value comes from.
func (d *doctor) origin(v platform.Variable) string {
	value, set := d.app.overrides[v.Name]
	if set && value != "" {
		return "set by its flag"
	}
	if value, _ = d.app.lookup(v.Name); value != "" {
		return "set"
	}
	if v.Default != "" {
		return "not set: the default counts"
	}
	return "not set, and need not be"
}

const (
	serviceKeeps = 72 * time.Hour // the service forgets then (PROTOCOL section 4)
	calmEvery    = time.Hour      // a re-fetch that runs less often leaves few tries
)

// choices tells of settings that are right, and may still not be meant.
func (d *doctor) choices(cfg platform.Config) {
	if cfg.Deadline < serviceKeeps {
		d.add(finding{Check: "KYC_DEADLINE", Level: levelWarning, Found: "less than 72h",
			Means: "orders are given up while the service may still have their media", Do: "leave it at its default, but for tests"})
	}
	if cfg.RefetchEvery > calmEvery {
		d.add(finding{Check: "KYC_REFETCH_EVERY", Level: levelWarning, Found: "more than an hour",
			Means: "late media get few tries before the service forgets them, and the ticket is not kept fresh", Do: "make it minutes; the default is 5m"})
	}
	d.encryption(cfg)
	if cfg.WebhookAuth == webhook.NoProof {
		d.info("KYC_WEBHOOK_AUTH", "none", "whoever reaches the webhook can start work; serve takes that on a loopback address only")
	}
}

// encryption tells who can read the evidence.
func (d *doctor) encryption(cfg platform.Config) {
	switch n := len(cfg.Recipients); n {
	case 0:
		d.info("encryption", "none", "whoever can read the archive sees faces; KYC_RECIPIENTS would encrypt them, see kycvault keygen --help")
	case 1:
		d.add(finding{Check: "encryption", Level: levelWarning, Found: "1 recipient", Means: "when that one secret key is lost, all evidence is",
			Do: "name a second one, whose secret key lies at another place: KYC_RECIPIENTS=age1…,age1…"})
	default:
		d.ok("encryption", fmt.Sprintf("%d recipients: any one of their secret keys opens what is stored from now on", n))
	}
}
