package faceid

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// Client is an API with tickets: the core's Upstream. It is safe for use by many goroutines.
type Client struct {
	API     *API
	Tickets Tickets
}

var _ kyc.Upstream = (*Client)(nil)

var errTicketRefused = errors.New("the service refused the SIGN ticket")

// Query implements kyc.Upstream. A ticket that is refused is asked for anew once, and the query made again; refused for
// good, the error is a *kyc.UpstreamError of class Ticket that says why there is no better one. A ticket-class reply
// that carries media is a reply like any other: what came is kept.
func (c *Client) Query(ctx context.Context, order archive.Order, want kyc.Media, sink kyc.Sink) (kyc.Reply, error) {
	ticket, err := c.Tickets.Current(ctx)
	if err != nil {
		return kyc.Reply{}, fmt.Errorf("get SIGN ticket: %w", err)
	}
	reply, first := c.try(ctx, ticket, order, want, sink)
	if kyc.ClassOf(first) != kyc.Ticket {
		return reply, first
	}
	again, err := c.Tickets.Refused(ctx, ticket)
	if err != nil {
		return kyc.Reply{}, &kyc.UpstreamError{Class: kyc.Ticket, Code: codeOf(first), Err: fmt.Errorf("%w, and there is no other: %w", errTicketRefused, err)}
	}
	reply, second := c.try(ctx, again, order, want, sink)
	if kyc.ClassOf(second) == kyc.Ticket {
		return kyc.Reply{}, &kyc.UpstreamError{Class: kyc.Ticket, Code: codeOf(second), Err: fmt.Errorf("%w, and the next one: %w", errTicketRefused, second)}
	}
	return reply, second
}

// try makes one query; a ticket-class reply without media becomes an error.
func (c *Client) try(ctx context.Context, ticket Ticket, order archive.Order, want kyc.Media, sink kyc.Sink) (kyc.Reply, error) {
	if sink == nil {
		sink = discard
	}
	media := false
	reply, err := c.API.Query(ctx, ticket.Value, order, want, func(kind archive.Kind) (io.Writer, error) {
		media = true
		return sink(kind)
	})
	if err == nil && reply.Class == kyc.Ticket && !media {
		return kyc.Reply{}, &kyc.UpstreamError{Class: kyc.Ticket, Code: reply.Code, Err: fmt.Errorf("%w: %s", errTicketRefused, reply.Msg)}
	}
	return reply, err
}

// codeOf gives the service's code in an error.
func codeOf(err error) string {
	if ue, ok := errors.AsType[*kyc.UpstreamError](err); ok {
		return ue.Code
	}
	return ""
}
