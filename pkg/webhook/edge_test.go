package webhook_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/webhook"
)

func TestRoutes(t *testing.T) {
	d := open(t, nil)
	for name, tc := range map[string]struct {
		method, path string
		status       int
		allow        string
	}{
		"nothing":            {"GET", "/", 404, ""},
		"elsewhere":          {"GET", "/v2/completions", 404, ""},
		"slash at the end":   {"POST", "/v1/completions/", 404, ""},
		"two slashes":        {"POST", "//v1/completions", 404, ""},
		"dots":               {"GET", "/v1/../healthz", 404, ""},
		"other case":         {"GET", "/HEALTHZ", 404, ""},
		"put completion":     {"PUT", "/v1/completions", 405, "GET, OPTIONS, POST"},
		"post order":         {"POST", "/v1/orders/x", 405, "GET, HEAD, OPTIONS"},
		"delete order":       {"DELETE", "/v1/orders/x", 405, "GET, HEAD, OPTIONS"},
		"post ticket":        {"POST", "/v1/ticket", 405, "GET, HEAD"},
		"post health":        {"POST", "/healthz", 405, "GET, HEAD"},
		"invented method":    {"BREW", "/v1/completions", 405, "GET, OPTIONS, POST"},
		"method in low case": {"post", "/v1/completions", 405, "GET, OPTIONS, POST"},
	} {
		t.Run(name, func(t *testing.T) {
			a := d.do(t, tc.method, tc.path, "")
			d.wantProblem(t, a, tc.status)
			if got := a.header.Get("Allow"); got != tc.allow {
				t.Errorf("Allow is %q, want %q", got, tc.allow)
			}
			d.wantNobody(t)
		})
	}
	if a := d.do(t, "GET", "/healthz", ""); a.status != 200 || a.body != `{"status":"ok"}` {
		t.Errorf("health: %d %s", a.status, a.body)
	}
	if a := d.do(t, "HEAD", "/healthz", ""); a.status != 200 || a.body != "" {
		t.Errorf("health, HEAD: %d %s", a.status, a.body)
	}
}

// TestOddRequestLines sends what Go's client would not.
func TestOddRequestLines(t *testing.T) {
	d := open(t, nil)
	for _, line := range []string{"OPTIONS * HTTP/1.1", "CONNECT evil.example:443 HTTP/1.1", "CONNECT /nothing HTTP/1.1", "GET http://evil.example HTTP/1.1"} {
		t.Run(line, func(t *testing.T) {
			conn, err := net.Dial("tcp", d.server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := fmt.Fprintf(conn, "%s\r\nHost: x\r\n\r\n", line); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode != 404 || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %v", resp.StatusCode, resp.Header)
			}
		})
	}
}

func TestSecurityHeadersEverywhere(t *testing.T) {
	d := open(t, func(c *webhook.Config) { c.Redirect = mustURL(t, "https://shop.example.com/") })
	fails := open(t, nil)
	fails.core.panics = "x"
	for name, a := range map[string]answer{
		"200": d.do(t, "GET", "/healthz", ""),
		"202": d.post(t, named(order), bearerFor(t, order)...),
		"204": d.do(t, "OPTIONS", "/v1/completions", ""),
		"303": d.redirect(t, ""),
		"401": d.post(t, named(order)),
		"404": d.do(t, "GET", "/", ""),
		"405": d.do(t, "PUT", "/healthz", ""),
		"500": fails.post(t, named(order), bearerFor(t, order)...),
	} {
		if fmt.Sprint(a.status) != name {
			t.Errorf("status is %d, want %s", a.status, name)
		}
		for header, want := range map[string]string{
			"X-Content-Type-Options":    "nosniff",
			"Cache-Control":             "no-store",
			"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
			"Referrer-Policy":           "no-referrer",
			"Strict-Transport-Security": "max-age=31536000",
		} {
			if got := a.header.Get(header); got != want {
				t.Errorf("%s: %s is %q", name, header, got)
			}
		}
	}
}

func TestPanics(t *testing.T) {
	for name, tc := range map[string]struct {
		thrown any
		logged string
	}{
		"a text":           {"planted panic", "panic: string"},
		"an error":         {errors.New("planted panic"), "panic: *errors.errorString"},
		"the server's own": {http.ErrAbortHandler, "panic: *errors.errorString"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, nil)
			d.core.panics = tc.thrown
			a := d.post(t, named(order), bearerFor(t, order)...)
			d.wantProblem(t, a, 500)
			log := d.log.String()
			if strings.Contains(a.body+log, "planted") {
				t.Errorf("what was thrown got out: %s %s", a.body, log)
			}
			if !strings.Contains(log, tc.logged) || !strings.Contains(log, "Complete") || !strings.Contains(log, `"level":"ERROR"`) {
				t.Errorf("log does not tell where: %s", log)
			}
		})
	}
}

