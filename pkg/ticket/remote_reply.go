package ticket

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	maxTicketLen = 4096           // bytes; the upstream's have 64
	maxLife      = 24 * time.Hour // more is taken for this much; the upstream's live an hour
)

// remoteReply is the service's answer: {"ticket":"…","expiresIn":1234}.
type remoteReply struct {
	ticket secret.Text
	life   time.Duration // from when the question was sent
}

// get asks the service once. The error is a *kyc.UpstreamError: class config when the service refuses us, else transient.
// It holds neither the URL's query nor anything of the body.
func (r *Remote) get(ctx context.Context) (remoteReply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		return remoteReply{}, serviceError(kyc.Config, errors.New("the request cannot be made"))
	}
	req.Header.Set("Accept", "application/json")
	if !r.token.Empty() {
		req.Header.Set("Authorization", "Bearer "+r.token.Reveal())
	}
	res, err := r.client.Do(req)
	if err != nil {
		return remoteReply{}, serviceError(kyc.Transient, safeCause(err))
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return remoteReply{}, serviceError(classOfStatus(res.StatusCode), fmt.Errorf("status %d", res.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxReply+1))
	if err != nil {
		return remoteReply{}, serviceError(kyc.Transient, fmt.Errorf("read reply: %w", safeCause(err)))
	}
	reply, err := parseRemote(body)
	if err != nil {
		return remoteReply{}, serviceError(kyc.Transient, fmt.Errorf("read reply: %w", err))
	}
	return reply, nil
}

func serviceError(c kyc.Class, err error) error {
	return &kyc.UpstreamError{Class: c, Err: fmt.Errorf("ask ticket service: %w", err)}
}

// classOfStatus says whose fault a status is: a redirect or a refusal is a matter of configuration.
func classOfStatus(status int) kyc.Class {
	switch {
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests:
		return kyc.Busy
	case status >= 300 && status < 500:
		return kyc.Config
	}
	return kyc.Transient
}

// safeCause passes on what is known to repeat neither our request nor the service's words. A *url.Error holds the URL, whose
// query may be secret, and net/http quotes what it cannot parse.
func safeCause(err error) error {
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, http.ErrSchemeMismatch} {
		if errors.Is(err, known) {
			return known
		}
	}
	if oe, ok := errors.AsType[*net.OpError](err); ok {
		return oe
	}
	if ce, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ce
	}
	return errors.New("the connection broke or brought no HTTP")
}

// parseRemote reads a reply. Its errors do not quote it.
func parseRemote(body []byte) (remoteReply, error) {
	if len(body) > maxReply {
		return remoteReply{}, fmt.Errorf("larger than %d bytes", maxReply)
	}
	var b struct {
		Ticket    string          `json:"ticket"`
		ExpiresIn json.RawMessage `json:"expiresIn"`
	}
	if json.Unmarshal(body, &b) != nil {
		return remoteReply{}, errors.New(`not the JSON that was asked for: {"ticket":"…","expiresIn":1234}`)
	}
	if !ticketLike(b.Ticket) {
		return remoteReply{}, errors.New(`"ticket" is empty or has characters that no ticket has`)
	}
	life, err := parseLife(b.ExpiresIn)
	if err != nil {
		return remoteReply{}, err
	}
	return remoteReply{ticket: secret.New(b.Ticket), life: life}, nil
}

// ticketLike tells whether s can be a ticket: visible ASCII characters.
func ticketLike(s string) bool {
	strange := func(r rune) bool { return r <= ' ' || r > '~' }
	return s != "" && len(s) <= maxTicketLen && !strings.ContainsFunc(s, strange)
}

// parseLife reads a number of seconds, or a string of one.
func parseLife(raw json.RawMessage) (time.Duration, error) {
	text := string(bytes.TrimSpace(raw))
	if unquoted := ""; strings.HasPrefix(text, `"`) && json.Unmarshal(raw, &unquoted) == nil {
		text = strings.TrimSpace(unquoted)
	}
	seconds, err := strconv.ParseFloat(text, 64)
	life := time.Duration(min(seconds, maxLife.Seconds()) * float64(time.Second))
	if err != nil || !(seconds > 0) || life <= 0 {
		return 0, errors.New(`"expiresIn" is not a positive number of seconds`)
	}
	return life, nil
}
