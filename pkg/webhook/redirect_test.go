package webhook_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// h5Sign is the service's signature of a redirect (PROTOCOL section 2).
func h5Sign(o, code, ticket string) string { return faceid.Sign(appID, o, ticket, code) }

func goodSign() string { return h5Sign(string(order), "0", ticketNow) }

func (d *door) redirect(t testing.TB, query string) answer {
	t.Helper()
	return d.do(t, http.MethodGet, "/v1/completions?"+query, "")
}

func TestRedirectProven(t *testing.T) {
	d := open(t, nil)
	for name, tc := range map[string]struct{ query, by string }{
		"mobile":             {"code=0&orderNo=orderNo596551&h5faceId=x&newSignature=" + goodSign() + "&liveRate=99&signature=abc", "h5-sign"},
		"PC":                 {"newSign=" + goodSign() + "&h5faceId=x&orderNo=orderNo596551&code=0", "h5-sign"},
		"lower case":         {"code=0&orderNo=orderNo596551&newSign=" + strings.ToLower(goodSign()), "h5-sign"},
		"both names":         {"code=0&orderNo=orderNo596551&newSign=" + goodSign() + "&newSignature=" + strings.ToLower(goodSign()), "h5-sign"},
		"the ticket before":  {"code=0&orderNo=orderNo596551&newSign=" + h5Sign(string(order), "0", ticketOld), "h5-sign"},
		"another verdict":    {"code=-5001&orderNo=orderNo596551&newSign=" + h5Sign(string(order), "-5001", ticketNow), "h5-sign"},
		"own parameters":     {"a=1&a=2&code=0&orderNo=orderNo596551&newSign=" + goodSign(), "h5-sign"},
		"token":              {"code=0&orderNo=orderNo596551&token=" + mint(t, order), "h5-token"},
		"token alone":        {"orderNo=orderNo596551&token=" + mint(t, order), "h5-token"},
		"token, other sign":  {"code=0&orderNo=orderNo596551&newSign=x&token=" + mint(t, order), "h5-token"},
		"sign, token is old": {"code=0&orderNo=orderNo596551&token=a.b.c&newSign=" + goodSign(), "h5-sign"},
	} {
		t.Run(name, func(t *testing.T) {
			a := d.redirect(t, tc.query)
			if got := d.core.seen(); a.status != 202 || got != "complete orderNo596551 "+tc.by {
				t.Fatalf("got %d %s; core saw %q", a.status, a.body, got)
			}
			if a.body != `{"orderNo":"orderNo596551","state":"pending"}` || a.header.Get("Location") != "/v1/orders/orderNo596551" {
				t.Errorf("got %s, Location %q", a.body, a.header.Get("Location"))
			}
		})
	}
	t.Run("known already", func(t *testing.T) {
		d.core.outcome = kyc.Outcome{State: kyc.StateArchived}
		if a := d.redirect(t, "code=0&orderNo=orderNo596551&newSign="+goodSign()); a.status != 200 || !strings.Contains(a.body, "archived") {
			t.Errorf("got %d %s", a.status, a.body)
		}
	})
}

