package webhook_test

import (
	"net/http"
	"testing"

	"github.com/kycvault/kycvault/pkg/webhook"
)

func TestPreflight(t *testing.T) {
	d := open(t, nil)
	for path, allow := range map[string]string{
		"/v1/completions":     "GET, OPTIONS, POST",
		"/v1/orders/whatever": "GET, HEAD, OPTIONS",
	} {
		a := d.do(t, http.MethodOptions, path, "", "Origin", "https://app.example.com", "Access-Control-Request-Method", "POST")
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin":  "https://app.example.com",
			"Access-Control-Allow-Methods": allow,
			"Access-Control-Allow-Headers": "Authorization, Content-Type",
			"Access-Control-Max-Age":       "600",
			"Allow":                        allow,
			"Vary":                         "Origin",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if a.status != 204 || a.body != "" {
			t.Errorf("%s: %d %q", path, a.status, a.body)
		}
	}
	d.wantNobody(t)
}

func TestOtherOrigins(t *testing.T) {
	d := open(t, nil)
	for name, headers := range map[string][]string{
		"stranger":     {"Origin", "https://evil.example"},
		"null":         {"Origin", "null"},
		"suffix":       {"Origin", "https://app.example.com.evil.example"},
		"other scheme": {"Origin", "http://app.example.com"},
		"other port":   {"Origin", "https://app.example.com:8443"},
		"other case":   {"Origin", "https://APP.example.com"},
		"two":          {"Origin", "https://app.example.com", "Origin", "https://evil.example"},
		"none":         nil,
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodOptions, http.MethodPost, http.MethodGet} {
				a := d.do(t, method, "/v1/completions", "", headers...)
				for header := range a.header {
					if len(header) > 14 && header[:15] == "Access-Control-" {
						t.Errorf("%s: %s: %s", method, header, a.header.Get(header))
					}
				}
				if a.header.Get("Vary") != "Origin" {
					t.Errorf("%s: Vary is %q", method, a.header.Get("Vary"))
				}
			}
		})
	}
}

func TestPagesSeeRefusals(t *testing.T) {
	d := open(t, nil)
	origin := []string{"Origin", "http://localhost:5173"}
	for name, a := range map[string]answer{
		"401": d.post(t, named(order), origin...),
		"400": d.post(t, "x", origin...),
		"405": d.do(t, http.MethodDelete, "/v1/completions", "", origin...),
	} {
		if a.header.Get("Access-Control-Allow-Origin") != "http://localhost:5173" {
			t.Errorf("%s: got %d %v", name, a.status, a.header)
		}
	}
}

func TestTicketsAreNotForPages(t *testing.T) {
	d := open(t, nil)
	a := d.ticket(t, "Authorization", "Bearer "+pairToken, "Origin", "https://app.example.com")
	if got := a.header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("Access-Control-Allow-Origin is %q", got)
	}
	d.wantProblem(t, d.do(t, http.MethodOptions, "/v1/ticket", "", "Origin", "https://app.example.com"), 405)
}

func TestNoOrigins(t *testing.T) {
	d := open(t, func(c *webhook.Config) { c.Origins = nil })
	a := d.do(t, http.MethodOptions, "/v1/completions", "", "Origin", "https://app.example.com")
	if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "" || a.header.Get("Vary") != "" {
		t.Errorf("got %d %v", a.status, a.header)
	}
}
