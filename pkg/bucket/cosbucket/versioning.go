package cosbucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// On a bucket that has versioning, or ever had, x-cos-forbid-overwrite has no effect (COS "PUT Object"): a create would
// replace what is there, and nobody would notice. So a Bucket asks once, before its first write, and writes nothing where the
// answer is anything but "never".
//
// Who may not ask (CAM: cos:GetBucketVersioning) is not refused for that: the store can show what it does. The first object
// that such a Bucket creates is created twice, with the same bytes. If the second is refused, create-once holds;
// if not, all that has happened is a second version of the same bytes, and the call fails. A trial under a key of its own
// would need a right to write there, and the driver knows no keys.
//
// Switched on later, versioning shows in the answer to the next put (x-cos-version-id), and ends the writing.

// Versioning is what a bucket says of itself (COS "GET Bucket versioning").
type Versioning string

// The states. Once it was enabled, versioning can be suspended, but never be taken back.
const (
	Never     Versioning = "never"
	Enabled   Versioning = "enabled"
	Suspended Versioning = "suspended"
)

// ErrVersioned says that create-once does not hold on the bucket, so that nothing is written there.
var ErrVersioned = errors.New("create-once does not hold on this bucket")

func refusal(v Versioning) error {
	return fmt.Errorf("%w: its versioning is %s, and COS then ignores %s; use a bucket that never had versioning", ErrVersioned, v, forbidHeader)
}

// Versioning asks the bucket, each time. An *Error of kind Denied says that the right cos:GetBucketVersioning is missing:
// create-once is then proven with the first object created.
func (b *Bucket) Versioning(ctx context.Context) (Versioning, error) {
	v, err := b.askVersioning(ctx)
	return v, bucket.Wrap("ask versioning of bucket", b.config.Bucket, err)
}

func (b *Bucket) askVersioning(ctx context.Context) (Versioning, error) {
	var told *cos.BucketGetVersionResult
	if _, err := b.do(ctx, func() (res *cos.Response, err error) {
		told, res, err = b.sdk.Bucket.GetVersioning(ctx)
		if err == nil && told.XMLName.Local == "" {
			err = errAnswer // the SDK takes an empty body for an empty state
		}
		return res, err
	}); err != nil {
		return "", err
	}
	switch told.Status {
	case "":
		return Never, nil
	case "Suspended":
		return Suspended, nil
	default:
		return Enabled, nil
	}
}

// guard is what is known of the bucket.
type guard struct {
	asking chan struct{} // holds one token: one asks, the others wait for the answer
	mu     sync.Mutex
	state  knowledge
	told   Versioning // with voided
}

type knowledge int

const (
	unknown knowledge = iota
	blind             // it would not say: the next create proves it
	holds
	voided
)

func newGuard() guard { return guard{asking: make(chan struct{}, 1)} }

func (g *guard) know() (knowledge, Versioning) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state, g.told
}

func (g *guard) set(k knowledge, told Versioning) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state != voided { // for good
		g.state, g.told = k, told
	}
}

// kept notes that a create was refused because an object is there: the header has its effect.
func (g *guard) kept() {
	if k, _ := g.know(); k == blind {
		g.set(holds, "")
	}
}

func (g *guard) versioned(v Versioning) { g.set(voided, v) }

// mayWrite refuses where create-once does not hold. Who may not ask, may write until the first create.
func (b *Bucket) mayWrite(ctx context.Context) error {
	if k, told := b.guard.know(); k != unknown {
		return verdict(k, told)
	}
	select {
	case b.guard.asking <- struct{}{}:
		defer func() { <-b.guard.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if k, _ := b.guard.know(); k == unknown {
		if err := b.learn(ctx); err != nil {
			return fmt.Errorf("ask versioning before the first write: %w", err)
		}
	}
	return verdict(b.guard.know())
}

func verdict(k knowledge, told Versioning) error {
	if k == voided {
		return refusal(told)
	}
	return nil
}

func (b *Bucket) learn(ctx context.Context) error {
	v, err := b.askVersioning(ctx)
	switch {
	case err == nil && v == Never:
		b.guard.set(holds, "")
	case err == nil:
		b.guard.versioned(v)
	case untold(err):
		b.guard.set(blind, "")
	default:
		return err
	}
	return nil
}

// untold tells whether the bucket will not say, now or later: the right is missing, or what answers knows no versioning.
func untold(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	return e.Kind == Denied || e.Status == http.StatusNotImplemented || e.Status == http.StatusMethodNotAllowed || errors.Is(err, errAnswer)
}

// prove creates once more what was just created, where that is the only way to know.
func (b *Bucket) prove(ctx context.Context, u *upload) error {
	if k, _ := b.guard.know(); k != blind {
		return nil
	}
	for n := 0; ; n++ {
		err := b.send(ctx, u, true)
		switch {
		case err == nil:
			return fmt.Errorf("%w: a second create of the same key went through; it may have had versioning, and these credentials may not ask (cos:GetBucketVersioning)", ErrVersioned)
		case kindOf(err) == Taken:
			b.guard.kept()
			return nil
		case !b.again(ctx, err, n):
			return fmt.Errorf("prove that create-once holds: %w", err)
		}
	}
}
