package kyc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// Gate makes everyone back off together when the upstream is in trouble that is no order's fault: a ticket or
// configuration it does not accept, or too many requests (DESIGN section 3). A note under system/ says until when; then
// one try at a time probes, and a good answer takes the note away.
//
// One order can be refused for ever while all others are answered. So the first trouble lets the next order probe at
// once (unless it is the load), and an order that was refused since the last good answer probes only when no other did.
type Gate struct {
	Bucket bucket.Bucket
	Rand   io.Reader
	Log    *slog.Logger

	mu   sync.Mutex
	note *backoff
	read time.Time // when the note, or its absence, was read, by the store's clock
}

// backoff is the note.
type backoff struct {
	V      int             `json:"v"`
	ID     string          `json:"id"` // the create-once right to probe is named after it
	Class  Class           `json:"class"`
	Code   string          `json:"code"`
	Orders []archive.Order `json:"orders"` // that were refused, the latest last
	Round  int             `json:"round"`  // failed probes so far, and the first failure
	Until  time.Time       `json:"until"`  // by the store's clock
}

const (
	gateMemory = 3 * time.Second  // how long a note, or its absence, is remembered
	probeLease = time.Minute      // a prober that has not answered by then died
	othersTime = 30 * time.Second // for other orders to probe before one that was refused may
	maxRefused = 16               // orders that a note remembers

	longestWait = 5 * time.Minute // between two probes
)

// Pass is the right to ask the upstream, or its refusal.
type Pass struct {
	open  bool
	probe *backoff // the note that this pass probes, nil in quiet times
}

// Open tells whether the upstream may be asked.
func (p Pass) Open() bool { return p.open }

// Closed tells whether everyone backs off now, and which orders were refused: a pass hands out only a prober then, and
// rather another one.
func (g *Gate) Closed(ctx context.Context) (closed bool, refused []archive.Order, err error) {
	note, _, err := g.current(ctx)
	if err != nil || note == nil {
		return false, nil, err
	}
	return true, note.Orders, nil
}

// Enter asks for the right to ask about an order.
func (g *Gate) Enter(ctx context.Context, order archive.Order) (Pass, error) {
	note, now, err := g.current(ctx)
	if err != nil || note == nil {
		return Pass{open: err == nil}, err
	}
	from := note.Until
	if slices.Contains(note.Orders, order) {
		from = from.Add(othersTime)
	}
	if ahead := from.Sub(now); ahead > 0 && ahead <= longestWait+othersTime+maxClockSkew { // else the clock was set back
		return Pass{}, nil
	}
	return g.takeProbe(ctx, note, now)
}

// takeProbe makes one of those who find the time over the prober. A prober that died is succeeded when its lease is over.
func (g *Gate) takeProbe(ctx context.Context, note *backoff, now time.Time) (Pass, error) {
	key := archive.ProbeKey(note.ID)
	err := g.Bucket.Create(ctx, key, bucket.Bytes(nil, ""))
	if err == nil {
		return g.confirm(ctx, note, now)
	}
	if !errors.Is(err, bucket.ErrExists) {
		return Pass{}, fmt.Errorf("take probe: %w", err)
	}
	r, obj, err := g.Bucket.Get(ctx, key)
	if errors.Is(err, bucket.ErrNotFound) {
		return Pass{}, g.forget()
	}
	if err != nil {
		return Pass{}, fmt.Errorf("read probe: %w", err)
	}
	if since(now, obj.Modified) < probeLease {
		return Pass{}, r.Close()
	}
	if err := errors.Join(r.Close(), g.write(ctx, *note, now, now), g.Bucket.Delete(ctx, key)); err != nil {
		return Pass{}, fmt.Errorf("succeed a prober: %w", err)
	}
	note, now, err = g.current(ctx) // the one just written
	if err != nil || note == nil {
		return Pass{open: err == nil}, err
	}
	return g.takeProbe(ctx, note, now)
}

// confirm reads the note again for one who took its probe: a note from memory may have had its prober already, and the
// probe that stood in the way is gone with it.
func (g *Gate) confirm(ctx context.Context, note *backoff, now time.Time) (Pass, error) {
	latest, err := g.load(ctx)
	if err == nil && latest != nil && latest.ID == note.ID {
		return Pass{open: true, probe: latest}, nil
	}
	if err := errors.Join(err, g.Bucket.Delete(ctx, archive.ProbeKey(note.ID))); err != nil {
		return Pass{}, fmt.Errorf("confirm probe: %w", err)
	}
	g.remember(latest, now)
	return Pass{open: latest == nil}, nil
}

