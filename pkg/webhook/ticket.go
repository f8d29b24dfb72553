package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"time"
)

// pairBody is the answer of GET /v1/ticket, the form that KYC_TICKET=https://… reads too.
type pairBody struct {
	Ticket      string `json:"ticket"`
	AccessToken string `json:"accessToken"`
	ExpiresIn   int64  `json:"expiresIn"` // seconds
}

var (
	errTicketToken = errors.New("the bearer token is not the one for tickets")
	errTicketOld   = errors.New("the newest generation has expired")
)

// newestPair is GET /v1/ticket, for the company's own back end (DESIGN section 5). It is no route for web pages: no CORS.
func (h *Handler) newestPair(r *http.Request, note *note) (reply, error) {
	token, err := bearer(r.Header)
	if err != nil {
		return reply{}, unproven(err)
	}
	// Digests are compared, since comparing takes as long as the texts are equally long.
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(h.ticketToken.Reveal()))
	if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
		return reply{}, unproven(errTicketToken)
	}
	note.by = "ticket-token"
	ctx, cancel := context.WithTimeout(r.Context(), workTimeout)
	defer cancel()
	pair, err := h.pair.Newest(ctx)
	left := pair.Expires.Sub(h.now())
	if err == nil && left < time.Second {
		err = errTicketOld
	}
	if err != nil {
		return reply{}, refuse(noTicket, "There is no ticket just now. Try again.", err)
	}
	return reply{status: http.StatusOK, body: pairBody{
		Ticket:      pair.Ticket.Reveal(),
		AccessToken: pair.AccessToken.Reveal(),
		ExpiresIn:   int64(left.Seconds()),
	}}, nil
}