// badReturns are queries that must start nothing, with the status where no KYC_WEBHOOK_REDIRECT is set, and what is added there.
func badReturns(t testing.TB) map[string]struct {
	query  string
	status int
	added  string
} {
	t.Helper()
	good := goodSign()
	return map[string]struct {
		query  string
		status int
		added  string
	}{
		"nothing":               {"", 400, ""},
		"no proof":              {"code=0&orderNo=orderNo596551", 401, "code=0&orderNo=orderNo596551"},
		"empty proof":           {"code=0&orderNo=orderNo596551&newSign=&token=", 401, "code=0&orderNo=orderNo596551"},
		"forged":                {"code=0&orderNo=orderNo596551&newSign=" + strings.Repeat("A", 40), 401, "code=0&orderNo=orderNo596551"},
		"short":                 {"code=0&orderNo=orderNo596551&newSign=" + good[:39], 401, "code=0&orderNo=orderNo596551"},
		"long":                  {"code=0&orderNo=orderNo596551&newSign=" + good + "0", 401, "code=0&orderNo=orderNo596551"},
		"no hex":                {"code=0&orderNo=orderNo596551&newSign=" + good[:39] + "G", 401, "code=0&orderNo=orderNo596551"},
		"undocumented name":     {"code=0&orderNo=orderNo596551&signature=" + good, 401, "code=0&orderNo=orderNo596551"},
		"another order's":       {"code=0&orderNo=orderNo596552&newSign=" + good, 401, "code=0&orderNo=orderNo596552"},
		"another code's":        {"code=1&orderNo=orderNo596551&newSign=" + good, 401, "code=1&orderNo=orderNo596551"},
		"another ticket's":      {"code=0&orderNo=orderNo596551&newSign=" + h5Sign(string(order), "0", "x"), 401, "code=0&orderNo=orderNo596551"},
		"an empty ticket's":     {"code=0&orderNo=orderNo596551&newSign=" + h5Sign(string(order), "0", ""), 401, "code=0&orderNo=orderNo596551"},
		"no code":               {"orderNo=orderNo596551&newSign=" + h5Sign(string(order), "", ticketNow), 401, "orderNo=orderNo596551"},
		"another order's token": {"code=0&orderNo=orderNo596551&token=" + mint(t, "other"), 401, "code=0&orderNo=orderNo596551"},
		"two orders":            {"code=0&orderNo=orderNo596551&orderNo=other&newSign=" + good, 400, "code=0"},
		"an order twice":        {"code=0&orderNo=orderNo596551&orderNo=orderNo596551&newSign=" + good, 400, "code=0"},
		"two codes":             {"code=0&code=0&orderNo=orderNo596551&newSign=" + good, 400, "orderNo=orderNo596551"},
		"two signatures":        {"code=0&orderNo=orderNo596551&newSign=" + good + "&newSign=" + good, 400, "code=0&orderNo=orderNo596551"},
		"two that differ":       {"code=0&orderNo=orderNo596551&newSign=" + good + "&newSignature=" + strings.Repeat("A", 40), 400, "code=0&orderNo=orderNo596551"},
		"two tokens":            {"code=0&orderNo=orderNo596551&token=" + mint(t, order) + "&token=x", 400, "code=0&orderNo=orderNo596551"},
		"ORDERNO":               {"code=0&ORDERNO=orderNo596551&newSign=" + good, 400, "code=0"},
		"order dots":            {"code=0&orderNo=..&newSign=" + h5Sign("..", "0", ticketNow), 400, "code=0"},
		"order slash":           {"code=0&orderNo=a%2Fb&newSign=" + h5Sign("a/b", "0", ticketNow), 400, "code=0"},
		"order blank":           {"code=0&orderNo=a+b&newSign=" + h5Sign("a b", "0", ticketNow), 400, "code=0"},
		"order not ASCII":       {"code=0&orderNo=%E8%AE%A2&newSign=" + h5Sign("订", "0", ticketNow), 400, "code=0"},
		"order empty":           {"code=0&orderNo=&newSign=" + h5Sign("", "0", ticketNow), 400, "code=0"},
		"order too long":        {"code=0&orderNo=" + strings.Repeat("a", 33) + "&newSign=" + good, 400, "code=0"},
		"code too long":         {"code=" + strings.Repeat("1", 17) + "&orderNo=orderNo596551&newSign=" + good, 400, "orderNo=orderNo596551"},
		"code with a line":      {"code=0%0d%0aX:1&orderNo=orderNo596551&newSign=" + good, 400, "orderNo=orderNo596551"},
		"malformed query":       {"code=0&orderNo=orderNo596551&newSign=" + good + "&x=%zz", 400, ""},
		"semicolons":            {"code=0;orderNo=orderNo596551;newSign=" + good, 400, ""},
		"elsewhere":             {"code=0&orderNo=x&redirect=https://evil.example", 401, "code=0&orderNo=x"},
	}
}