// Leave tells how the asking went. Trouble closes the gate for everyone, for longer each time; a prober's good answer opens it.
func (g *Gate) Leave(ctx context.Context, p Pass, order archive.Order, class Class, code string) error {
	trouble := class == Ticket || class == Config || class == Busy
	switch {
	case trouble:
		return g.shut(ctx, p, order, class, code)
	case p.probe == nil:
		return nil
	case class == OK || class == Final || class == Pending:
		return g.reopen(ctx, p.probe)
	}
	return g.Bucket.Delete(ctx, archive.ProbeKey(p.probe.ID)) // no answer: someone else may probe
}

func (g *Gate) shut(ctx context.Context, p Pass, order archive.Order, class Class, code string) error {
	note, now, err := g.current(ctx)
	if err != nil {
		return err
	}
	if p.probe == nil && note != nil {
		return nil // someone else has seen the trouble too
	}
	next := backoff{Class: class, Code: code, Round: 1, Orders: []archive.Order{order}}
	if p.probe != nil {
		next.Round = p.probe.Round + 1
		others := slices.DeleteFunc(slices.Clone(p.probe.Orders), func(o archive.Order) bool { return o == order })
		next.Orders = append(others[max(0, len(others)-maxRefused+1):], order)
	}
	until := now.Add(wait(class, next.Round))
	g.Log.LogAttrs(ctx, slog.LevelError, "upstream refuses everyone; all orders wait, one try at a time probes",
		slog.String("class", string(class)), slog.String("code", code), slog.Int("round", next.Round), slog.Time("until", until))
	if err := g.write(ctx, next, now, until); err != nil || p.probe == nil {
		return err
	}
	return g.Bucket.Delete(ctx, archive.ProbeKey(p.probe.ID))
}

// wait doubles with each failed probe. Load passes sooner than a wrong secret; but for any other trouble the first
// probe is at once: it may be one order's alone.
func wait(class Class, round int) time.Duration {
	first, most := 5*time.Second, longestWait
	if class == Busy {
		first, most = 2*time.Second, time.Minute
	} else if round == 1 {
		return 0
	}
	for ; round > 1 && first < most; round-- {
		first *= 2
	}
	return min(first, most)
}

// write makes note the one that counts, under a fresh id: its probe is not anybody's yet.
func (g *Gate) write(ctx context.Context, note backoff, now, until time.Time) error {
	id, err := newOpening(now, g.Rand)
	if err != nil {
		return err
	}
	note.V, note.ID, note.Until = archive.MarkerVersion, id, until.UTC()
	data, err := json.Marshal(note)
	if err != nil {
		return fmt.Errorf("encode back-off note: %w", err)
	}
	if err := g.Bucket.Put(ctx, archive.BackoffKey(), bucket.Bytes(data, "application/json")); err != nil {
		return fmt.Errorf("write back-off note: %w", err)
	}
	g.remember(&note, now)
	return nil
}

func (g *Gate) reopen(ctx context.Context, note *backoff) error {
	err := errors.Join(g.Bucket.Delete(ctx, archive.BackoffKey()), g.Bucket.Delete(ctx, archive.ProbeKey(note.ID)))
	if err != nil {
		return fmt.Errorf("end back-off: %w", err)
	}
	g.Log.LogAttrs(ctx, slog.LevelInfo, "upstream answers well again", slog.Int("failed_probes", note.Round-1))
	return g.forget()
}

// current gives the note that counts, from memory for some seconds, and the store's time.
func (g *Gate) current(ctx context.Context) (*backoff, time.Time, error) {
	now, err := g.Bucket.Now(ctx)
	if err != nil {
		return nil, now, fmt.Errorf("read store's clock: %w", err)
	}
	g.mu.Lock()
	note, read := g.note, g.read
	g.mu.Unlock()
	if age := now.Sub(read); age >= 0 && age < gateMemory {
		return note, now, nil
	}
	note, err = g.load(ctx)
	if err == nil {
		g.remember(note, now)
	}
	return note, now, err
}

func (g *Gate) remember(note *backoff, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.note, g.read = note, at
}

// forget makes the next look read the note again.
func (g *Gate) forget() error {
	g.remember(nil, time.Time{})
	return nil
}

// load reads the note. One that can not be read counts as none: it may slow everyone, but must not stop anyone.
func (g *Gate) load(ctx context.Context) (*backoff, error) {
	r, _, err := g.Bucket.Get(ctx, archive.BackoffKey())
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read back-off note: %w", err)
	}
	defer func() { _ = r.Close() }()
	var note backoff
	if err := json.NewDecoder(io.LimitReader(r, 1<<16)).Decode(&note); err != nil || archive.CheckOpening(note.ID) != nil {
		return nil, nil //nolint:nilerr // see above
	}
	return &note, nil
}
