package faceid

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// successful tells whether a status can come with evidence. 206 cannot: it says itself that the body is a part.
func successful(status int) bool {
	return status >= 200 && status < 300 && status != http.StatusPartialContent
}

// redirected tells whether the service sent us elsewhere.
func redirected(status int) bool { return status >= 300 && status < 400 }

var errRedirect = errors.New("redirects are not followed: check the base URL")

// statusError makes the error for a status that is no success. code and msg are of the JSON that came with it, "" where
// there was none; such a reply is never a verdict.
func statusError(status int, code, msg string) *kyc.UpstreamError {
	text := fmt.Errorf("HTTP status %d", status)
	switch {
	case redirected(status):
		return &kyc.UpstreamError{Class: kyc.Config, Err: fmt.Errorf("HTTP status %d: %w", status, errRedirect)}
	case msg != "":
		text = fmt.Errorf("HTTP status %d: %s", status, msg)
	}
	return &kyc.UpstreamError{Class: statusClass(status, code), Code: code, Err: text}
}

func statusClass(status int, code string) kyc.Class {
	if code != "" {
		switch class := ClassOf(code); class {
		case kyc.Ticket, kyc.Config, kyc.Busy, kyc.Transient:
			return class
		}
	}
	switch {
	case status == http.StatusTooManyRequests:
		return kyc.Busy
	case code == "" && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		return kyc.Config // often an IP allow-list or a proxy
	default:
		return kyc.Transient
	}
}
