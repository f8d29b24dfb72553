package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/ticket"
)

type ticketCmd struct {
	Reveal bool `help:"Print the SIGN ticket itself, alone on stdout. Whoever has it can sign for the app id."`
	JSON   bool `name:"json" help:"One JSON object on stdout."`

	logFlags
	archiveFlags
	upstreamFlags
}

// Help implements kong.HelpProvider.
func (ticketCmd) Help() string {
	return `Tells who refreshes the app id's SIGN ticket, and how fresh it is. It refreshes nothing: serve, pull and refetch do, when
kycvault is the owner (KYC_TICKET=own). With another owner that service is asked for its ticket.

The fields of --json:

    owner        own, or the ticket service's URL without its query
    generation   which one it is since this archive began; with KYC_TICKET=own only, and so are the next two
    requested    when it was asked for, RFC 3339, UTC
    ageSeconds   since then
    expiresIn    seconds until it ends; 0 when it has ended
    ticket       its value, with --reveal only
    accessToken  the value it came from, with --reveal and KYC_TICKET=own only

Example: how old it is; and the signature of a redirect, to compare (the value stays in a variable):

    kycvault ticket
    TICKET=$(kycvault ticket --reveal) && kycvault sign "$KYC_APP_ID" orderNo0001 "$TICKET" 0

Exit codes: 0 there is one, and it is good; 1 there is none, or it has ended; 2 wrong usage.`
}

// shownTicket is what --json prints.
type shownTicket struct {
	Owner       string    `json:"owner"`
	Generation  int64     `json:"generation,omitzero"`
	Requested   time.Time `json:"requested,omitzero"`
	Age         *int64    `json:"ageSeconds,omitempty"`
	ExpiresIn   int64     `json:"expiresIn"`
	Ticket      string    `json:"ticket,omitempty"`
	AccessToken string    `json:"accessToken,omitempty"`
}

// Run does it.
func (c *ticketCmd) Run(ctx context.Context, a *app) error {
	needs := platform.NeedUpstream
	if owner, _ := a.lookup("KYC_TICKET"); owner == "own" || owner == "" {
		needs |= platform.NeedArchive // the generations are in it
	}
	cfg, err := a.config(needs)
	if err != nil {
		return err
	}
	pair, err := newestPair(ctx, a, cfg)
	if errors.Is(err, ticket.ErrNone) {
		return fmt.Errorf("%w; serve, pull and refetch make it", err)
	}
	if err != nil {
		return err
	}
	if err := c.print(a, c.show(cfg, pair, a.now()), pair); err != nil {
		return err
	}
	if !a.now().Before(pair.Expires) {
		return errors.New("the ticket has ended; serve, pull and refetch make a new one, or its service does")
	}
	return nil
}

// newestPair reads the newest generation, or asks the owner for its ticket.
func newestPair(ctx context.Context, a *app, cfg platform.Config) (ticket.Pair, error) {
	if !cfg.OwnTicket {
		remote, err := ticket.NewRemote(ticket.RemoteConfig{URL: cfg.TicketURL, Token: cfg.TicketToken, Log: quiet(a, cfg)})
		if err != nil {
			return ticket.Pair{}, err
		}
		return remote.Seen(ctx)
	}
	b, err := openExisting(cfg.Archive)
	if err != nil {
		return ticket.Pair{}, err
	}
	cfg.SealKey = secret.Text{} // nothing is sealed here, and what is wrong with that is not the ticket's
	server, err := local.New(cfg, local.Options{Writer: writer(), Log: quiet(a, cfg), Bucket: b})
	if err != nil {
		return ticket.Pair{}, err
	}
	return server.Tickets.Newest(ctx)
}

// show picks what is told. Generation and age of another owner's ticket are not known here.
func (c *ticketCmd) show(cfg platform.Config, p ticket.Pair, now time.Time) shownTicket {
	s := shownTicket{Owner: cfg.TicketOwner(), ExpiresIn: max(0, int64(p.Expires.Sub(now)/time.Second))}
	if cfg.OwnTicket {
		age := int64(now.Sub(p.Requested) / time.Second)
		s.Generation, s.Requested, s.Age = p.Generation, p.Requested.UTC(), &age
	}
	if c.Reveal {
		s.Ticket = p.Ticket.Reveal()
	}
	if c.Reveal && cfg.OwnTicket {
		s.AccessToken = p.AccessToken.Reveal()
	}
	return s
}

// print writes the ticket alone to stdout with --reveal, so that a script can take it, and what there is to know otherwise.
func (c *ticketCmd) print(a *app, s shownTicket, p ticket.Pair) error {
	if c.Reveal {
		a.tell("warning: this is a secret: whoever has it can sign for the app id until it ends")
	}
	switch {
	case c.JSON:
		return a.printJSON(s)
	case c.Reveal:
		return a.print(s.Ticket)
	}
	lines := []string{labelled("owner", s.Owner)}
	if s.Age != nil {
		lines = append(lines, labelled("generation", strconv.FormatInt(s.Generation, 10)),
			labelled("age", roughly(time.Duration(*s.Age)*time.Second)+", asked for at "+moment(s.Requested)))
	}
	return a.printAll(append(lines, labelled("ends", "in "+roughly(time.Duration(s.ExpiresIn)*time.Second)+", at "+moment(p.Expires))))
}
