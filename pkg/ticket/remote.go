package ticket

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	remoteAge    = time.Minute      // how long a ticket of the service is used without asking again
	askInterval  = 3 * time.Second  // the service is not asked more often than this after a Refused or a failure
	askTimeout   = 10 * time.Second // of one question, from dialling to the last byte
	maxReply     = 64 << 10         // bytes of a reply, and of its header
	dialTimeout  = 5 * time.Second
	idleLifetime = 30 * time.Second
)

// RemoteConfig is what a Remote is made of. URL is required.
type RemoteConfig struct {
	URL       string            // of the company's ticket service: https, or http to this machine
	Token     secret.Text       // bearer token for it, if it wants one
	Transport http.RoundTripper // nil is a strict one of our own
	Now       func() time.Time  // nil is time.Now
	Log       *slog.Logger      // nil is silence
}

// Remote gives the tickets of the company's own ticket service (KYC_TICKET=https://…) and never refreshes upstream. It
// implements faceid.Tickets, and may be used by many goroutines.
//
// A ticket is used until shortly before its end. Still, the service is asked again after a minute, since its owner may have
// refreshed, which leaves the old ticket one more minute; if it does not answer, the ticket at hand is used on.
type Remote struct {
	url    string
	token  secret.Text
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	asks   shared[remoteState]

	mu    sync.Mutex
	state remoteState
}

// remoteState is what is known of the service's tickets.
type remoteState struct {
	newest   Pair        // without an access token; generations count the different tickets seen
	previous secret.Text // the ticket before, empty when none was seen
	asked    time.Time   // when the newest ticket was last confirmed
	tried    time.Time   // when the service was last asked
	err      error       // of that
}

var _ faceid.Tickets = (*Remote)(nil)

// NewRemote makes a Remote. It asks nothing yet. Its errors do not repeat the URL, which may hold a secret by mistake.
func NewRemote(c RemoteConfig) (*Remote, error) {
	if err := checkURL(c.URL); err != nil {
		return nil, fmt.Errorf("use ticket service: %w", err)
	}
	if c.Transport == nil {
		c.Transport = strictTransport()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	client := &http.Client{Transport: c.Transport, Timeout: askTimeout, CheckRedirect: noRedirects}
	return &Remote{url: c.URL, token: c.Token, client: client, now: c.Now, log: c.Log}, nil
}

func checkURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("not a URL")
	case u.User != nil:
		return errors.New("the URL holds a user name; use KYC_TICKET_TOKEN")
	case u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return errors.New("the URL must be https, or http to this machine")
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func strictTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  askTimeout,
		IdleConnTimeout:        idleLifetime,
		MaxResponseHeaderBytes: maxReply,
		ForceAttemptHTTP2:      true,
	}
}

// noRedirects makes the client hand a redirect over as it is: followed, it would carry the bearer token elsewhere.
func noRedirects(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Current gives the ticket to sign with now.
func (r *Remote) Current(ctx context.Context) (faceid.Ticket, error) {
	s, err := r.fetch(ctx, remoteAge)
	if p := s.newest; p.usable(r.now()) {
		return asTicket(p), nil
	}
	return faceid.Ticket{}, err
}

// Refused says that the upstream gave a ticket-class answer for used. The service is asked again, at most every few
// seconds; if it has no other ticket, the error wraps ErrTooYoung.
func (r *Remote) Refused(ctx context.Context, used faceid.Ticket) (faceid.Ticket, error) {
	s := r.known()
	if s.newest.Generation <= used.Generation {
		var err error
		if s, err = r.fetch(ctx, 0); err != nil {
			return faceid.Ticket{}, err
		}
	}
	if p := s.newest; p.Generation > used.Generation && p.usable(r.now()) {
		return asTicket(p), nil
	}
	return faceid.Ticket{}, &kyc.UpstreamError{
		Class: kyc.Config, Err: fmt.Errorf("the ticket service has no other ticket: %w", ErrTooYoung),
	}
}

// Recent gives the newest ticket and the one before it, where this process has seen one, newest first.
func (r *Remote) Recent(ctx context.Context) ([]secret.Text, error) {
	s, err := r.fetch(ctx, viewAge)
	switch {
	case !s.newest.exists():
		return nil, err
	case s.previous.Empty():
		return []secret.Text{s.newest.Ticket}, nil
	}
	return []secret.Text{s.newest.Ticket, s.previous}, nil
}

// Newest always returns ErrNotOwner: the pair is the other service's to give.
func (r *Remote) Newest(context.Context) (Pair, error) { return Pair{}, ErrNotOwner }

// Warm makes sure that there is a ticket to use. It never refreshes upstream: that is the service's business.
func (r *Remote) Warm(ctx context.Context) error {
	_, err := r.Current(ctx)
	return err
}

// fetch gives what is known, confirmed by the service at most age ago where that can be had. With an error, what is
// known comes too.
func (r *Remote) fetch(ctx context.Context, age time.Duration) (remoteState, error) {
	s, now := r.known(), r.now()
	switch {
	case s.newest.usable(now) && passed(s.asked, now) < age:
		return s, nil
	case !s.tried.IsZero() && passed(s.tried, now) < askInterval && (s.err != nil || s.newest.usable(now)):
		return s, s.err
	}
	answer, err := r.asks.do(ctx, r.ask)
	if err != nil {
		return r.known(), err
	}
	return answer, nil
}

func (r *Remote) known() remoteState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// ask asks the service, and remembers what came of it.
func (r *Remote) ask(ctx context.Context) (remoteState, error) {
	sent := r.now()
	reply, err := r.get(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.tried, r.state.err = r.now(), err
	if err != nil {
		if r.state.newest.usable(sent) {
			r.log.Warn("the ticket service does not answer; the ticket at hand is still good", "error", err)
		}
		return r.state, err
	}
	r.state.take(reply, sent)
	return r.state, nil
}

// take notes a reply to a question that was sent at the given time.
func (s *remoteState) take(reply remoteReply, sent time.Time) {
	if s.newest.Ticket != reply.ticket {
		s.previous = s.newest.Ticket
		s.newest = Pair{Ticket: reply.ticket, Generation: s.newest.Generation + 1}
	}
	s.newest.Requested, s.newest.Expires, s.asked = sent, sent.Add(reply.life), sent
}
