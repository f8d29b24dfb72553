package platform

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/ticket"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// Parts are what differs from platform to platform.
type Parts struct {
	Bucket    bucket.Bucket // the archive's prefix is in it
	Delayer   kyc.Delayer
	Transport *http.Transport // to the upstream; nil is the client's own
	Writer    string          // program and version, for manifests
	Now       func() time.Time
	Rand      io.Reader
	Log       *slog.Logger

	Accepted  func() // called after each completion that opened an order; nil is nobody
	Refreshed func() // called after each refresh of the ticket that this process made; nil is nobody
}

// System is the core, wired. Every platform builds it with Wire and uses the parts that its functions need.
type System struct {
	Archive   *archive.Archive
	Intake    *kyc.Intake
	Orders    kyc.Orders
	Puller    *kyc.Puller
	Refetcher *kyc.Refetcher
	Tickets   Tickets
	accepted  func()
	log       *slog.Logger
	now       func() time.Time
}

// Tickets is either owner of the SIGN ticket (DESIGN section 5).
type Tickets interface {
	faceid.Tickets
	Recent(ctx context.Context) ([]secret.Text, error)
	Newest(ctx context.Context) (ticket.Pair, error)
	Warm(ctx context.Context) error
}

// Wire makes the core out of a configuration and a platform's parts. Nothing is reached over the network yet.
func Wire(c Config, p Parts) (*System, error) {
	api, err := faceid.New(faceid.Config{
		AppID: c.AppID, BaseURL: c.BaseURL, Dialect: faceid.Dialect(c.API), Rand: p.Rand, Transport: p.Transport,
	})
	if err != nil {
		return nil, fmt.Errorf("make upstream client: %w", err)
	}
	tickets, err := tickets(c, p, api)
	if err != nil {
		return nil, err
	}
	core := kyc.Core{
		Archive: archive.New(p.Bucket), Delayer: p.Delayer, Settings: c.settings(p.Writer),
		Now: p.Now, Rand: p.Rand, Log: p.Log,
	}
	gate := &kyc.Gate{Bucket: p.Bucket, Rand: p.Rand, Log: p.Log}
	return &System{
		Archive:   core.Archive,
		Intake:    &kyc.Intake{Core: core},
		Orders:    kyc.Orders{Archive: core.Archive},
		Puller:    &kyc.Puller{Core: core, Upstream: &faceid.Client{API: api, Tickets: tickets}, Gate: gate},
		Refetcher: &kyc.Refetcher{Core: core, Tickets: tickets, Gate: gate},
		Tickets:   tickets,
		accepted:  p.Accepted,
		log:       p.Log,
		now:       p.Now,
	}, nil
}

func (c Config) settings(writer string) kyc.Settings {
	host := c.BaseURL
	if u, err := url.Parse(c.BaseURL); err == nil {
		host = u.Host
	}
	s := kyc.Settings{
		AppID: c.AppID, Source: host, Writer: writer, Media: c.Media, KeepIdentity: c.KeepIdentity,
		StepDelay: c.StepDelay, Steps: c.Steps, RefetchEvery: c.RefetchEvery, Deadline: c.Deadline,
	}
	if len(c.Recipients) > 0 {
		s.Encrypt = c.Recipients
	}
	return s
}

// tickets makes the owner that the customer chose; there is no default.
func tickets(c Config, p Parts, api *faceid.API) (Tickets, error) {
	if c.OwnTicket {
		own, err := ticket.NewOwn(ticket.OwnConfig{
			Bucket: p.Bucket, AppID: c.AppID, Secret: c.Secret, Service: api, Now: p.Now, Rand: p.Rand, Log: p.Log,
			Refreshed: p.Refreshed,
		})
		if err != nil {
			return nil, err
		}
		return own, nil
	}
	remote, err := ticket.NewRemote(ticket.RemoteConfig{URL: c.TicketURL, Token: c.TicketToken, Now: p.Now, Log: p.Log})
	if err != nil {
		return nil, err
	}
	return remote, nil
}

// Webhook makes the HTTP side of the system.
func (s *System) Webhook(c Config) (*webhook.Handler, error) {
	w := webhook.Config{
		AppID: c.AppID, Auth: c.WebhookAuth, Keys: c.WebhookKeys, Redirect: c.WebhookRedirect, Origins: c.WebhookOrigins,
		Intake: intake{s.Intake, s.accepted}, Orders: s.Orders, Tickets: s.Tickets, Now: s.now, Log: s.log,
	}
	if c.OwnTicket {
		w.TicketToken, w.Pair = c.TicketToken, pairs{s.Tickets}
	}
	return webhook.New(w)
}

// intake tells of the completions that opened an order.
type intake struct {
	webhook.Intake
	accepted func()
}

// Complete implements webhook.Intake.
func (i intake) Complete(ctx context.Context, order archive.Order, by string) (kyc.Outcome, error) {
	out, err := i.Intake.Complete(ctx, order, by)
	if err == nil && out.Created && i.accepted != nil {
		i.accepted()
	}
	return out, err
}

// pairs shows the ticket's newest generation to the webhook.
type pairs struct{ tickets Tickets }

// Newest implements webhook.PairSource.
func (p pairs) Newest(ctx context.Context) (webhook.Pair, error) {
	newest, err := p.tickets.Newest(ctx)
	return webhook.Pair{Ticket: newest.Ticket, AccessToken: newest.AccessToken, Expires: newest.Expires}, err
}