func TestRedirectRefused(t *testing.T) {
	d := open(t, nil)
	onward := open(t, func(c *webhook.Config) { c.Redirect = mustURL(t, "https://shop.example.com/done") })
	for name, tc := range badReturns(t) {
		t.Run(name, func(t *testing.T) {
			d.wantProblem(t, d.redirect(t, tc.query), tc.status)
			d.wantNobody(t)
			want := "https://shop.example.com/done"
			if tc.added != "" {
				want += "?" + tc.added
			}
			a := onward.redirect(t, tc.query)
			if a.status != 303 || a.header.Get("Location") != want || a.body != "" {
				t.Errorf("sent on with %d to %q, want %q", a.status, a.header.Get("Location"), want)
			}
			onward.wantNobody(t)
		})
	}
	if got := strings.Count(onward.log.String(), `"kind":`); got != len(badReturns(t)) {
		t.Errorf("%d refusals in the log, want %d", got, len(badReturns(t)))
	}
}

func TestRedirectSendsOn(t *testing.T) {
	for name, tc := range map[string]struct{ place, want string }{
		"plain":          {"https://shop.example.com/done", "https://shop.example.com/done?code=0&orderNo=orderNo596551"},
		"own parameters": {"https://shop.example.com/done?z=1&a=%20b", "https://shop.example.com/done?z=1&a=%20b&code=0&orderNo=orderNo596551"},
		"fragment":       {"https://shop.example.com/#/done", "https://shop.example.com/?code=0&orderNo=orderNo596551#/done"},
		"no path":        {"http://localhost:5173", "http://localhost:5173?code=0&orderNo=orderNo596551"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, func(c *webhook.Config) { c.Redirect = mustURL(t, tc.place) })
			a := d.redirect(t, "code=0&orderNo=orderNo596551&newSign="+goodSign())
			if a.status != 303 || a.header.Get("Location") != tc.want {
				t.Errorf("got %d to %q", a.status, a.header.Get("Location"))
			}
			if got := d.core.seen(); got != "complete orderNo596551 h5-sign" {
				t.Errorf("core saw %q", got)
			}
		})
	}
}

func TestRedirectWithoutTicket(t *testing.T) {
	for name, spoil := range map[string]func(*core){
		"error": func(c *core) { c.tickets, c.err = nil, errors.New("read ticket: raw cause") },
		"none":  func(c *core) { c.tickets = nil },
	} {
		t.Run(name, func(t *testing.T) {
			query := "code=0&orderNo=orderNo596551&newSign=" + goodSign()
			d := open(t, nil)
			spoil(d.core)
			d.wantProblem(t, d.redirect(t, query), 503)
			d.wantNobody(t)

			onward := open(t, func(c *webhook.Config) { c.Redirect = mustURL(t, "https://shop.example.com/") })
			spoil(onward.core)
			if a := onward.redirect(t, query); a.status != 303 {
				t.Errorf("got %d", a.status)
			}
			onward.wantNobody(t)
			if !strings.Contains(onward.log.String(), `"level":"ERROR"`) || !strings.Contains(onward.log.String(), "no-ticket") {
				t.Errorf("log: %s", onward.log)
			}
		})
	}
}

func TestRedirectWithoutArchive(t *testing.T) {
	query := "orderNo=orderNo596551&token=" + mint(t, order)
	d := open(t, nil)
	d.core.err = errors.New("create marker: raw cause")
	d.wantProblem(t, d.redirect(t, query), 503)

	onward := open(t, func(c *webhook.Config) { c.Redirect = mustURL(t, "https://shop.example.com/") })
	onward.core.err = errors.New("create marker: raw cause")
	if a := onward.redirect(t, query); a.status != 303 {
		t.Errorf("got %d", a.status)
	}
	if log := onward.log.String(); !strings.Contains(log, "raw cause") || !strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("log: %s", log)
	}
}

