package local_test

import (
	"context"
	"io"
	"iter"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// callsOfPass are all calls of a pass that finds nothing, while the ticket is fresh: what is paid for every five minutes.
const callsOfPass = `
now
get system/ticket/000000000002
get system/lease/000000000002
now
list retry/
list quiet/
list pending/
`

// callsOfOrder are all calls for an order that goes well, from its completion to the end of its one step: what is paid for it.
const callsOfOrder = `
list retry/ok1.
list quiet/ok1.
list pending/ok1.
get orders/ok1/manifest.json
create pending/ok1.OPENING
list retry/ok1.
list quiet/ok1.
list pending/ok1.
list orders/ok1/
get orders/ok1/manifest.json
now
get pending/ok1.OPENING
now
get system/backoff
now
get system/ticket/000000000002
get system/lease/000000000002
create orders/ok1/result.DIGEST.json
create orders/ok1/video.DIGEST.mp4
create orders/ok1/photo.DIGEST.jpg
now
create orders/ok1/manifest.json
create journal/2000-01-01/000100.ok1.DIGEST
delete pending/ok1.OPENING
`

// TestWhatIsPaidFor: what an order and a pass ask of the store, call by call. Seals that are not made add nothing to it, and
// encryption nothing but ".age".
func TestWhatIsPaidFor(t *testing.T) {
	stored := regexp.MustCompile(`(DIGEST\.(json|jpg|mp4))`)
	for name, c := range map[string]struct{ recipients, order string }{
		"plain":     {"", callsOfOrder},
		"encrypted": {life{}.encrypted(t).public, stored.ReplaceAllString(callsOfOrder, "$1.age")},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				paid := &bill{}
				h := &house{t: t, dir: dir, config: settings(t, map[string]string{"KYC_RECIPIENTS": c.recipients}), log: slog.New(slog.DiscardHandler), bill: paid}
				h.sim = faceidtest.New(faceidtest.Config{AppID: appID, Secret: secret.New(appSecret), Now: time.Now, MediaAfter: -1})
				p := h.start(&faults{})
				defer p.stop()
				time.Sleep(58 * time.Second) // after the first pass, which makes the ticket
				paid.take()
				p.complete(t, "ok1")
				time.Sleep(time.Minute)
				if diff := cmp.Diff(lines(c.order), paid.take()); diff != "" {
					t.Errorf("the calls of an order, -want +got:\n%s", diff)
				}
				time.Sleep(4 * time.Minute)
				if diff := cmp.Diff(lines(callsOfPass), paid.take()); diff != "" {
					t.Errorf("the calls of a pass, -want +got:\n%s", diff)
				}
			})
		})
	}
}

func lines(text string) []string { return strings.Split(strings.Trim(text, "\n"), "\n") }

// bill notes the calls to a store, with what differs from run to run taken out.
type bill struct {
	mu    sync.Mutex
	calls []string
}

var (
	digests  = regexp.MustCompile(`[0-9a-f]{64}`)
	openings = regexp.MustCompile(`\.[0-9a-v]{26}$`)
)

func (b *bill) note(call, key string) {
	key = openings.ReplaceAllString(digests.ReplaceAllString(key, "DIGEST"), ".OPENING")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, strings.TrimSpace(call+" "+key))
}

// take gives what was noted since the last time.
func (b *bill) take() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	calls := slices.Clone(b.calls)
	b.calls = nil
	return calls
}

// billed is a bucket whose calls are noted.
type billed struct {
	bucket.Bucket
	bill *bill
}

func (b billed) Create(ctx context.Context, key string, c bucket.Content) error {
	b.bill.note("create", key)
	return b.Bucket.Create(ctx, key, c)
}

func (b billed) Put(ctx context.Context, key string, c bucket.Content) error {
	b.bill.note("put", key)
	return b.Bucket.Put(ctx, key, c)
}

func (b billed) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	b.bill.note("get", key)
	return b.Bucket.Get(ctx, key)
}

func (b billed) Delete(ctx context.Context, key string) error {
	b.bill.note("delete", key)
	return b.Bucket.Delete(ctx, key)
}

func (b billed) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	b.bill.note("list", prefix)
	return b.Bucket.List(ctx, prefix, after)
}

func (b billed) Now(ctx context.Context) (time.Time, error) {
	b.bill.note("now", "")
	return b.Bucket.Now(ctx)
}
