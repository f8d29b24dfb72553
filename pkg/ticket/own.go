package ticket

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	viewAge  = 15 * time.Second // how long a view is believed: a pair dies a minute after somebody else's refresh
	emptyAge = time.Second      // how long a view without a usable pair is believed
	lookFor  = 25 * time.Second // bounds one reading upwards
)

// Service is the part of the upstream that a refresh needs; pkg/faceid's API is the real one. The durations are the
// values' lives (expire_in). An error that is worth another try has class Transient (kyc.ClassOf).
type Service interface {
	AccessToken(ctx context.Context, appSecret secret.Text) (secret.Text, time.Duration, error)
	SignTicket(ctx context.Context, accessToken secret.Text) (secret.Text, time.Duration, error)
}

// OwnConfig is what an Own is made of. Bucket, AppID, Secret and Service are required.
type OwnConfig struct {
	Bucket  bucket.Bucket
	AppID   string
	Secret  secret.Text // the app id's secret: asks for the pair, and keeps it encrypted in the bucket
	Service Service
	Now     func() time.Time // this machine's clock, which may be wrong; nil is time.Now
	Rand    io.Reader        // for nonces; nil is crypto/rand
	Log     *slog.Logger     // nil is silence

	Refreshed func() // called after each refresh that this process made, by any goroutine; nil is nobody
}

// Own keeps the pair of an app id fresh, together with every other process that has the same archive. It implements
// faceid.Tickets, and may be used by many goroutines.
type Own struct {
	OwnConfig
	clock    *storeClock
	reader   *reader
	looks    shared[view]
	attempts shared[Pair]

	mu    sync.Mutex
	view  view
	pause pause
}

var _ faceid.Tickets = (*Own)(nil)

