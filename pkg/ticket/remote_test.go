package ticket

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

func newRemote(t *testing.T, url string, change ...func(*RemoteConfig)) *Remote {
	t.Helper()
	c := RemoteConfig{URL: url}
	for _, f := range change {
		f(&c)
	}
	r, err := NewRemote(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// company is a company's ticket service, and a clock for the Remote that asks it.
type company struct {
	mu    sync.Mutex
	reply string
	code  int
	asked int
	now   time.Time
}

func (c *company) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	if r.Method != http.MethodGet || r.Header.Get("Authorization") != "Bearer key" || r.URL.Path != "/ticket" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if c.code != 0 {
		w.WriteHeader(c.code)
	}
	_, _ = io.WriteString(w, c.reply)
}

func (c *company) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *company) set(code int, reply string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.code, c.reply = code, reply
}

func (c *company) wait(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// calls is how often it was asked since the last time.
func (c *company) calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.asked
	c.asked = 0
	return n
}

func newCompany(t *testing.T) (*company, *Remote) {
	t.Helper()
	c := &company{now: time.Now(), reply: `{"ticket":"first","expiresIn":1200}`}
	r := newRemote(t, serve(t, c)+"/ticket", func(rc *RemoteConfig) { rc.Token, rc.Now = secret.New("key"), c.Now })
	return c, r
}

func value(t *testing.T, r *Remote) string {
	t.Helper()
	k, err := r.Current(t.Context())
	if err != nil {
		t.Errorf("Current: %v", err)
	}
	return k.Value.Reveal()
}

func TestRemoteKeepsATicket(t *testing.T) {
	c, r := newCompany(t)
	if values, err := r.Recent(t.Context()); err != nil || len(values) != 1 {
		t.Errorf("Recent at first: %d values, %v", len(values), err)
	}
	for range 5 {
		if got := value(t, r); got != "first" {
			t.Errorf("ticket %q", got)
		}
	}
	if n := c.calls(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	c.set(0, `{"ticket":"second","expiresIn":"1200"}`)
	c.wait(remoteAge)
	if got := value(t, r); got != "second" || c.calls() != 1 {
		t.Errorf("after a minute: ticket %q", got)
	}
	values, err := r.Recent(t.Context())
	if want := []secret.Text{secret.New("second"), secret.New("first")}; err != nil || !slices.Equal(values, want) {
		t.Errorf("Recent: %d values, %v; want the new one, then the old one", len(values), err)
	}
	if err := r.Warm(t.Context()); err != nil {
		t.Errorf("Warm: %v", err)
	}
	if _, err := r.Newest(t.Context()); !errors.Is(err, ErrNotOwner) {
		t.Errorf("Newest: %v, want ErrNotOwner", err)
	}
}

func TestRemoteUsesTheOldTicketWhileTheServiceIsAway(t *testing.T) {
	c, r := newCompany(t)
	value(t, r)
	c.set(http.StatusBadGateway, "")
	for range 19 {
		c.wait(time.Minute)
		if got := value(t, r); got != "first" {
			t.Errorf("ticket %q", got)
		}
	}
	c.wait(31 * time.Second)
	if _, err := r.Current(t.Context()); kyc.ClassOf(err) != kyc.Transient || err == nil {
		t.Errorf("at its end: %v, want a transient error", err)
	}
	c.calls()
	for range 5 {
		if _, err := r.Current(t.Context()); err == nil {
			t.Error("a dead ticket was given out")
		}
	}
	if n := c.calls(); n != 0 {
		t.Errorf("asked %d times at once after it failed", n)
	}
	c.set(0, `{"ticket":"second","expiresIn":1200}`)
	c.wait(askInterval)
	if got := value(t, r); got != "second" {
		t.Errorf("afterwards: ticket %q", got)
	}
}

func TestRemoteAfterARefusal(t *testing.T) {
	c, r := newCompany(t)
	first, err := r.Current(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c.wait(10 * time.Second)
	c.calls()
	for range 10 {
		if _, err := r.Refused(t.Context(), first); !errors.Is(err, ErrTooYoung) || kyc.ClassOf(err) != kyc.Config {
			t.Errorf("the service has no other: %v", err)
		}
	}
	if n := c.calls(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
	c.set(0, `{"ticket":"second","expiresIn":1200}`)
	c.wait(askInterval)
	second, err := r.Refused(t.Context(), first)
	if err != nil || second.Value.Reveal() != "second" || second.Generation <= first.Generation {
		t.Errorf("the service has another: generation %d, %v", second.Generation, err)
	}
	c.calls()
	if got, err := r.Refused(t.Context(), first); err != nil || got != second || c.calls() != 0 {
		t.Errorf("refused by a slower caller: generation %d, %v", got.Generation, err)
	}
}

func TestRemoteCallersShareOneQuestion(t *testing.T) {
	var asked atomic.Int32
	r := newRemote(t, serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		time.Sleep(20 * time.Millisecond)
		_, _ = io.WriteString(w, `{"ticket":"x","expiresIn":60}`)
	})))
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { value(t, r) })
	}
	wg.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("asked %d times, want once", n)
	}
}

