package ticket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

const (
	storeTimeout = 5 * time.Second  // of one call to the bucket
	memory       = time.Hour        // a view this old is forgotten: a lifecycle rule may have removed what it stands on
	deadFor      = 10 * time.Minute // after its lease ended, a number without a ticket is never looked at again
	maxStored    = 64 << 10         // bytes of a ticket or lease that are read; real ones have a few hundred
)

// view is what a reading upwards found. The zero view is that of a process which has not looked yet.
type view struct {
	newest, previous Pair      // the two highest pairs that open; either may not exist
	from             int64     // where the next reading begins; all below is settled
	next             int64     // the first number with neither ticket nor lease
	open             lease     // of next-1, when that number has a lease and no ticket
	began            time.Time // when the reading began, by the local clock
}

// holds tells whether the view holds a pair newer than generation n that can be used at now.
func (v view) holds(n int64, now time.Time) bool {
	return v.newest.Generation > n && v.newest.usable(now)
}

// spend notes that number n has a ticket, which opened as p or did not open (then p does not exist).
func (v *view) spend(n int64, p Pair) {
	if p.exists() {
		v.previous, v.newest = v.newest, p
	}
	v.from, v.open = n+1, lease{}
}

// reader reads generations and leases; it changes nothing.
type reader struct {
	bucket bucket.Bucket
	sealer *sealer
	clock  *storeClock
	now    func() time.Time
	log    *slog.Logger
}

// walk reads upwards from where the view old ends, or from a listing's hint where there is no such view.
func (r *reader) walk(ctx context.Context, old view) (view, error) {
	if err := r.clock.refresh(ctx); err != nil {
		return view{}, err
	}
	v, began := old, r.now()
	if old.from == 0 || passed(old.began, began) > memory {
		var err error
		if v, err = r.coldStart(ctx); err != nil {
			return view{}, err
		}
	}
	v.began, v.open = began, lease{}
	for n := v.from; ; n++ {
		more, err := r.step(ctx, n, &v)
		if err != nil {
			return view{}, err
		}
		if !more {
			v.next = n
			if old.next == n && old.open.exists() && v.open.modified.Equal(old.open.modified) {
				v.open.seen = old.open.seen // it is the same one
			}
			return v, nil
		}
	}
}

// step looks at number n, and tells whether it has a ticket or a lease.
func (r *reader) step(ctx context.Context, n int64, v *view) (bool, error) {
	if found, err := r.ticket(ctx, n, v); err != nil || found {
		return found, err
	}
	l, err := r.lease(ctx, n)
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	v.open, v.open.seen = l, v.began
	if v.from == n && r.clock.time().After(l.ends().Add(deadFor)) {
		v.from = n + 1
	}
	return true, nil
}

// ticket reads ticket n into v, and tells whether there is one. One that does not open is a warning and counts as spent.
func (r *reader) ticket(ctx context.Context, n int64, v *view) (bool, error) {
	stored, _, err := r.get(ctx, archive.TicketKey(n))
	switch {
	case errors.Is(err, bucket.ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("read ticket generation: %w", err)
	}
	p, err := r.sealer.open(n, stored)
	if err != nil {
		r.log.Warn("skipped a ticket generation that does not open", "generation", n, "error", err)
	}
	v.spend(n, p)
	return true, nil
}

func (r *reader) lease(ctx context.Context, n int64) (lease, error) {
	body, o, err := r.get(ctx, archive.LeaseKey(n))
	if err != nil {
		return lease{}, fmt.Errorf("read lease: %w", err)
	}
	return parseLease(body, o.Modified), nil
}

func (r *reader) get(ctx context.Context, key string) ([]byte, bucket.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	body, o, err := r.bucket.Get(ctx, key)
	if err != nil {
		return nil, bucket.Object{}, err
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(io.LimitReader(body, maxStored))
	if err != nil {
		return nil, bucket.Object{}, fmt.Errorf("read %s: %w", key, err)
	}
	return b, o, nil
}

// create writes an object that must not exist yet, and tells whether it is there with exactly these bytes now. A lost
// answer is not an error: what is under the key decides. With an error and no answer to that either, it may be there.
func (r *reader) create(ctx context.Context, key string, body []byte, limit time.Duration) (mine bool, err error) {
	err = r.createOnce(ctx, key, body, limit)
	if err == nil {
		return true, nil
	}
	there, _, readErr := r.get(ctx, key)
	switch {
	case readErr == nil:
		return bytes.Equal(there, body), nil
	case errors.Is(readErr, bucket.ErrNotFound):
		return false, err
	}
	return false, fmt.Errorf("%w; and reading it back: %w", err, readErr)
}

func (r *reader) createOnce(ctx context.Context, key string, body []byte, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return r.bucket.Create(ctx, key, bucket.Bytes(body, "application/octet-stream"))
}
