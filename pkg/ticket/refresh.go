package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

// callTimeout bounds one call to the upstream; sendFor bounds them all.
const callTimeout = 6 * time.Second

// errLeaseOver says that a holder came too late to go on.
var errLeaseOver = errors.New("the lease was over before the refresh was done; nothing was published")

// hold is a lease that this process has, with the stop watch that was started before it was created.
type hold struct {
	generation int64
	started    time.Time
	now        func() time.Time
}

// left is how much of the first d of the lease is left, at most limit; errLeaseOver when nothing is.
func (h hold) left(d, limit time.Duration) (time.Duration, error) {
	left := d - passed(h.started, h.now())
	if left <= 0 {
		return 0, errLeaseOver
	}
	return min(left, limit), nil
}

// refresh asks the upstream for a pair and publishes it. On an error nothing was published, or what was lies in the bucket
// for the next reading to find.
func (o *Own) refresh(ctx context.Context, h hold) (Pair, error) {
	p, err := o.ask(ctx, h)
	if err != nil {
		return Pair{}, fmt.Errorf("refresh ticket: %w", err)
	}
	if err := o.publish(ctx, h, p); err != nil {
		return Pair{}, fmt.Errorf("publish ticket generation %d: %w", h.generation, err)
	}
	o.Log.Info("refreshed the ticket", "generation", p.Generation, "life", p.Expires.Sub(p.Requested))
	o.Refreshed()
	return p, nil
}

// grant is what one call gave.
type grant struct {
	value      secret.Text
	sent, ends time.Time // by the store's clock
}

// ask makes the two calls of a refresh. The pair's times are the store's, measured from when each call was sent.
func (o *Own) ask(ctx context.Context, h hold) (Pair, error) {
	if _, err := o.clock.read(ctx); err != nil {
		return Pair{}, err
	}
	token, err := o.call(ctx, h, func(ctx context.Context) (secret.Text, time.Duration, error) {
		return o.Service.AccessToken(ctx, o.Secret)
	})
	if err != nil {
		return Pair{}, err
	}
	ticket, err := o.call(ctx, h, func(ctx context.Context) (secret.Text, time.Duration, error) {
		return o.Service.SignTicket(ctx, token.value)
	})
	if err != nil {
		return Pair{}, err
	}
	p := Pair{
		Ticket: ticket.value, AccessToken: token.value, Generation: h.generation,
		Requested: token.sent, Expires: ticket.ends,
	}
	if token.ends.Before(p.Expires) {
		p.Expires = token.ends
	}
	return p, nil
}

type request func(context.Context) (secret.Text, time.Duration, error)

// call sends a request, and again when it fails for no lasting reason, while the lease allows.
func (o *Own) call(ctx context.Context, h hold, send request) (grant, error) {
	g, err := o.callOnce(ctx, h, send)
	for try := 1; try < tries && err != nil && kyc.ClassOf(err) == kyc.Transient; try++ {
		if left, over := h.left(sendFor, sendFor); over != nil || left < time.Duration(try)*retryWait {
			break
		}
		if err := sleep(ctx, time.Duration(try)*retryWait); err != nil {
			return grant{}, err
		}
		g, err = o.callOnce(ctx, h, send)
	}
	return g, err
}

// callOnce looks at the lease, and sends.
func (o *Own) callOnce(ctx context.Context, h hold, send request) (grant, error) {
	left, err := h.left(sendFor, callTimeout)
	if err != nil {
		return grant{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	sent := o.clock.time()
	value, life, err := send(ctx)
	switch {
	case err != nil:
		return grant{}, err
	case value.Empty() || life <= 0:
		return grant{}, errors.New("the reply holds no value that lives")
	}
	return grant{value: value, sent: sent, ends: sent.Add(life)}, nil
}

// publish writes the generation, unless the lease is over.
func (o *Own) publish(ctx context.Context, h hold, p Pair) error {
	stored, err := o.reader.sealer.seal(p)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		left, err := h.left(holdFor, storeTimeout)
		if err != nil {
			return err
		}
		mine, err := o.reader.create(ctx, archive.TicketKey(p.Generation), stored, left)
		switch {
		case mine:
			return nil
		case err == nil:
			return errors.New("something else lies under its key")
		case try == tries:
			return err
		}
		if err := sleep(ctx, retryWait); err != nil {
			return err
		}
	}
}
