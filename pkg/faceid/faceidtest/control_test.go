package faceidtest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// control makes a control call and gives status and body.
func (c *caller) control(method, path, body string) raw {
	c.t.Helper()
	r, err := c.do(c.request(method, "/_sim/"+path, "application/json", body))
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func TestControlCalls(t *testing.T) {
	for name, tt := range map[string]struct {
		method, path, body string
		want               string // the code of the next query about ok1
	}{
		"order ended":    {"POST", "orders", `{"orderNo":"ok1","endedAt":"2026-03-01T04:05:00Z"}`, "0"},
		"order ends now": {"POST", "orders", `{"orderNo":"ok1"}`, "66660011"},
		"ticket killed":  {"POST", "ticket/kill", "", "400102"},
		"token killed":   {"POST", "token/kill", "", "400102"},
		"other refresh":  {"POST", "ticket/other", "", "66660011"},
		"secret changed": {"POST", "secret", `{"secret":"new"}`, "400102"},
		"busy":           {"POST", "busy", `{"on":true}`, "400501"},
		"fault":          {"POST", "faults", `{"route":"query","orderNo":"ok1","code":"17","delay":"1ms"}`, "17"},
		"faults cleared": {"DELETE", "faults", "", "66660011"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t, Sync)
			c.refresh()
			if r := c.control(tt.method, tt.path, tt.body); r.status != http.StatusNoContent {
				t.Fatalf("%d %s", r.status, r.body)
			}
			if got := c.code(c.query("ok1", "")); got != tt.want {
				t.Errorf("code %s, want %s", got, tt.want)
			}
		})
	}
}

func TestControlSetsMedia(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	c.control("POST", "orders", `{"orderNo":"ok1","endedAt":"2026-03-01T04:00:00Z","photo":"QUJD"}`)
	r, err := c.whole("ok1")
	if err != nil || string(r.photo) != "ABC" || len(r.video) != 0 {
		t.Errorf("photo %q, video of %d bytes (%v), want ABC and none", r.photo, len(r.video), err)
	}
}

func TestControlRefusesNonsense(t *testing.T) {
	c := newCaller(t, Sync)
	for _, call := range [][2]string{
		{"orders", `{"orderNo":"no-order"}`}, {"orders", `{}`}, {"orders", `{"orderNo":"ok1","unknown":1}`}, {"orders", ``},
		{"faults", `{}`}, {"faults", `{"delay":"soon"}`}, {"secret", `{}`},
	} {
		if r := c.control("POST", call[0], call[1]); r.status != http.StatusBadRequest {
			t.Errorf("%s %s: %d, want 400", call[0], call[1], r.status)
		}
	}
}

func TestControlShows(t *testing.T) {
	c := newCaller(t, Sync)
	c.refresh()
	c.code(c.query("ok1", ""))
	c.code(c.query("ok2", ""))
	var calls []Call
	if err := json.Unmarshal(c.control("GET", "history?orderNo=ok2", "").body, &calls); err != nil || len(calls) != 1 || calls[0].Order != "ok2" {
		t.Errorf("history of ok2: %+v (%v)", calls, err)
	}
	var stats Stats
	if err := json.Unmarshal(c.control("GET", "stats", "").body, &stats); err != nil || stats.Calls[Sync] != 2 {
		t.Errorf("stats: %+v (%v)", stats, err)
	}
	var cases []Case
	if err := json.Unmarshal(c.control("GET", "cases", "").body, &cases); err != nil || len(cases) != len(Cases()) || cases[0].Example != "ok1" {
		t.Errorf("%d cases (%v), want %d", len(cases), err, len(Cases()))
	}
}

func TestControlIsForThisMachineOnly(t *testing.T) {
	fake := New(Config{AppID: testApp})
	for _, tt := range []struct {
		remote, host, origin string
		want                 int
	}{
		{"127.0.0.1:1", "127.0.0.1:8080", "", 200},
		{"[::1]:1", "localhost:8080", "", 200},
		{"[::1]:1", "[::1]", "", 200},
		{"192.0.2.1:1", "127.0.0.1:8080", "", 403},
		{"127.0.0.1:1", "rebound.example", "", 403},
		{"127.0.0.1:1", "127.0.0.1.example:80", "", 403},
		{"127.0.0.1:1", "127.0.0.1:8080", "https://page.example", 403},
		{"@", "127.0.0.1", "", 403},
	} {
		r := httptest.NewRequest(http.MethodGet, "/_sim/stats", nil)
		r.RemoteAddr, r.Host = tt.remote, tt.host
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("from %s to %s, page %q: %d, want %d", tt.remote, tt.host, tt.origin, w.Code, tt.want)
		}
	}
}

func TestRedirectQuery(t *testing.T) {
	c := newCaller(t, Sync)
	if _, err := c.fake.RedirectQuery("ok1", "0"); err == nil {
		t.Error("a redirect was signed without a ticket")
	}
	c.refresh()
	want := sign(testApp, "ok1", c.ticket, "0")
	for field, make := range map[string]func(string, string) (url.Values, error){"newSignature": c.fake.RedirectQuery, "newSign": c.fake.RedirectQueryPC} {
		q, err := make("ok1", "0")
		if err != nil || q.Get(field) != want || q.Get("orderNo") != "ok1" || q.Get("code") != "0" || q.Get("h5faceId") == "" {
			t.Errorf("%s: %v (%v)", field, q, err)
		}
	}
	for path, field := range map[string]string{"redirect?orderNo=ok1&code=0": "newSignature=", "redirect?orderNo=ok1&code=0&pc=1": "newSign="} {
		if r := c.control("GET", path, ""); !strings.Contains(string(r.body), field+want) {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	c.clock.advance(time.Hour)
	if r := c.control("GET", "redirect?orderNo=ok1&code=0", ""); r.status != http.StatusConflict {
		t.Errorf("with a dead ticket: %d, want 409", r.status)
	}
}
