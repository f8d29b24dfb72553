package ticket

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	testApp    = "IDAXXXXX"
	testSecret = "planted0secret0of0the0app0id0never0to0be0seen0in0any0text0000000"
)

// newUpstream starts the fake service on a port of this machine, and makes a client for it.
func newUpstream(t *testing.T, c faceidtest.Config) (*faceidtest.Server, *faceid.API) {
	t.Helper()
	c.AppID, c.Secret = testApp, secret.New(testSecret)
	fake := faceidtest.New(c)
	return fake, newAPI(t, serve(t, fake), nil)
}

// serve starts an HTTP server on a port of this machine, and gives its URL.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// newBubbleUpstream is newUpstream for a synctest bubble: HTTP over connections in memory, so that waiting costs no time.
func newBubbleUpstream(t *testing.T, c faceidtest.Config) (*faceidtest.Server, *faceid.API) {
	t.Helper()
	c.AppID, c.Secret = testApp, secret.New(testSecret)
	fake := faceidtest.New(c)
	pipes := peertest.NewPipes()
	server := &http.Server{Handler: fake}
	go func() { _ = server.Serve(pipes) }()
	transport := &http.Transport{DialContext: pipes.Dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	return fake, newAPI(t, "http://upstream.test", transport)
}

func newAPI(t *testing.T, url string, transport *http.Transport) *faceid.API {
	t.Helper()
	api, err := faceid.New(faceid.Config{AppID: testApp, BaseURL: url, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// newOwn makes an owner as one process has it.
func newOwn(t *testing.T, b bucket.Bucket, s Service, change ...func(*OwnConfig)) *Own {
	t.Helper()
	c := OwnConfig{Bucket: b, AppID: testApp, Secret: secret.New(testSecret), Service: s}
	for _, f := range change {
		f(&c)
	}
	o, err := NewOwn(c)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// logTo makes an owner write its log to w.
func logTo(w io.Writer) func(*OwnConfig) {
	return func(c *OwnConfig) {
		c.Log = slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}

// skewed makes an owner's machine have a clock that is by ahead.
func skewed(by time.Duration) func(*OwnConfig) {
	return func(c *OwnConfig) { c.Now = func() time.Time { return time.Now().Add(by) } }
}

// between is a Service with something in the way of the calls to the real one.
type between struct {
	Service
	token  func(context.Context, func() (secret.Text, time.Duration, error)) (secret.Text, time.Duration, error)
	ticket func(context.Context, func() (secret.Text, time.Duration, error)) (secret.Text, time.Duration, error)
}

func (b between) AccessToken(ctx context.Context, s secret.Text) (secret.Text, time.Duration, error) {
	send := func() (secret.Text, time.Duration, error) { return b.Service.AccessToken(ctx, s) }
	if b.token == nil {
		return send()
	}
	return b.token(ctx, send)
}

func (b between) SignTicket(ctx context.Context, s secret.Text) (secret.Text, time.Duration, error) {
	send := func() (secret.Text, time.Duration, error) { return b.Service.SignTicket(ctx, s) }
	if b.ticket == nil {
		return send()
	}
	return b.ticket(ctx, send)
}

// upset is a bucket with something in the way of some calls to the real one.
type upset struct {
	bucket.Bucket
	create func(key string, do func() error) error
	get    func(key string) error
	list   func(prefix string) bool // false: the listing shows nothing
	now    func() (time.Time, error)
	listed int // objects that listings told of
}

func (u *upset) Create(ctx context.Context, key string, c bucket.Content) error {
	do := func() error { return u.Bucket.Create(ctx, key, c) }
	if u.create == nil {
		return do()
	}
	return u.create(key, do)
}

func (u *upset) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	if u.get != nil {
		if err := u.get(key); err != nil {
			return nil, bucket.Object{}, err
		}
	}
	return u.Bucket.Get(ctx, key)
}

func (u *upset) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	if u.list != nil && !u.list(prefix) {
		return func(func(bucket.Object, error) bool) {}
	}
	return func(yield func(bucket.Object, error) bool) {
		for o, err := range u.Bucket.List(ctx, prefix, after) {
			u.listed++
			if !yield(o, err) {
				return
			}
		}
	}
}

func (u *upset) Now(ctx context.Context) (time.Time, error) {
	if u.now != nil {
		return u.now()
	}
	return u.Bucket.Now(ctx)
}

var errBroken = errors.New("the line broke")

// plant writes generation n as another process would have left it.
func plant(t *testing.T, b bucket.Bucket, p Pair) {
	t.Helper()
	s := newSealerFor(t, testSecret)
	stored, err := s.seal(p)
	if err != nil {
		t.Fatal(err)
	}
	plantLease(t, b, p.Generation)
	plantBytes(t, b, p.Generation, stored)
}

func plantBytes(t *testing.T, b bucket.Bucket, n int64, stored []byte) {
	t.Helper()
	if err := b.Create(t.Context(), archive.TicketKey(n), bucket.Bytes(stored, "")); err != nil {
		t.Fatal(err)
	}
}

func plantLease(t *testing.T, b bucket.Bucket, n int64) {
	t.Helper()
	body, err := newLease(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Create(t.Context(), archive.LeaseKey(n), bucket.Bytes(body, "")); err != nil {
		t.Fatal(err)
	}
}

func newSealerFor(t *testing.T, appSecret string) *sealer {
	t.Helper()
	s, err := newSealer(secret.New(appSecret), testApp, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stored reads generation n with the app's secret; false when there is none that opens.
func stored(t *testing.T, b bucket.Bucket, n int64) (Pair, bool) {
	t.Helper()
	body, _, err := b.Get(t.Context(), archive.TicketKey(n))
	if errors.Is(err, bucket.ErrNotFound) {
		return Pair{}, false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = body.Close() }()
	bytes, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newSealerFor(t, testSecret).open(n, bytes)
	return p, err == nil
}

// keys lists what the bucket holds.
func keys(b *membucket.Bucket) []string {
	var all []string
	for _, o := range b.Objects() {
		all = append(all, o.Key)
	}
	return all
}

// current asks o for a ticket and fails the test when there is none.
func current(t *testing.T, o *Own) faceid.Ticket {
	t.Helper()
	k, err := o.Current(t.Context())
	if err != nil {
		t.Fatalf("Current: %v", err)
	}
	return k
}
