package webhook_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

func TestStatus(t *testing.T) {
	d := open(t, nil)
	d.core.status = kyc.Status{
		Order: order, State: kyc.StatePartial, FirstSeen: now, Attempts: 3, ArchivedAt: now.Add(time.Second),
		Files:   []archive.File{{Name: "photo.eb92.jpg", Kind: archive.Photo, MediaType: "image/jpeg", Size: 66293, SHA256: "eb92"}},
		Missing: []string{"video"},
	}
	a := d.do(t, http.MethodGet, "/v1/orders/orderNo596551", "", bearerFor(t, order)...)
	want := `{"orderNo":"orderNo596551","state":"partial","firstSeen":"2026-11-23T18:00:00Z","attempts":3,"archivedAt":"2026-11-23T18:00:01Z",` +
		`"files":[{"name":"photo.eb92.jpg","kind":"photo","mediaType":"image/jpeg","size":66293,"sha256":"eb92"}],"missing":["video"]}`
	if diff := cmp.Diff(want, a.body); a.status != 200 || diff != "" {
		t.Errorf("%d\n%s", a.status, diff)
	}
	if got := d.core.seen(); got != "status orderNo596551" {
		t.Errorf("core saw %q", got)
	}
}

func TestStatusHasListsNeverNull(t *testing.T) {
	a := open(t, nil).do(t, http.MethodGet, "/v1/orders/orderNo596551", "", bearerFor(t, order)...)
	if !strings.Contains(a.body, `"files":[],"missing":[]`) {
		t.Errorf("got %s", a.body)
	}
}

func TestStatusFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		status int
	}{
		"unknown":     {fmt.Errorf("read order: %w", kyc.ErrUnknownOrder), 404},
		"unreachable": {errors.New("list orders: raw cause"), 503},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, nil)
			d.core.err = tc.err
			a := d.do(t, http.MethodGet, "/v1/orders/orderNo596551", "", bearerFor(t, order)...)
			d.wantProblem(t, a, tc.status)
			if strings.Contains(a.body, "raw cause") {
				t.Errorf("the cause left the process: %s", a.body)
			}
		})
	}
}

func TestStatusOrderNumbers(t *testing.T) {
	d := open(t, nil)
	for name, tc := range map[string]struct {
		path   string
		status int
	}{
		"empty":         {"/v1/orders/", 404},
		"dots":          {"/v1/orders/..", 404},
		"escaped dots":  {"/v1/orders/%2e%2e", 400},
		"escaped slash": {"/v1/orders/a%2fb", 400},
		"slash":         {"/v1/orders/a/b", 404},
		"blank":         {"/v1/orders/a%20b", 400},
		"not ASCII":     {"/v1/orders/%E8%AE%A2%E5%8D%95", 400},
		"33 characters": {"/v1/orders/" + strings.Repeat("a", 33), 400},
		"zero byte":     {"/v1/orders/a%00", 400},
		"marker":        {"/v1/orders/a.b", 400},
	} {
		t.Run(name, func(t *testing.T) {
			d.wantProblem(t, d.do(t, http.MethodGet, tc.path, "", bearerFor(t, order)...), tc.status)
			d.wantNobody(t)
		})
	}
}

// TestStrangersLearnNothing asks with every bad proof about an order that exists and one that does not: word for word the same.
func TestStrangersLearnNothing(t *testing.T) {
	known, unknown := open(t, nil), open(t, nil)
	known.core.outcome = kyc.Outcome{State: kyc.StateArchived}
	unknown.core.err = kyc.ErrUnknownOrder
	for name, token := range badTokens(t) {
		headers := []string{"Authorization", "Bearer " + token}
		for _, ask := range []func(d *door) answer{
			func(d *door) answer { return d.do(t, http.MethodGet, "/v1/orders/orderNo596551", "", headers...) },
			func(d *door) answer { return d.do(t, http.MethodHead, "/v1/orders/orderNo596551", "", headers...) },
			func(d *door) answer { return d.post(t, named(order), headers...) },
			func(d *door) answer { return d.redirect(t, "code=0&orderNo=orderNo596551&token="+token) },
		} {
			a, b := ask(known), ask(unknown)
			a.header.Del("Date")
			b.header.Del("Date")
			if diff := cmp.Diff(a, b, cmp.AllowUnexported(answer{})); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
	known.wantNobody(t)
	unknown.wantNobody(t)
}