// TestRedirectSurvivesPanics: whatever breaks here, the person in the browser goes on.
func TestRedirectSurvivesPanics(t *testing.T) {
	d := open(t, func(c *webhook.Config) { c.Redirect = mustURL(t, "https://shop.example.com/") })
	d.core.panics = "x"
	a := d.redirect(t, "code=0&orderNo=orderNo596551&newSign="+goodSign())
	if a.status != 303 || !strings.Contains(d.log.String(), `"level":"ERROR"`) {
		t.Errorf("got %d; log %s", a.status, d.log)
	}
}

func TestRedirectIsNotProvenByAnEmptyTicket(t *testing.T) {
	d := open(t, nil)
	d.core.tickets = []secret.Text{secret.New(ticketNow), {}}
	d.wantProblem(t, d.redirect(t, "code=0&orderNo=orderNo596551&newSign="+h5Sign(string(order), "0", "")), 401)
	d.wantNobody(t)
}

func TestRedirectHeadStartsNothing(t *testing.T) {
	for name, change := range map[string]func(*webhook.Config){
		"plain":  nil,
		"onward": func(c *webhook.Config) { c.Redirect, _ = url.Parse("https://shop.example.com/") },
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, change)
			a := d.do(t, http.MethodHead, "/v1/completions?code=0&orderNo=orderNo596551&newSign="+goodSign(), "")
			if a.status != 405 || a.header.Get("Allow") != "GET, OPTIONS, POST" {
				t.Errorf("got %d, Allow %q", a.status, a.header.Get("Allow"))
			}
			d.wantNobody(t)
		})
	}
}

func FuzzRedirect(f *testing.F) {
	for _, tc := range badReturns(f) {
		f.Add(tc.query)
	}
	f.Add("code=0&orderNo=orderNo596551&newSign=" + goodSign())
	f.Add("orderNo=orderNo596551&token=" + mint(f, order))
	plain := open(f, nil)
	onward := open(f, func(c *webhook.Config) {
		c.Redirect = mustURL(f, "https://shop.example.com/done?a=1")
		c.Tickets, c.Intake = plain.core, plain.core
	})
	f.Fuzz(func(t *testing.T, query string) {
		a := httptest.NewRecorder()
		plain.handler.ServeHTTP(a, returning(query))
		judgeReturn(t, query, a.Code, plain.core.seen())
		b := httptest.NewRecorder()
		onward.handler.ServeHTTP(b, returning(query))
		judgeReturn(t, query, a.Code, plain.core.seen())
		to, err := url.Parse(b.Header().Get("Location"))
		if err != nil || b.Code != 303 || to.Host != "shop.example.com" || to.Path != "/done" || to.Fragment != "" {
			t.Fatalf("sent on with %d to %q: %v", b.Code, b.Header().Get("Location"), err)
		}
		for name, values := range to.Query() {
			if len(values) != 1 || name != "a" && name != "code" && name != "orderNo" {
				t.Fatalf("added %s %q", name, values)
			}
		}
	})
}

// returning is a redirect's request with any query, also one that no client would send.
func returning(query string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/completions", nil)
	r.URL.RawQuery = query
	return r
}

// judgeReturn checks that what came through was signed, by computing the signature anew, or carried one of our tokens.
func judgeReturn(t *testing.T, query string, status int, calls string) {
	t.Helper()
	if status != 202 {
		if status != 400 && status != 401 || calls != "" {
			t.Fatalf("status %d, calls %q", status, calls)
		}
		return
	}
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	o, err := archive.ParseOrder(q.Get("orderNo"))
	if err != nil || !strings.HasPrefix(calls, "complete "+string(o)+" ") {
		t.Fatalf("order %q, calls %q, %v", o, calls, err)
	}
	if strings.HasSuffix(calls, " h5-token") {
		judgeToken(t, q.Get("token"), o)
		return
	}
	for _, ticket := range []secret.Text{secret.New(ticketNow), secret.New(ticketOld)} {
		want := h5Sign(string(o), q.Get("code"), ticket.Reveal())
		if strings.EqualFold(q.Get("newSign"), want) || strings.EqualFold(q.Get("newSignature"), want) {
			return
		}
	}
	t.Fatal("came through without a signature")
}