// NewOwn makes an Own. It asks nothing of bucket or service yet.
func NewOwn(c OwnConfig) (*Own, error) {
	if c.Bucket == nil || c.Service == nil || c.AppID == "" || c.Secret.Empty() {
		return nil, errors.New("make ticket owner: bucket, service, app id and secret are required")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Refreshed == nil {
		c.Refreshed = func() {}
	}
	s, err := newSealer(c.Secret, c.AppID, c.Rand)
	if err != nil {
		return nil, fmt.Errorf("make ticket owner: %w", err)
	}
	clock := &storeClock{bucket: c.Bucket, now: c.Now}
	return &Own{
		OwnConfig: c, clock: clock,
		reader: &reader{bucket: c.Bucket, sealer: s, clock: clock, now: c.Now, log: c.Log},
	}, nil
}

// Current gives the ticket to sign with now. It refreshes one that is older than 20 minutes, or waits for the process
// that is doing so when its own is no longer usable. A refusal by the upstream comes back as a *kyc.UpstreamError.
func (o *Own) Current(ctx context.Context) (faceid.Ticket, error) {
	v, err := o.look(ctx, viewAge)
	if err != nil {
		return o.lastResort(err)
	}
	p, now := v.newest, o.clock.time()
	if !p.due(now) || p.usable(now) && o.paused() != nil {
		return asTicket(p), nil
	}
	fresh, err := o.renew(ctx, p.Generation, !p.usable(now))
	switch {
	case err == nil:
		return asTicket(fresh), nil
	case !p.usable(o.clock.time()):
		return faceid.Ticket{}, err
	}
	if !isHeld(err) {
		o.Log.Warn("could not refresh the ticket; the one at hand is still good", "generation", p.Generation, "error", err)
	}
	return asTicket(p), nil
}

// lastResort gives the ticket in memory when the bucket cannot be read, while that ticket lives.
func (o *Own) lastResort(cause error) (faceid.Ticket, error) {
	p := o.known().newest
	if !p.usable(o.clock.time()) {
		return faceid.Ticket{}, cause
	}
	o.Log.Warn("could not read the tickets; the one in memory is used", "generation", p.Generation, "error", cause)
	return asTicket(p), nil
}

// Refused says that the upstream gave a ticket-class answer for used. It gives a newer generation where there is one,
// and makes one where used is the newest and older than two minutes. Otherwise the error wraps ErrTooYoung.
func (o *Own) Refused(ctx context.Context, used faceid.Ticket) (faceid.Ticket, error) {
	v, err := o.look(ctx, 0)
	if err != nil {
		return faceid.Ticket{}, err
	}
	now := o.clock.time()
	switch {
	case v.holds(used.Generation, now):
		return asTicket(v.newest), nil
	case v.newest.young(now):
		return faceid.Ticket{}, tooYoung(v.newest.Generation)
	}
	p, err := o.renew(ctx, v.newest.Generation, true)
	if err != nil {
		return faceid.Ticket{}, err
	}
	return asTicket(p), nil
}

// Recent gives the newest ticket and the one before it, newest first, to check signatures that were made with either.
// It reads and never refreshes. ErrNone when there is no ticket at all.
func (o *Own) Recent(ctx context.Context) ([]secret.Text, error) {
	v, err := o.look(ctx, viewAge)
	if err != nil {
		if v = o.known(); !v.newest.exists() {
			return nil, err
		}
		o.Log.Warn("could not read the tickets; those in memory are used", "generation", v.newest.Generation, "error", err)
	}
	var values []secret.Text
	for _, p := range []Pair{v.newest, v.previous} {
		if p.exists() {
			values = append(values, p.Ticket)
		}
	}
	if len(values) == 0 {
		return nil, ErrNone
	}
	return values, nil
}

// Newest gives the newest pair, which may be at its end or past it: see Expires. Its times are by this machine's clock.
// It reads and never refreshes. ErrNone when there is no pair at all.
func (o *Own) Newest(ctx context.Context) (Pair, error) {
	v, err := o.look(ctx, viewAge)
	if err != nil {
		return Pair{}, err
	}
	if !v.newest.exists() {
		return Pair{}, ErrNone
	}
	return v.newest.moved(o.clock.ahead()), nil
}

// Warm refreshes the pair when it is 20 minutes old or there is none; the schedule calls it. That another process is
// at it is success while the old pair is good.
func (o *Own) Warm(ctx context.Context) error {
	v, err := o.look(ctx, 0)
	if err != nil {
		return err
	}
	p, now := v.newest, o.clock.time()
	if !p.due(now) {
		return nil
	}
	if _, err = o.renew(ctx, p.Generation, !p.usable(now)); isHeld(err) && p.usable(now) {
		return nil
	}
	return err
}

// look gives a view that is at most as old as age, less when there is nothing usable in it.
func (o *Own) look(ctx context.Context, age time.Duration) (view, error) {
	v := o.known()
	if !v.newest.usable(o.clock.time()) {
		age = min(age, emptyAge)
	}
	if v.from > 0 && passed(v.began, o.Now()) < age {
		return v, nil
	}
	return o.looks.do(ctx, func(ctx context.Context) (view, error) {
		ctx, cancel := context.WithTimeout(ctx, lookFor)
		defer cancel()
		return o.readUp(ctx)
	})
}

// readUp reads upwards from what is known, and remembers what it finds.
func (o *Own) readUp(ctx context.Context) (view, error) {
	v, err := o.reader.walk(ctx, o.known())
	if err != nil {
		return view{}, err
	}
	o.remember(v)
	return v, nil
}

func (o *Own) known() view {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.view
}

// remember keeps the view that came further: of two readings that run at the same time either may end first.
func (o *Own) remember(v view) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if v.from >= o.view.from || passed(o.view.began, v.began) > memory {
		o.view = v
	}
}

func asTicket(p Pair) faceid.Ticket { return faceid.Ticket{Value: p.Ticket, Generation: p.Generation} }

func tooYoung(n int64) error {
	return &kyc.UpstreamError{Class: kyc.Config, Err: fmt.Errorf("generation %d: %w", n, ErrTooYoung)}
}
