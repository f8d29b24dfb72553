package webhook_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

func (d *door) ticket(t testing.TB, headers ...string) answer {
	t.Helper()
	return d.do(t, http.MethodGet, "/v1/ticket", "", headers...)
}

func TestTicket(t *testing.T) {
	a := open(t, nil).ticket(t, "Authorization", "Bearer "+pairToken)
	want := `{"ticket":"` + ticketNow + `","accessToken":"` + accessTok + `","expiresIn":1200}`
	if a.status != 200 || a.body != want || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %s, Cache-Control %q", a.status, a.body, a.header.Get("Cache-Control"))
	}
}

func TestTicketRefused(t *testing.T) {
	d := open(t, nil)
	for name, headers := range map[string][]string{
		"no token":      nil,
		"another":       {"Authorization", "Bearer x"},
		"longer":        {"Authorization", "Bearer " + pairToken + "x"},
		"shorter":       {"Authorization", "Bearer " + pairToken[:5]},
		"basic":         {"Authorization", "Basic " + pairToken},
		"a webhook JWT": bearerFor(t, order),
	} {
		t.Run(name, func(t *testing.T) {
			d.wantProblem(t, d.ticket(t, headers...), 401)
			d.wantNobody(t)
		})
	}
}

func TestTicketNotOffered(t *testing.T) {
	d := open(t, func(c *webhook.Config) { c.TicketToken, c.Pair = secret.Text{}, nil })
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		d.wantProblem(t, d.do(t, method, "/v1/ticket", "", "Authorization", "Bearer "), 404)
	}
}

func TestTicketNotThere(t *testing.T) {
	for name, spoil := range map[string]func(*core){
		"none yet": func(c *core) { c.err = errors.New("read ticket: raw cause") },
		"expired":  func(c *core) { c.pair.Expires = now },
		"as good":  func(c *core) { c.pair.Expires = now.Add(time.Second - 1) },
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, nil)
			spoil(d.core)
			a := d.ticket(t, "Authorization", "Bearer "+pairToken)
			d.wantProblem(t, a, 503)
			if strings.Contains(a.body, "raw cause") || strings.Contains(a.body, ticketNow) {
				t.Errorf("got %s", a.body)
			}
		})
	}
}
