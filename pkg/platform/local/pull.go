package local

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

// The ends that an order can have in one Pull.
const (
	PulledArchived    = "archived"    // this run archived it
	PulledAlready     = "already"     // it was archived before
	PulledPartial     = "partial"     // given up with something missing
	PulledUnavailable = "unavailable" // given up: the service never knew a result for it
	PulledExpired     = "expired"     // given up: nothing came, for other reasons
	PulledPending     = "pending"     // its marker is in the archive: a later run, or a re-fetch, goes on
	PulledFailed      = "failed"      // the archive could not be read or written
	PulledUntouched   = "untouched"   // the run ended before its turn
)

// Why a Pull ends before every order has had its turn.
var (
	ErrInterrupted = errors.New("interrupted")
	ErrNoAnswer    = errors.New("the service answers nobody")
	ErrNoArchive   = errors.New("the archive fails order after order")
)

// PullOptions say how Pull goes about it. The zero value is good.
type PullOptions struct {
	// Parallel is how many orders are worked at once, at most; 0 is a default. Trouble lowers it, good answers raise it again.
	Parallel int
	// Wait is how long to wait for a service that refuses everyone or can not be reached; a few seconds at least, in which
	// it may turn out that it is one order's trouble alone. 0 is DefaultWait; but when the service never gave a good
	// answer, and load is not the reason, the run then ends at once: it is likelier a setting.
	Wait time.Duration
	// Done is told of each order once, one call at a time, as soon as it has ended. It may be nil.
	Done func(Pulled)
	// Waiting is told when the run begins to wait for the service, and when it goes on. It may be nil.
	Waiting func(bool)
}

// DefaultWait is how long Pull waits for a service that has answered well before.
const DefaultWait = time.Hour

// Pulled is how an order ended.
type Pulled struct {
	kyc.Status
	End   string    // one of the Pulled constants
	Code  string    // the last code heard about it, "" when none was
	Class kyc.Class // the class of that, or of a failed call
	Bytes int64     // of media stored by this run
	Err   error     // why it is pending or failed, where that is known
}

// Pull makes the steps of orders now, by the webhook's road: marker first. What the re-fetch does over hours it does not:
// an order of which the service has no media yet stays pending. It holds a bounded number of orders in work, and waits
// when everyone has to back off. The error says why it ended early; it is nil when every order had its turn. Orders may
// be pulled twice, also at the same time: those that are archived cost two reads.
func (s *Server) Pull(ctx context.Context, orders []archive.Order, o PullOptions) error {
	if o.Parallel <= 0 {
		o.Parallel = parallel
	}
	if o.Done == nil {
		o.Done = func(Pulled) {}
	}
	if o.Waiting == nil {
		o.Waiting = func(bool) {}
	}
	b := &backfill{
		Server: s, options: o, fresh: orders, total: len(orders), ends: make(chan turn),
		pace: pace{most: o.Parallel, limit: o.Parallel}, blamed: make(map[archive.Order]bool),
	}
	return b.run(ctx)
}

// Mender makes a puller that can only mend: it has no upstream, and its steps ask nothing.
func Mender(c platform.Config, b bucket.Bucket, writer string, log *slog.Logger) *kyc.Puller {
	return &kyc.Puller{Core: kyc.Core{
		Archive: archive.New(b), Now: time.Now, Rand: rand.Reader, Log: log,
		Settings: kyc.Settings{AppID: c.AppID, Writer: writer, Media: c.Media},
	}}
}
