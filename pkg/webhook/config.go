package webhook

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

// Intake takes note that an order's face check has ended. When Complete returns nil, the order will not be forgotten. by
// is one of the By… constants. Any error means that the archive could not be written: the caller is told to come again.
type Intake interface {
	Complete(ctx context.Context, order archive.Order, by string) (kyc.Outcome, error)
}

// Orders tells what the archive knows of an order; kyc.ErrUnknownOrder when that is nothing.
type Orders interface {
	Status(ctx context.Context, order archive.Order) (kyc.Status, error)
}

// Tickets gives the SIGN tickets that a redirect may have been signed with: the current one and the one before
// (PROTOCOL section 2). It never refreshes; an error says that there is no ticket now.
type Tickets interface {
	Recent(ctx context.Context) ([]secret.Text, error)
}

// Pair is what GET /v1/ticket hands to the company's own back end.
type Pair struct {
	Ticket      secret.Text
	AccessToken secret.Text
	Expires     time.Time // when the service stops taking the pair, by this machine's clock
}

// PairSource gives the newest generation of token and ticket. It never refreshes; an error says that there is none now.
type PairSource interface {
	Newest(ctx context.Context) (Pair, error)
}

// Config is what a Handler is made of.
type Config struct {
	AppID string        // KYC_APP_ID, part of what the H5 redirect signs
	Auth  Auth          // KYC_WEBHOOK_AUTH
	Keys  []secret.Text // KYC_WEBHOOK_KEY: any of them proves; tokens are best minted with the first

	Redirect *url.URL // KYC_WEBHOOK_REDIRECT: where the H5 redirect sends the browser on; nil: it gets the answer itself
	Origins  []string // KYC_WEBHOOK_ORIGINS: exact origins, scheme://host[:port], whose pages may call

	Intake  Intake
	Orders  Orders
	Tickets Tickets

	TicketToken secret.Text // KYC_TICKET_TOKEN with KYC_TICKET=own: GET /v1/ticket asks for it; empty: 404
	Pair        PairSource  // needed with TicketToken only

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: slog.Default
}

// check lists all mistakes at once, so that an operator mends them in one go.
func (c Config) check() error {
	errs := []error{CheckKeys(c.Auth, c.Keys), CheckOrigins(c.Origins), CheckRedirect(c.Redirect), checkTicketToken(c.TicketToken)}
	if c.AppID == "" {
		errs = append(errs, errors.New("check app id: it is empty"))
	}
	if c.Intake == nil || c.Orders == nil || c.Tickets == nil {
		errs = append(errs, errors.New("check wiring: Intake, Orders and Tickets are needed"))
	}
	if !c.TicketToken.Empty() && c.Pair == nil {
		errs = append(errs, errors.New("check wiring: a ticket token needs a Pair"))
	}
	return errors.Join(errs...)
}

// checkTicketToken refuses a token that no Authorization header could carry unchanged.
func checkTicketToken(token secret.Text) error {
	for _, c := range []byte(token.Reveal()) {
		if c <= ' ' || c > '~' {
			return errors.New("check ticket token: only visible ASCII characters can be sent in a header")
		}
	}
	return nil
}

// CheckRedirect refuses a KYC_WEBHOOK_REDIRECT that a browser could not follow, or whose own query has the parameters
// that are added to it. nil is allowed.
func CheckRedirect(u *url.URL) error {
	switch {
	case u == nil:
		return nil
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "", u.Opaque != "":
		return errors.New("check redirect: must be an absolute http or https URL")
	case u.User != nil:
		return errors.New("check redirect: must not carry a user name or password")
	}
	own, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("check redirect: its query is malformed")
	}
	if own.Has(paramOrder) || own.Has(paramCode) {
		return errors.New("check redirect: orderNo and code are added to it, so it must not have them")
	}
	return nil
}
