package webhook

import (
	"errors"
	"net/http"
	"strings"

	"github.com/kycvault/kycvault/pkg/archive"
)

// What a completion was proven by: Intake's by. It is written into the order's marker.
const (
	ByJWT              = "jwt"               // a bearer token
	ByStandardWebhooks = "standard-webhooks" // signed headers
	ByH5Token          = "h5-token"          // a JWT in the redirect's query
	ByH5Sign           = "h5-sign"           // the service's own signature in the redirect's query
	ByNone             = "none"              // nothing: NoProof
)

// Why there is no proof at all.
var (
	errNoBearer = errors.New("there must be one Authorization header, with a bearer token")
	errNotLocal = errors.New("without proof only requests to a loopback host are taken")
)

// completionProof says what proves a completion by POST, or refuses it. See the package comment for which proof counts when.
func (h *Handler) completionProof(r *http.Request, body []byte, order archive.Order) (by string, err error) {
	switch {
	case h.auth == NoProof:
		// A page of a stranger can reach a loopback server by a name of its own that resolves to 127.0.0.1.
		if !loopback(r.Host) {
			return "", unproven(errNotLocal)
		}
		return ByNone, nil
	case h.auth == StandardWebhooks && signed(r.Header):
		return ByStandardWebhooks, unproven(h.hooks.check(r.Header, body))
	}
	return ByJWT, h.orderProof(r, order)
}

// orderProof refuses a request that does not carry a JWT for the order.
func (h *Handler) orderProof(r *http.Request, order archive.Order) error {
	token, err := bearer(r.Header)
	if err != nil {
		return unproven(err)
	}
	return unproven(h.tokens.check(token, order))
}

// bearer gives the token of the one Authorization header (RFC 6750 section 2.1; the scheme's case does not matter).
func bearer(header http.Header) (string, error) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return "", errNoBearer
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errNoBearer
	}
	return token, nil
}
