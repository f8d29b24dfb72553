package faceid

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

// planted is what no error, reply or message may show: every secret, plain and as it stands in a URL, and what is signed.
func planted(asked []asked) []string {
	list := []string{"sign=", "secret=", "access_token=", "?"}
	for _, s := range []string{testTicket, testToken, testSecret} {
		list = append(list, s, url.QueryEscape(s), s[:12])
	}
	for _, a := range asked {
		if sign := a.URL.Query().Get("sign"); sign != "" {
			list = append(list, sign, a.URL.Query().Get("nonce"))
		}
	}
	return list
}

// echo is the query of a request, as a careless server might repeat it.
func echo(a asked) string { return a.URL.RawQuery + " " + a.text + " " + testTicket }

// echoed is the same inside a JSON string, with the values unescaped.
func echoed(a asked) string {
	var b strings.Builder
	for _, v := range a.URL.Query() {
		b.WriteString(v[0] + ",")
	}
	return strings.NewReplacer(`"`, "'", `\`, "").Replace(b.String() + a.text + testTicket)
}

// leaky are servers that repeat what they were asked wherever a text of theirs could end in an error.
var leaky = map[string]func(asked) string{
	"no answer":         func(asked) string { return "" },
	"garbage":           func(a asked) string { return echo(a) + "\r\n\r\n" },
	"status line":       func(a asked) string { return "HTTP/1.1 " + echo(a) + "\r\n\r\n" },
	"status text":       func(a asked) string { return "HTTP/1.1 500 " + a.URL.RawQuery + "\r\n\r\n" },
	"protocol version":  func(a asked) string { return "HTTP/" + a.URL.RawQuery + " 200 OK\r\n\r\n" },
	"header line":       func(a asked) string { return head(200, echo(a)) },
	"length":            func(a asked) string { return head(200, "Content-Length: "+echo(a)) },
	"two lengths":       func(a asked) string { return head(200, "Content-Length: 1", "Content-Length: 2"+a.URL.RawQuery) },
	"transfer encoding": func(a asked) string { return head(200, "Transfer-Encoding: "+echo(a)) },
	"chunk":             func(a asked) string { return head(200, "Transfer-Encoding: chunked") + echo(a) },
	"content encoding":  func(a asked) string { return head(200, "Content-Encoding: "+a.URL.RawQuery) + echo(a) },
	"gzip":              func(a asked) string { return head(200, "Content-Encoding: gzip") + echo(a) },
	"page":              func(a asked) string { return say(200, echo(a))(a) },
	"page, 502":         func(a asked) string { return say(502, echo(a))(a) },
	"redirect":          func(a asked) string { return say(302, echo(a), "Location: http://127.0.0.1:1"+a.URL.String())(a) },
	"bad redirect":      func(a asked) string { return say(302, echo(a), "Location: ://"+a.URL.RawQuery+"%zz")(a) },
	"message":           func(a asked) string { return say(200, `{"code":"400101","msg":"`+echoed(a)+`"}`)(a) },
	"message, 403":      func(a asked) string { return say(403, `{"code":"400103","msg":"`+echoed(a)+`"}`)(a) },
	"message as query":  func(a asked) string { return say(500, `{"code":"999999","msg":"`+values(a.URL.RawQuery)+`"}`)(a) },
	"code":              func(a asked) string { return say(200, `{"code":"`+echoed(a)+`"}`)(a) },
	"foreign":           func(a asked) string { return say(200, `{"code":"0","orderNo":"`+echoed(a)+`"}`)(a) },
	"torn":              func(a asked) string { return say(200, `{"code":"0","msg":"`+echoed(a))(a) },
	"bad JSON":          func(a asked) string { return say(200, `{"code":"0",`+echo(a))(a) },
	"bad Base64":        func(a asked) string { return say(200, `{"code":"0","photo":"*`+echoed(a)+`"}`)(a) },
}

// values is a raw query without names, since those of ours are not secret but are searched for.
func values(rawQuery string) string {
	var out []string
	for pair := range strings.SplitSeq(rawQuery, "&") {
		_, v, _ := strings.Cut(pair, "=")
		out = append(out, v)
	}
	return strings.Join(out, " ")
}

// calls makes every kind of call, and gives the errors, and texts that are shown like them.
func calls(ctx context.Context, t *testing.T, base string, change ...func(*Config)) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, d := range []Dialect{Sync, FaceRecord} {
		api := newTestAPI(t, base, append(change, func(c *Config) { c.Dialect = d })...)
		client := &Client{API: api, Tickets: &ladder{tickets: []string{testTicket}, err: errors.New("no other")}}
		reply, err := client.Query(ctx, testOrder, kyc.Photo|kyc.Video, nil)
		out[string(d)+" client"] = err
		out[string(d)+" client's message"] = reply.Msg
		reply, err = api.Query(ctx, ticketText(), testOrder, kyc.Photo, nil)
		out[string(d)] = err
		out[string(d)+"'s message"] = reply.Msg
	}
	api := newTestAPI(t, base, change...)
	_, _, err := api.AccessToken(ctx, secret.New(testSecret))
	out["token"] = err
	_, _, err = api.SignTicket(ctx, secret.New(testToken))
	out["ticket"] = err
	return out
}

// grep looks for what is planted in every text that can be made of what calls gave, down to the last cause.
func grep(t *testing.T, secrets []string, shown map[string]any) {
	t.Helper()
	for what, v := range shown {
		for _, part := range causes(v) {
			for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s"} {
				text := fmt.Sprintf(verb, part)
				for _, s := range secrets {
					if strings.Contains(text, s) {
						t.Errorf("%s: %s of %T shows %q: %s", what, verb, part, s, text)
					}
				}
			}
		}
	}
}

