package faceid

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// SinkError says that a kyc.Sink, or the writer it gave, failed: trouble on our side, so there is no *kyc.UpstreamError
// around it. errors.Is and errors.As see the cause through it.
type SinkError struct{ Err error }

// Error implements error.
func (e *SinkError) Error() string { return "write medium: " + e.Err.Error() }

// Unwrap gives the sink's own error.
func (e *SinkError) Unwrap() error { return e.Err }

var (
	errStalled  = errors.New("the service sent nothing for too long")
	errTooSlow  = errors.New("the service sends less than 8 KiB a second")
	errTooLarge = errors.New("reply is larger than the limit")
	errOpaque   = errors.New("the connection broke or brought no HTTP (details are withheld, as they may repeat the request)")
)

// transient classes a failed call that another try may mend. A sink's error is passed on without a class.
func transient(err error) error {
	if _, ok := errors.AsType[*SinkError](err); ok {
		return err
	}
	return &kyc.UpstreamError{Class: kyc.Transient, Err: err}
}

// safeCause gives the cause of a failed HTTP exchange without anything that could repeat our request: a *url.Error holds
// the signed URL, and net/http quotes what it could not parse, which may be an echo. So what is known to be harmless
// is passed on, and everything else is replaced.
func safeCause(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	for _, known := range []error{io.ErrUnexpectedEOF, http.ErrSchemeMismatch, errTooLarge} {
		if errors.Is(err, known) {
			return known
		}
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the service closed the connection: %w", io.ErrUnexpectedEOF)
	}
	if oe, ok := errors.AsType[*net.OpError](err); ok { // addresses and the system's words
		return oe
	}
	if ce, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ce
	}
	if ae, ok := errors.AsType[tls.AlertError](err); ok {
		return ae
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return ne
	}
	return errOpaque
}

// maxMsg bounds the service's text, in bytes: recorded ones have fewer than 200.
const maxMsg = 1024

// cleanMsg makes the service's text fit to be shown: trimmed, bounded, and free of the values that we sent and of any
// other that could be a ticket, should the service repeat them.
func cleanMsg(msg string, secrets ...string) string {
	for _, s := range secrets {
		if s != "" {
			msg = strings.ReplaceAll(msg, s, redacted)
			msg = strings.ReplaceAll(msg, url.QueryEscape(s), redacted)
		}
	}
	msg = strings.TrimSpace(maskWords(msg))
	if len(msg) > maxMsg {
		msg = strings.ToValidUTF8(msg[:maxMsg], "") + "…"
	}
	return msg
}

const redacted = "[redacted]"

// maxWord is the longest word shown of the service's text: order numbers, nonces and bizSeqNo have at most 32 characters,
// signatures 40, tickets 64, tokens 90 (PROTOCOL sections 1 and 3).
const maxWord = 32

// maskWords replaces the words that are too long to be harmless.
func maskWords(s string) string {
	var out strings.Builder
	for s != "" {
		n := len(s) - len(strings.TrimLeftFunc(s, inWord))
		word := s[:n]
		if n > maxWord {
			word = redacted
		}
		out.WriteString(word)
		s = s[n:]
		n = len(s) - len(strings.TrimLeftFunc(s, func(r rune) bool { return !inWord(r) }))
		out.WriteString(s[:n])
		s = s[n:]
	}
	return out.String()
}

func inWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == '-' || r == '_'
}
