package webhook_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/webhook"
)

func TestServerLimits(t *testing.T) {
	s := webhook.NewServer(http.NotFoundHandler())
	if s.MaxHeaderBytes != 16<<10 || s.ReadHeaderTimeout <= 0 || s.ReadTimeout < s.ReadHeaderTimeout || s.IdleTimeout <= 0 {
		t.Errorf("limits: %+v", s)
	}
	// Work of 15 s that starts at the end of a slow request must still be able to answer.
	if s.WriteTimeout < s.ReadTimeout+15e9 {
		t.Errorf("WriteTimeout %s cuts off answers", s.WriteTimeout)
	}
}

func TestHugeHeaderStopsAtTheServer(t *testing.T) {
	d := open(t, nil)
	a := d.post(t, named(order), "Authorization", "Bearer "+strings.Repeat("x", 24<<10))
	if a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d", a.status)
	}
	d.wantNobody(t)
}