func TestAnswerThatCanNotBeEncoded(t *testing.T) {
	d := open(t, nil)
	d.core.status.FirstSeen = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) // RFC 3339 ends at 9999
	d.wantProblem(t, d.do(t, "GET", "/v1/orders/orderNo596551", "", bearerFor(t, order)...), 500)
}

func TestRequestWithoutBody(t *testing.T) {
	d := open(t, nil)
	r := httptest.NewRequest(http.MethodPost, "/v1/completions", nil)
	r.Body = nil // as http.NewRequest makes it
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	if w.Code != 400 {
		t.Errorf("status is %d: %s", w.Code, w.Body)
	}
}

func TestOneLogLineARequest(t *testing.T) {
	d := open(t, nil)
	d.post(t, named(order), bearerFor(t, order)...)
	d.post(t, `{"orderNo":"../x"}`)
	d.do(t, "BREW", "/v1/completions", "")
	d.do(t, "GET", "/nothing", "")
	d.post(t, named(order))
	want := []string{
		`"level":"INFO","msg":"request","method":"POST","route":"/v1/completions","status":202,"took":0,"order":"orderNo596551","by":"jwt"}`,
		`"level":"INFO","msg":"request","method":"POST","route":"/v1/completions","status":400,"took":0,"kind":"order-number"}`,
		`"level":"INFO","msg":"request","method":"other","route":"/v1/completions","status":405,"took":0,"kind":"method"}`,
		`"level":"INFO","msg":"request","method":"GET","route":"none","status":404,"took":0,"kind":"no-such-route"}`,
		`"level":"INFO","msg":"request","method":"POST","route":"/v1/completions","status":401,"took":0,"order":"orderNo596551","kind":"proof","cause":"there must be one Authorization header, with a bearer token"}`,
	}
	lines := strings.Split(strings.TrimSpace(d.log.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines: %s", len(lines), d.log)
	}
	for i, line := range lines {
		if !strings.HasSuffix(line, want[i]) {
			t.Errorf("line %d is %s, want …%s", i, line, want[i])
		}
	}
}

// TestPlantedSecrets sends every secret there is through every door, good and bad, and looks for them in all that came out.
func TestPlantedSecrets(t *testing.T) {
	for name, change := range map[string]func(*webhook.Config){
		"plain":  nil,
		"onward": func(c *webhook.Config) { c.Redirect = mustURL(t, "https://shop.example.com/") },
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, change)
			good := mint(t, order)
			sent := []string{good, goodSign(), strings.ToLower(goodSign()), pairToken + "x", "planted-wrong"}
			for _, token := range badTokens(t) {
				sent = append(sent, token)
			}
			var out strings.Builder
			keep := func(a answer) { fmt.Fprintf(&out, "%d %v %s\n", a.status, a.header, a.body) }
			for _, err := range []error{nil, kyc.ErrUnknownOrder, errors.New("write marker")} {
				d.core.err = err
				for _, s := range sent {
					keep(d.post(t, named(order), "Authorization", "Bearer "+s, "webhook-signature", s))
					keep(d.post(t, `{"orderNo":"`+s+`-"}`, "Authorization", "Bearer "+s))
					keep(d.do(t, "GET", "/v1/orders/orderNo596551", "", "Authorization", "Bearer "+s))
					keep(d.do(t, "GET", "/v1/orders/"+s+"-", "", "Authorization", "Bearer "+s))
					keep(d.do(t, "GET", "/v1/ticket?x="+s, "", "Authorization", "Bearer "+s))
					keep(d.do(t, "GET", "/x?token="+s, "", "Origin", s))
					keep(d.redirect(t, "code=0&orderNo=orderNo596551&newSign="+s+"&token="+s))
					keep(d.redirect(t, "code="+s+".&orderNo="+s+"-&newSign="+s+"&newSign="+s))
				}
			}
			for _, secret := range append(sent, jwtKey, oldJWTKey, hookKey, ticketNow, ticketOld, pairToken, accessTok, "planted") {
				if len(secret) < 7 { // "x.y.z" and the like would be found by chance
					continue
				}
				if strings.Contains(out.String(), secret) {
					t.Errorf("an answer shows %.12s…", secret)
				}
				if strings.Contains(d.log.String(), secret) {
					t.Errorf("the log shows %.12s…", secret)
				}
			}
		})
	}
}