// causes gives v and, if it is an error, all that it wraps.
func causes(v any) []any {
	all := []any{v}
	switch e := v.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			all = append(all, causes(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, causes(inner)...)
		}
	}
	return all
}

func TestNoSecretFromLeakyServers(t *testing.T) {
	for name, answer := range leaky {
		t.Run(name, func(t *testing.T) {
			s := newRawServer(t, answer)
			shown := calls(t.Context(), t, s.url)
			grep(t, planted(s.requests()), shown)
			for what, v := range shown {
				if err, isErr := v.(error); isErr && kyc.ClassOf(err) == kyc.OK {
					t.Errorf("%s: %v", what, err)
				}
			}
			if shown["token"] == nil || shown["ticket"] == nil {
				t.Error("the calls did not fail, so this proves nothing")
			}
		})
	}
}

func TestNoSecretFromTheNetwork(t *testing.T) {
	plain := newRawServer(t, say(200, zeroReply))
	polite := newHTTPServer(t, http.NotFound)
	secure := newTLSServer(t)
	silent := newRawServer(t, func(asked) string { time.Sleep(200 * time.Millisecond); return "" })
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	cause, stop := context.WithCancelCause(t.Context())
	stop(errors.New("shutting down"))
	past, end := context.WithTimeout(t.Context(), 0)
	defer end()
	with := func(tr *http.Transport) func(*Config) { return func(c *Config) { c.Transport = tr } }
	through := func(p func(*http.Request) (*url.URL, error)) func(*Config) {
		return with(&http.Transport{Proxy: p})
	}
	for name, c := range map[string]struct {
		ctx    context.Context
		base   string
		change func(*Config)
		is     error
	}{
		"refused":                       {t.Context(), "http://" + closedPort(t), with(nil), nil},
		"no such host":                  {t.Context(), "http://no-such-host.invalid", with(&http.Transport{DialContext: noHost}), nil},
		"cancelled":                     {cancelled, plain.url, with(nil), context.Canceled},
		"cancelled, why":                {cause, plain.url, with(nil), context.Canceled},
		"deadline":                      {past, plain.url, with(nil), context.DeadlineExceeded},
		"header time-out":               {t.Context(), silent.url, func(c *Config) { c.Transport = nil; c.Limits.Header = 10 * time.Millisecond }, nil},
		"TLS with one who says nothing": {t.Context(), strings.Replace(silent.url, "http:", "https:", 1), with(&http.Transport{TLSHandshakeTimeout: 10 * time.Millisecond}), nil},
		"TLS to a plain one":            {t.Context(), strings.Replace(polite.URL, "http:", "https:", 1), with(nil), http.ErrSchemeMismatch},
		"plain to a TLS one":            {t.Context(), strings.Replace(secure, "https:", "http:", 1), with(nil), nil},
		"unknown certificate":           {t.Context(), secure, with(nil), nil},
		"TLS version":                   {t.Context(), secure, with(&http.Transport{TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10, InsecureSkipVerify: true}}), nil},
		"proxy's error": {t.Context(), plain.url, through(func(r *http.Request) (*url.URL, error) {
			return nil, errors.New("no proxy for " + r.URL.String())
		}), nil},
		"proxy refuses": {t.Context(), strings.Replace(plain.url, "http:", "https:", 1), through(http.ProxyURL(mustURL(t, silent.url))), nil},
	} {
		t.Run(name, func(t *testing.T) {
			shown := calls(c.ctx, t, c.base, c.change)
			grep(t, planted(plain.requests()), shown)
			for what, v := range shown {
				err, isErr := v.(error)
				if isErr && kyc.ClassOf(err) != kyc.Transient {
					t.Errorf("%s: class of %v is %s", what, err, kyc.ClassOf(err))
				}
				if isErr && c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("%s: %v is not %v", what, err, c.is)
				}
				if isErr && !strings.Contains(err.Error(), mustURL(t, c.base).Host) {
					t.Errorf("%s: %v does not name the host", what, err)
				}
			}
			if shown["token"] == nil || shown["sync"] == nil {
				t.Error("the calls did not fail, so this proves nothing")
			}
		})
	}
}

// newTLSServer starts a server with a certificate that nobody knows.
func newTLSServer(t *testing.T) string {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it is right to complain
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// closedPort is an address at which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func noHost(_ context.Context, _, addr string) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}}
}