func TestRemoteIsStrict(t *testing.T) {
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	good := `{"ticket":"x","expiresIn":60}`
	tests := []struct {
		name  string
		h     http.HandlerFunc
		class kyc.Class
	}{
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
				return
			}
			_, _ = io.WriteString(w, good)
		}, kyc.Config},
		{"no access", text(http.StatusForbidden, good), kyc.Config},
		{"broken", text(http.StatusInternalServerError, good), kyc.Transient},
		{"busy", text(http.StatusTooManyRequests, good), kyc.Busy},
		{"another 2xx", text(http.StatusAccepted, good), kyc.Transient},
		{"too large", text(http.StatusOK, good+strings.Repeat(" ", maxReply)), kyc.Transient},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, good)
		}, kyc.Transient},
		{"a page", text(http.StatusOK, "<html>"), kyc.Transient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRemote(t, serve(t, tt.h))
			k, err := r.Current(t.Context())
			if _, err := r.Recent(t.Context()); kyc.ClassOf(err) != tt.class {
				t.Errorf("Recent: %v, want the same error", err)
			}
			if err == nil || kyc.ClassOf(err) != tt.class {
				t.Errorf("generation %d, %v; want an error of class %s", k.Generation, err, tt.class)
			}
		})
	}
}

func TestRemoteTimesOut(t *testing.T) {
	never := make(chan struct{})
	url := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-never }))
	t.Cleanup(func() { close(never) }) // before the server closes, which waits for it
	r := newRemote(t, url)
	r.client.Timeout = 50 * time.Millisecond
	if _, err := r.Current(t.Context()); !errors.Is(err, context.DeadlineExceeded) || kyc.ClassOf(err) != kyc.Transient {
		t.Errorf("Current: %v", err)
	}
}

func TestRemoteOverTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"ticket":"x","expiresIn":60}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of the refused handshake
	t.Cleanup(server.Close)
	if _, err := newRemote(t, server.URL).Current(t.Context()); err == nil {
		t.Error("a stranger's certificate was accepted")
	}
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	transport := strictTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	t.Cleanup(transport.CloseIdleConnections)
	if got := value(t, newRemote(t, server.URL, func(c *RemoteConfig) { c.Transport = transport })); got != "x" {
		t.Errorf("ticket %q", got)
	}
}

func TestRemoteURL(t *testing.T) {
	for url, want := range map[string]bool{
		"https://tickets.example.com/v1":      true,
		"https://tickets.example.com/?key=1":  true,
		"http://127.0.0.1:8080/":              true,
		"http://[::1]/":                       true,
		"http://localhost/":                   true,
		"http://tickets.example.com/":         false,
		"http://127.0.0.1.example.com/":       false,
		"https://user:planted@example.com/":   false,
		"https:///nowhere":                    false,
		"ftp://tickets.example.com/":          false,
		"own":                                 false,
		"":                                    false,
		"https://%zz":                         false,
		"https://tickets.example.com/\x7fabc": false,
	} {
		_, err := NewRemote(RemoteConfig{URL: url})
		if (err == nil) != want || err != nil && strings.Contains(err.Error(), "planted") {
			t.Errorf("%q: %v, want it accepted: %t", url, err, want)
		}
	}
}

func TestParseRemote(t *testing.T) {
	tests := map[string]time.Duration{ // 0: refused
		`{"ticket":"x","expiresIn":1234}`:                              1234 * time.Second,
		`{"ticket":"x","expiresIn":"1234"}`:                            1234 * time.Second,
		`{"ticket":"x","expiresIn":" 1.5 ","more":{"a":[1]}}`:          1500 * time.Millisecond,
		" {\n\"expiresIn\" : 1e3 , \"ticket\":\"x\"}\n":                1000 * time.Second,
		`{"ticket":"x","expiresIn":1e300}`:                             maxLife,
		`{"ticket":"x","expiresIn":1e-300}`:                            0,
		`{"ticket":"x","expiresIn":0}`:                                 0,
		`{"ticket":"x","expiresIn":-1}`:                                0,
		`{"ticket":"x","expiresIn":"NaN"}`:                             0,
		`{"ticket":"x","expiresIn":null}`:                              0,
		`{"ticket":"x","expiresIn":[1]}`:                               0,
		`{"ticket":"x"}`:                                               0,
		`{"ticket":"","expiresIn":1}`:                                  0,
		`{"ticket":1,"expiresIn":1}`:                                   0,
		`{"ticket":"a b","expiresIn":1}`:                               0,
		`{"ticket":"票","expiresIn":1}`:                                 0,
		`{"ticket":"x","expiresIn":1} {}`:                              0,
		`{"ticket":"x","expiresIn":1`:                                  0,
		``:                                                             0,
		`{"ticket":"` + strings.Repeat("x", 5000) + `","expiresIn":1}`: 0,
	}
	for body, want := range tests {
		reply, err := parseRemote([]byte(body))
		if (err == nil) != (want > 0) || reply.life != want {
			t.Errorf("%.60s: life %s, error %v; want %s", body, reply.life, err, want)
		}
	}
}

// FuzzRemote checks that what is accepted is a ticket that lives, and that errors do not quote.
func FuzzRemote(f *testing.F) {
	for _, seed := range []string{`{"ticket":"x","expiresIn":1234}`, `{"ticket":"x","expiresIn":"1"}`, `{"ticket":"x","expiresIn":"1e400"}`, `null`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		reply, err := parseRemote(body)
		if err != nil {
			if len(body) > 20 && strings.Contains(err.Error(), string(body)) {
				t.Errorf("the error quotes the reply: %v", err)
			}
			return
		}
		if reply.ticket.Empty() || reply.life <= 0 || reply.life > maxLife {
			t.Errorf("accepted %q: life %s", body, reply.life)
		}
		again := fmt.Sprintf(`{"ticket":%q,"expiresIn":%q}`, reply.ticket.Reveal(), fmt.Sprint(reply.life.Seconds()))
		if back, err := parseRemote([]byte(again)); err != nil || back.ticket != reply.ticket {
			t.Errorf("%q is not read back: %v", again, err)
		}
	})
}

var _ interface {
	faceid.Tickets
	Recent(context.Context) ([]secret.Text, error)
	Newest(context.Context) (Pair, error)
	Warm(context.Context) error
} = (*Remote)(nil)
