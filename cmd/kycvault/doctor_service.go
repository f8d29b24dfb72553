package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/ticket"
)

// askFor bounds each question to the service.
const askFor = 30 * time.Second

// upstream looks whether the service can be reached, and compares its clock.
func (d *doctor) upstream(ctx context.Context, cfg platform.Config) {
	api, err := service(cfg)
	if err != nil {
		return // settings that are absent or wrong are findings already
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	date, err := api.Reach(ctx)
	if err != nil {
		d.add(finding{Check: "service", Level: levelBad, Found: err.Error(), Means: "no order can be asked for; they wait",
			Do: "look at KYC_BASE_URL, the network, name servers, and HTTPS_PROXY where there is a proxy"})
		return
	}
	d.ok("service", "reached")
	if !date.IsZero() {
		d.skew("clock of the service", "the service's times", date.Sub(d.app.now().Truncate(time.Second)))
	}
}

func service(cfg platform.Config) (*faceid.API, error) {
	return faceid.New(faceid.Config{AppID: cfg.AppID, BaseURL: cfg.BaseURL, Dialect: faceid.Dialect(cfg.API)})
}

// ticket looks who owns the ticket, whether there is a good one, and whether the service takes it.
func (d *doctor) ticket(ctx context.Context, cfg platform.Config, vault *archive.Archive) {
	if !cfg.OwnTicket && cfg.TicketURL == "" || cfg.OwnTicket && (vault == nil || cfg.Secret.Empty() || cfg.AppID == "") {
		return // a setting is absent or wrong: a finding already
	}
	d.owner(cfg)
	asking, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	pair, err := newestPair(asking, d.app, cfg)
	now := d.app.now()
	switch {
	case errors.Is(err, ticket.ErrNone):
		d.none(ctx, vault)
	case err != nil:
		d.add(finding{Check: "ticket", Level: levelBad, Found: err.Error(), Means: "no query can be signed, so no order can be asked for", Do: "look at KYC_TICKET, KYC_TICKET_TOKEN, and at that service"})
	case !now.Before(pair.Expires) && cfg.OwnTicket:
		d.add(finding{Check: "ticket", Level: levelWarning, Found: fmt.Sprintf("generation %d ended %s ago", pair.Generation, roughly(now.Sub(pair.Expires))),
			Means: "nothing has refreshed it: no serve has run a pass for that long", Do: "start serve, or let a scheduler run kycvault refetch"})
	case !now.Before(pair.Expires):
		d.add(finding{Check: "ticket", Level: levelBad, Found: "the ticket service gives one that has ended", Means: "no query can be signed", Do: "look at that service"})
	default:
		found := "ends in " + roughly(pair.Expires.Sub(now))
		if cfg.OwnTicket {
			found = fmt.Sprintf("generation %d, %s old, ", pair.Generation, roughly(now.Sub(pair.Requested))) + found
		}
		d.ok("ticket", found)
		d.signature(ctx, cfg, pair)
	}
}

// owner tells who refreshes, since two owners break each other.
func (d *doctor) owner(cfg platform.Config) {
	if cfg.OwnTicket {
		d.info("ticket's owner", "kycvault (KYC_TICKET=own)", "nothing else may refresh the ticket of this app id, in no environment: each refresh ends the one before")
		return
	}
	d.info("ticket's owner", "the ticket service of KYC_TICKET", "kycvault never refreshes it")
}

// none tells apart an archive without a ticket and one whose tickets do not open.
func (d *doctor) none(ctx context.Context, vault *archive.Archive) {
	for _, err := range vault.Bucket().List(ctx, archive.TicketPrefix, "") {
		if err == nil {
			d.add(finding{Check: "ticket", Level: levelWarning, Found: "the archive's tickets do not open", Means: "they were made with another KYC_SECRET or KYC_APP_ID; the next pass asks for a new one",
				Do: "make sure that KYC_SECRET is the new one after a change, and that no other app id uses this archive"})
			return
		}
	}
	d.add(finding{Check: "ticket", Level: levelWarning, Found: "there is none yet", Means: "whether the service takes KYC_APP_ID and KYC_SECRET is not known before the first one is asked for",
		Do: "start serve, or run kycvault refetch; then kycvault doctor again"})
}

// noOrder is an order number that no back end makes: it is asked about to see whether the service takes the signature.
const noOrder archive.Order = "kycvaultdoctor"

// signature asks the service about an order that does not exist: the answer tells whether app id, ticket and access are right.
func (d *doctor) signature(ctx context.Context, cfg platform.Config, pair ticket.Pair) {
	api, err := service(cfg)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	reply, err := api.Query(ctx, pair.Ticket, noOrder, 0, nil)
	class, found := reply.Class, "answered with code "+reply.Code
	if err != nil {
		class, found = kyc.ClassOf(err), err.Error()
	}
	f := finding{Check: "signature", Found: found}
	switch class {
	case kyc.OK, kyc.Final, kyc.Pending:
		f.Level = levelOK
	case kyc.Ticket:
		f.Level, f.Means, f.Do = levelBad, "the service does not take the ticket: no order can be asked for",
			"make sure that nothing else refreshes this app id's ticket, and that KYC_APP_ID is the ticket's"
	case kyc.Config:
		f.Level, f.Means, f.Do = levelBad, "the service refuses this app id or this machine: no order can be asked for",
			"ask the service's support: allow-list of addresses, contract, or whether the service is enabled"
	case kyc.Busy:
		f.Level, f.Means, f.Do = levelWarning, "too many requests just now; kycvault backs off by itself", "ask for a higher limit if it stays"
	default:
		f.Level, f.Means, f.Do = levelWarning, "the service did not answer well this time", "run kycvault doctor again"
	}
	d.add(f)
}

// The age of an order from which on it is at risk (DESIGN section 3).
const atRiskAge = 48 * time.Hour

// waiting counts the orders that wait and those at risk, and looks whether everyone backs off.
func (d *doctor) waiting(ctx context.Context, vault *archive.Archive) {
	if vault == nil {
		return
	}
	gate := kyc.Gate{Bucket: vault.Bucket()}
	if closed, _, err := gate.Closed(ctx); err == nil && closed {
		d.add(finding{Check: "back-off", Level: levelBad, Found: "everyone backs off from the service", Means: "it refused a ticket, a configuration, or too many requests: all orders wait, and none is given up for it",
			Do: "mend what is told above, or look for the log line \"upstream refuses everyone\"; it ends by itself at the first good answer"})
	}
	now, err := vault.Now(ctx)
	count, risky, strange := 0, 0, 0
	for l, scanErr := range vault.Scan(ctx, archive.ScanPending) {
		switch {
		case archive.Strange(scanErr):
			strange++
		case scanErr != nil:
			err = scanErr
		default:
			count++
			if now.Sub(l.At) > atRiskAge {
				risky++
			}
		}
	}
	if err != nil {
		d.add(finding{Check: "orders that wait", Level: levelBad, Found: err.Error(), Means: "what waits can not be seen, nor taken up", Do: "let this user read the archive"})
		return
	}
	f := finding{Check: "orders that wait", Level: levelOK, Found: fmt.Sprintf("%d, none of them older than 48 hours", count)}
	if risky > 0 {
		f = finding{Check: f.Check, Level: levelBad, Found: fmt.Sprintf("%d, %d of them older than 48 hours", count, risky), Means: "the service forgets an order's media after 72 hours",
			Do: "mend what is bad above, then kycvault refetch; kycvault ls --state pending names them"}
	}
	d.add(f)
	if strange > 0 {
		d.add(finding{Check: "orders that wait", Level: levelWarning, Found: fmt.Sprintf("%d keys below pending/ are none that kycvault makes", strange), Means: "nothing takes them up", Do: "look who put them there"})
	}
}
