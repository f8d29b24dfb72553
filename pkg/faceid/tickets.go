package faceid

import (
	"context"

	"github.com/kycvault/kycvault/pkg/secret"
)

// Ticket is one generation of the app id's SIGN ticket (DESIGN section 5).
type Ticket struct {
	Value      secret.Text
	Generation int64 // what made Refused's argument the same ticket or an older one; the owner of the tickets counts
}

// Tickets is where the client gets its SIGN ticket from: pkg/ticket, which either owns the pair or asks the company's
// ticket service.
type Tickets interface {
	// Current gives the ticket to sign with now.
	Current(ctx context.Context) (Ticket, error)
	// Refused says that the service gave a ticket-class answer for used. It gives another ticket to retry with, or an
	// error that says why there is none.
	Refused(ctx context.Context, used Ticket) (Ticket, error)
}
