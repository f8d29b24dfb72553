package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// MarkerVersion is written into markers, notes and closed entries. Raise it when a reader of the old version would
// misunderstand the new ones, and add vectors to testdata. An older reader takes a newer marker for a marker (that it is
// there is what counts) and a newer note for an empty one, and refuses a newer closed entry.
const MarkerVersion = 1

// Marker is the content of a pending/ key: who said that the order is done, and when.
type Marker struct {
	V  int       `json:"v"`
	By string    `json:"by"` // how the caller proved it
	At time.Time `json:"at"` // by the clock of the process that took the call
}

// Listed is a marker, note or closed entry as a listing shows it.
type Listed struct {
	Mark
	At time.Time // the store's modification time
}

// Seen is what the listings of one order's markers showed.
type Seen struct{ Pending, Retry, Quiet []Listed }

// Notes tells whether there is a note for any opening.
func (s Seen) Notes() bool { return len(s.Retry)+len(s.Quiet) > 0 }

// Marks gives every opening that is seen in any of the listings, once.
func (s Seen) Marks() []Mark {
	var marks []Mark
	have := make(map[Mark]bool)
	for _, list := range [][]Listed{s.Pending, s.Retry, s.Quiet} {
		for _, l := range list {
			if !have[l.Mark] {
				have[l.Mark] = true
				marks = append(marks, l.Mark)
			}
		}
	}
	return marks
}

// Markers lists what stands for an order under retry/, quiet/ and pending/, in that order (DESIGN section 3, rule 7).
func (a *Archive) Markers(ctx context.Context, o Order) (Seen, error) {
	var s Seen
	for _, part := range []struct {
		prefix string
		into   *[]Listed
	}{{retryPrefix, &s.Retry}, {quietPrefix, &s.Quiet}, {pendingPrefix, &s.Pending}} {
		for l, err := range a.listMarks(ctx, part.prefix, o) {
			if err != nil {
				return Seen{}, err
			}
			*part.into = append(*part.into, l)
		}
	}
	return s, nil
}

// listMarks lists the marks of one order below a prefix; names that are not marks are passed over.
func (a *Archive) listMarks(ctx context.Context, prefix string, o Order) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		for l, err := range a.scan(ctx, prefix, string(o)+".") {
			if err != nil && errors.Is(err, errStrange) {
				continue
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// errStrange marks a key that no version of this program makes; a pass reports it and goes on.
var errStrange = errors.New("strange key")

// Strange tells whether an error of Scan is only about one strange key.
func Strange(err error) bool { return errors.Is(err, errStrange) }

// The three kinds of key that say an order waits.
const (
	ScanPending = pendingPrefix
	ScanRetry   = retryPrefix
	ScanQuiet   = quietPrefix
)

// Scan lists all marks below ScanPending, ScanRetry or ScanQuiet. A key that is not a mark comes as an error for which
// Strange holds, and the scan goes on; any other error ends it.
func (a *Archive) Scan(ctx context.Context, prefix string) iter.Seq2[Listed, error] {
	return a.scan(ctx, prefix, "")
}

func (a *Archive) scan(ctx context.Context, prefix, tail string) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		for obj, err := range a.b.List(ctx, prefix+tail, "") {
			if err != nil {
				yield(Listed{}, fmt.Errorf("list %s: %w", prefix+tail, err))
				return
			}
			mark, err := parseMark(strings.TrimPrefix(obj.Key, prefix))
			if err != nil {
				err = fmt.Errorf("%w below %s: %w", errStrange, prefix, err)
			}
			if !yield(Listed{Mark: mark, At: obj.Modified}, err) {
				return
			}
		}
	}
}

// OpenMarker creates the marker of a fresh opening. ErrExists on one's own fresh key is one's own success after a lost
// answer (DESIGN section 3, rule 10).
func (a *Archive) OpenMarker(ctx context.Context, m Mark, body Marker) error {
	body.V = MarkerVersion
	data, err := encode(body)
	if err != nil {
		return err
	}
	if err := a.createOnce(ctx, m.PendingKey(), data, jsonType); err != nil {
		return fmt.Errorf("create marker of order %s: %w", m.Order, err)
	}
	return nil
}

// MarkerTime reads a marker's key: when it was made, by the store's clock; found is false when it is gone. What a newer
// or older version wrote into it does not matter: that it is there is what counts.
func (a *Archive) MarkerTime(ctx context.Context, m Mark) (at time.Time, found bool, err error) {
	r, obj, err := a.b.Get(ctx, m.PendingKey())
	if errors.Is(err, bucket.ErrNotFound) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read marker of order %s: %w", m.Order, err)
	}
	return obj.Modified, true, r.Close()
}

// CloseMarker removes the marker of an opening.
func (a *Archive) CloseMarker(ctx context.Context, m Mark) error {
	if err := a.b.Delete(ctx, m.PendingKey()); err != nil {
		return fmt.Errorf("delete marker of order %s: %w", m.Order, err)
	}
	return nil
}

// Closed is the content of a closed/ entry: how an opening ended without a manifest.
type Closed struct {
	V         int            `json:"v"`
	State     string         `json:"state"` // "unavailable" or "expired"
	FirstSeen time.Time      `json:"firstSeen"`
	ClosedAt  time.Time      `json:"closedAt"`
	Attempts  int            `json:"attempts"`
	Tries     map[string]int `json:"tries"`
	Code      string         `json:"code"` // the last code heard
}

// Close writes the closed entry of an opening; already there is success. created tells whether this call wrote it; after a
// lost answer it may say no although it did.
func (a *Archive) Close(ctx context.Context, m Mark, c Closed) (created bool, err error) {
	c.V = MarkerVersion
	data, err := encode(c)
	if err != nil {
		return false, err
	}
	err = a.b.Create(ctx, m.ClosedKey(), bucket.Bytes(data, jsonType))
	switch {
	case errors.Is(err, bucket.ErrExists):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("close order %s: %w", m.Order, err)
	}
	return true, nil
}

// IsClosed reads the closed key of an opening (DESIGN section 3, rule 1).
func (a *Archive) IsClosed(ctx context.Context, m Mark) (bool, error) {
	found, err := a.exists(ctx, m.ClosedKey())
	if err != nil {
		return false, fmt.Errorf("read closed entry of order %s: %w", m.Order, err)
	}
	return found, nil
}

// NewestClosed gives the newest closed entry of an order; found is false when there is none.
func (a *Archive) NewestClosed(ctx context.Context, o Order) (c Closed, found bool, err error) {
	var newest Mark
	for l, err := range a.listMarks(ctx, closedPrefix, o) {
		if err != nil {
			return Closed{}, false, err
		}
		newest = l.Mark // openings are sortable, and a listing ascends
	}
	if newest.Opening == "" {
		return Closed{}, false, nil
	}
	data, found, err := a.read(ctx, newest.ClosedKey())
	if err != nil || !found {
		return Closed{}, false, err
	}
	err = decode(newest.ClosedKey(), data, MarkerVersion, &c)
	return c, true, err
}
