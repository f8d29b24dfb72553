package webhook_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	appID     = "IDAXXXXX"
	order     = archive.Order("orderNo596551")
	jwtKey    = "planted-jwt-key-0123456789-abcdefgh"
	oldJWTKey = "planted-old-jwt-key-9876543210-abcd"
	hookKey   = "whsec_cGxhbnRlZC13ZWJob29rLWtleS0wMTIzNDU2Nzg5"
	ticketNow = "planted-ticket-now-kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7TqwertyuiopasdfG"
	ticketOld = "planted-ticket-old-XO99Qfxlti9iTVgHAjwvJdAZKN3nMuUhrsPdPlPVKlcyS50"
	pairToken = "planted-ticket-token"
	accessTok = "planted-access-token"
)

// now is when all tests happen, but for those that move it.
var now = time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC)

// core stands in for what is behind the door, and records who came through.
type core struct {
	mu      sync.Mutex
	calls   []string // "complete ORDER BY", "status ORDER", "recent", "newest"
	outcome kyc.Outcome
	status  kyc.Status
	pair    webhook.Pair
	tickets []secret.Text
	err     error
	panics  any
	ctxErr  error // the context's, at the end of Complete
	wait    chan struct{}
}

func (c *core) call(what string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, what)
	if c.panics != nil {
		panic(c.panics)
	}
	return c.err
}

func (c *core) Complete(ctx context.Context, o archive.Order, by string) (kyc.Outcome, error) {
	err := c.call("complete " + string(o) + " " + by)
	if c.wait != nil {
		<-c.wait
	}
	c.ctxErr = ctx.Err()
	return c.outcome, err
}

func (c *core) Status(_ context.Context, o archive.Order) (kyc.Status, error) {
	return c.status, c.call("status " + string(o))
}

func (c *core) Recent(context.Context) ([]secret.Text, error) { return c.tickets, c.err }

func (c *core) Newest(context.Context) (webhook.Pair, error) { return c.pair, c.call("newest") }

// seen gives the calls so far and forgets them.
func (c *core) seen() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := strings.Join(c.calls, ", ")
	c.calls = nil
	return s
}

// door is a handler behind a real server, with everything that it touches.
type door struct {
	core    *core
	log     *peertest.Log
	handler *webhook.Handler
	server  *httptest.Server
	clock   time.Time
}

// open makes a door; change may alter the configuration, which is a good one with every part.
func open(t testing.TB, change func(*webhook.Config)) *door {
	t.Helper()
	d := &door{log: &peertest.Log{}, clock: now, core: &core{
		outcome: kyc.Outcome{State: kyc.StatePending, Created: true},
		tickets: []secret.Text{secret.New(ticketNow), secret.New(ticketOld)},
		status:  kyc.Status{Order: order, State: kyc.StatePending, FirstSeen: now.Add(-time.Minute)},
		pair:    webhook.Pair{Ticket: secret.New(ticketNow), AccessToken: secret.New(accessTok), Expires: now.Add(20 * time.Minute)},
	}}
	c := webhook.Config{
		AppID: appID, Auth: webhook.JWT, Keys: []secret.Text{secret.New(jwtKey), secret.New(oldJWTKey)},
		Origins: []string{"https://app.example.com", "http://localhost:5173"},
		Intake:  d.core, Orders: d.core, Tickets: d.core,
		TicketToken: secret.New(pairToken), Pair: d.core,
		Now: func() time.Time { return d.clock },
		Log: slog.New(slog.NewJSONHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&c)
	}
	h, err := webhook.New(c)
	if err != nil {
		t.Fatal(err)
	}
	d.handler = h
	d.server = httptest.NewUnstartedServer(nil)
	d.server.Config = webhook.NewServer(h)
	d.server.Start()
	t.Cleanup(d.server.Close)
	return d
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request over the wire and follows no redirect.
func (d *door) do(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, d.server.URL+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	resp, err := d.server.Client().Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: string(b)}
}

// post sends a JSON completion.
func (d *door) post(t testing.TB, body string, headers ...string) answer {
	t.Helper()
	return d.do(t, http.MethodPost, "/v1/completions", body, append([]string{"Content-Type", "application/json"}, headers...)...)
}

// bearerFor mints the headers of a good proof for o.
func bearerFor(t testing.TB, o archive.Order) []string {
	t.Helper()
	return []string{"Authorization", "Bearer " + mint(t, o)}
}

func mint(t testing.TB, o archive.Order) string {
	t.Helper()
	token, err := webhook.MintToken(secret.New(jwtKey), webhook.JWT, o, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func named(o archive.Order) string { return `{"orderNo":"` + string(o) + `"}` }

// wantProblem judges an RFC 9457 answer, and that nobody came through.
func (d *door) wantProblem(t testing.TB, a answer, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status is %d, want %d: %s", a.status, status, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type is %q", got)
	}
	var p map[string]any
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("problem is no JSON: %v: %s", err, a.body)
	}
	if p["type"] != "about:blank" || p["title"] != http.StatusText(status) || p["status"] != float64(status) || p["detail"] == "" || len(p) != 4 {
		t.Errorf("problem is %s", a.body)
	}
	if status == http.StatusUnauthorized && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
		t.Error("401 without WWW-Authenticate")
	}
	if status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
		t.Error("503 without Retry-After")
	}
}

// wantNobody fails when something behind the door was called.
func (d *door) wantNobody(t testing.TB) {
	t.Helper()
	if got := d.core.seen(); got != "" {
		t.Errorf("came through: %s", got)
	}
}

func mustURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
