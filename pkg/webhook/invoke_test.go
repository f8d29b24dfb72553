package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/webhook"
)

// invoke sends a request as a function's event would bring it.
func (d *door) invoke(t testing.TB, method, target, body string, headers ...string) answer {
	t.Helper()
	path, query, _ := strings.Cut(target, "?")
	c := webhook.Call{Method: method, Path: path, RawQuery: query, Body: []byte(body), Header: map[string][]string{
		"host": {strings.TrimPrefix(d.server.URL, "http://")}, "user-agent": {"Go-http-client/1.1"},
	}}
	for i := 0; i < len(headers); i += 2 {
		name := strings.ToLower(headers[i])
		if name == "host" {
			c.Header[name] = nil
		}
		c.Header[name] = append(c.Header[name], headers[i+1])
	}
	got, err := webhook.Invoke(t.Context(), d.handler, c)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: got.Status, header: got.Header, body: string(got.Body)}
}

// TestInvokeAnswersAsTheServerDoes sends each request over the wire and by Invoke, and compares the answers.
func TestInvokeAnswersAsTheServerDoes(t *testing.T) {
	json, long := []string{"Content-Type", "application/json"}, strings.Repeat("x", 17<<10)
	proven := append(bearerFor(t, order), json...)
	for name, r := range map[string]struct {
		method, target, body string
		headers              []string
	}{
		"completion":          {"POST", "/v1/completions", named(order), proven},
		"no proof":            {"POST", "/v1/completions", named(order), json},
		"body too large":      {"POST", "/v1/completions", named(order) + long, proven},
		"a form":              {"POST", "/v1/completions", "orderNo=x", nil},
		"two content types":   {"POST", "/v1/completions", named(order), append(json, proven...)},
		"redirect":            {"GET", "/v1/completions?code=0&orderNo=x&newSign=" + strings.Repeat("A", 40), "", nil},
		"encoded query":       {"GET", "/v1/completions?token=" + mint(t, order) + "&orderNo=" + strings.ReplaceAll(string(order), "o", "%6f"), "", nil},
		"malformed query":     {"GET", "/v1/completions?a=%zz", "", nil},
		"status":              {"GET", "/v1/orders/" + string(order), "", proven},
		"head of a status":    {"HEAD", "/v1/orders/" + string(order), "", proven},
		"encoded path":        {"GET", "/v1/orders/..%2f..%2fx", "", proven},
		"unclean path":        {"GET", "/v1//completions", "", nil},
		"nowhere":             {"GET", "/favicon.ico", "", nil},
		"wrong method":        {"DELETE", "/v1/completions", "", nil},
		"strange method":      {"BREW", "/v1/completions", "", nil},
		"preflight":           {"OPTIONS", "/v1/completions", "", []string{"Origin", "https://app.example.com", "Access-Control-Request-Method", "POST"}},
		"from a page":         {"POST", "/v1/completions", named(order), append([]string{"Origin", "http://localhost:5173"}, proven...)},
		"ticket":              {"GET", "/v1/ticket", "", []string{"Authorization", "Bearer " + pairToken}},
		"health":              {"GET", "/healthz", "", nil},
		"a header too large":  {"GET", "/healthz", "", []string{"Authorization", strings.Repeat("x", 24<<10)}},
		"headers that are ok": {"GET", "/healthz", "", []string{"A", strings.Repeat("x", 15<<10)}},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, nil)
			want, wantCalls := d.do(t, r.method, r.target, r.body, r.headers...), d.core.seen()
			got, gotCalls := d.invoke(t, r.method, r.target, r.body, r.headers...), d.core.seen()
			want.header.Del("Date")
			if want.status == http.StatusRequestHeaderFieldsTooLarge { // net/http writes a page of its own
				d.wantProblem(t, got, want.status)
				return
			}
			if r.method == http.MethodHead || want.body == "" {
				want.header.Del("Content-Length") // the wire's own
				got.header.Del("Content-Length")
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(answer{})); diff != "" || gotCalls != wantCalls {
				t.Errorf("calls %q and %q, answer -server +invoke:\n%s", wantCalls, gotCalls, diff)
			}
		})
	}
}

// TestInvokeRefusesWhatIsNoRequest: net/http would refuse these before any handler; so does Invoke.
func TestInvokeRefusesWhatIsNoRequest(t *testing.T) {
	good := webhook.Call{Method: "GET", Path: "/healthz"}
	for name, change := range map[string]func(c *webhook.Call){
		"no method":        func(c *webhook.Call) { c.Method = "" },
		"two methods":      func(c *webhook.Call) { c.Method = "GET POST" },
		"no path":          func(c *webhook.Call) { c.Path = "" },
		"only a query":     func(c *webhook.Call) { c.Path, c.RawQuery = "", "a=b" },
		"another origin":   func(c *webhook.Call) { c.Path = "http://elsewhere/healthz" },
		"a bad escape":     func(c *webhook.Call) { c.Path = "/%zz" },
		"a line break":     func(c *webhook.Call) { c.Path = "/healthz\r\nA: b" },
		"header's name":    func(c *webhook.Call) { c.Header = map[string][]string{"a b": {"c"}} },
		"no header's name": func(c *webhook.Call) { c.Header = map[string][]string{"": {"c"}} },
		"header's value":   func(c *webhook.Call) { c.Header = map[string][]string{"a": {"b\r\nc: d"}} },
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, nil)
			c := good
			change(&c)
			got, err := webhook.Invoke(t.Context(), d.handler, c)
			if err != nil {
				t.Fatal(err)
			}
			d.wantProblem(t, answer{status: got.Status, header: got.Header, body: string(got.Body)}, http.StatusBadRequest)
		})
	}
	bad := webhook.BadCall("The event holds no request.")
	open(t, nil).wantProblem(t, answer{status: bad.Status, header: bad.Header, body: string(bad.Body)}, http.StatusBadRequest)
}

// TestInvokeOutlivesAPanic: also one outside of what the edge guards. Nothing of it is in the answer.
func TestInvokeOutlivesAPanic(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"panic": func(http.ResponseWriter, *http.Request) { panic("planted secret") },
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		},
		"no answer at all": func(http.ResponseWriter, *http.Request) {},
	} {
		got, err := webhook.Invoke(t.Context(), handler, webhook.Call{Method: "GET", Path: "/"})
		if err == nil || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: error is %v", name, err)
		}
		var p map[string]any
		if json.Unmarshal(got.Body, &p) != nil || p["status"] != 500.0 || got.Status != 500 || bytes.Contains(got.Body, []byte("planted")) {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
}

// TestInvokeBoundsTheTime: a handler's context ends, and has the platform's deadline where that is sooner.
func TestInvokeBoundsTheTime(t *testing.T) {
	left := func(ctx context.Context) (left time.Duration) {
		_, err := webhook.Invoke(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			deadline, _ := r.Context().Deadline()
			left = time.Until(deadline)
			w.WriteHeader(http.StatusOK)
		}), webhook.Call{Method: "GET", Path: "/"})
		if err != nil {
			t.Fatal(err)
		}
		return left
	}
	if got := left(t.Context()); got < 15*time.Second || got > 30*time.Second {
		t.Errorf("a handler has %s", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if got := left(ctx); got > time.Second {
		t.Errorf("a handler has %s of the platform's second", got)
	}
}
