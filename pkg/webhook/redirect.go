package webhook

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid"
)

// The redirect's parameters (PROTOCOL section 6). h5faceId and liveRate are not signed and not used.
const (
	paramOrder    = "orderNo"
	paramCode     = "code"
	paramSign     = "newSignature" // mobile H5
	paramSignPC   = "newSign"      // PC H5
	paramToken    = "token"        // put there by the customer's back end
	signLen       = 40             // hex digits of a SHA-1
	maxCode       = 16
	redirectParts = 5
)

// Why a redirect is no proof.
var (
	errNoSign  = errors.New("neither a token nor a signature of the face check service was sent")
	errNoCode  = errors.New("the signature is over a code, and none was sent")
	errBadSign = errors.New("the signature is not the face check service's")
)

// returned is what the H5 redirect brings.
type returned struct {
	order archive.Order
	code  string // "" when there is none
	sign  string // in upper case, not checked, "" when there is none
	token string
}

// redirected is GET /v1/completions, the H5 redirect. With a place to send the browser on to, it is always sent there, since
// there is a person behind it; what went wrong stands in the log.
func (h *Handler) redirected(r *http.Request, note *note) (reply, error) {
	ret, err := parseReturn(r.URL.RawQuery)
	note.order = ret.order
	var rep reply
	if err == nil {
		rep, err = guard(func() (reply, error) { return h.completeReturn(r.Context(), ret, note) })
	}
	if h.redirect == nil {
		return rep, err
	}
	note.err = err
	return reply{status: http.StatusSeeOther, header: map[string]string{"Location": sendOn(h.redirect, ret)}}, nil
}

func (h *Handler) completeReturn(ctx context.Context, ret returned, note *note) (reply, error) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	by, err := h.returnProof(ctx, ret)
	if err != nil {
		return reply{}, err
	}
	note.by = by
	return h.complete(ctx, ret.order, by)
}

// returnProof says what proves a redirect: a good token, else the signature. The token may have expired while the user
// went through the check.
func (h *Handler) returnProof(ctx context.Context, ret returned) (by string, err error) {
	cause := errNoSign
	if ret.token != "" {
		if cause = h.tokens.check(ret.token, ret.order); cause == nil {
			return ByH5Token, nil
		}
	}
	if ret.sign == "" {
		return "", unproven(cause)
	}
	return ByH5Sign, h.signProof(ctx, ret)
}

// signProof compares the signature with the ones of the current and the previous ticket (PROTOCOL section 2). The values are
// signed joined, without separators, so where code and order number sort next to each other a signature also fits the same text
// cut elsewhere. That is the service's format; at worst we look at an order that nobody announced.
func (h *Handler) signProof(ctx context.Context, ret returned) error {
	switch {
	case ret.code == "":
		return unproven(errNoCode)
	case len(ret.sign) != signLen || strings.Trim(ret.sign, "0123456789ABCDEF") != "":
		return unproven(errBadSign) // without looking for a ticket
	}
	tickets, err := h.tickets.Recent(ctx)
	if err != nil || len(tickets) == 0 {
		return refuse(noTicket, "The signature can not be checked just now. Try again.", err)
	}
	fits := 0
	for _, ticket := range tickets {
		if ticket.Empty() {
			continue // anybody could sign without one
		}
		want := faceid.Sign(h.appID, string(ret.order), ticket.Reveal(), ret.code)
		fits |= subtle.ConstantTimeCompare([]byte(want), []byte(ret.sign))
	}
	if fits == 0 {
		return unproven(errBadSign)
	}
	return nil
}

// parseReturn reads the redirect's query. With an error, order and code are still given where each is well formed and
// named once, for the sending on.
func parseReturn(rawQuery string) (returned, error) {
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return returned{}, refuse(badQuery, "The query is malformed.", nil)
	}
	var ret returned
	errs := make([]error, 0, redirectParts)
	take := func(name string, into func(string) error) {
		value, err := single(query, name)
		if err == nil {
			err = into(value)
		}
		errs = append(errs, err)
	}
	take(paramOrder, func(s string) (err error) { ret.order, err = parseOrder(s); return err })
	take(paramCode, func(s string) (err error) { ret.code, err = parseCode(s); return err })
	take(paramToken, func(s string) error { ret.token = s; return nil })
	take(paramSign, ret.addSign)
	take(paramSignPC, ret.addSign)
	for _, err := range errs {
		if err != nil {
			return ret, err
		}
	}
	return ret, nil
}

// single gives a parameter, "" when it is not there. Twice is refused: the service and we might look at different ones.
func single(query url.Values, name string) (string, error) {
	switch values := query[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", refuse(badQuery, "The query has "+name+" more than once.", nil)
}

// addSign takes either of the signature's two names; both may be there when they agree.
func (ret *returned) addSign(s string) error {
	if s == "" {
		return nil
	}
	s = strings.ToUpper(s)
	if ret.sign != "" && ret.sign != s {
		return refuse(badQuery, "The query has two signatures.", nil)
	}
	ret.sign = s
	return nil
}

// parseCode takes the service's result code: up to 16 letters, digits and minus signs. It may be left out.
func parseCode(s string) (string, error) {
	if len(s) > maxCode {
		return "", refuse(badQuery, "The code is too long.", nil)
	}
	for _, c := range []byte(s) {
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return "", refuse(badQuery, "The code is not one.", nil)
		}
	}
	return s, nil
}

// sendOn adds what is well formed to the configured place, keeping its own query as it is written.
func sendOn(place *url.URL, ret returned) string {
	added := url.Values{}
	if ret.order != "" {
		added.Set(paramOrder, string(ret.order))
	}
	if ret.code != "" {
		added.Set(paramCode, ret.code)
	}
	to := *place
	if to.RawQuery != "" && len(added) > 0 {
		to.RawQuery += "&"
	}
	to.RawQuery += added.Encode()
	return to.String()
}
