package webhook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/webhook"
)

func TestCompletionAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		outcome  kyc.Outcome
		status   int
		body     string
		location string
	}{
		"opened":   {kyc.Outcome{State: kyc.StatePending, Created: true}, 202, `{"orderNo":"orderNo596551","state":"pending"}`, "/v1/orders/orderNo596551"},
		"pending":  {kyc.Outcome{State: kyc.StatePending}, 200, `{"orderNo":"orderNo596551","state":"pending"}`, ""},
		"archived": {kyc.Outcome{State: kyc.StateArchived}, 200, `{"orderNo":"orderNo596551","state":"archived"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, nil)
			d.core.outcome = tc.outcome
			a := d.post(t, named(order), bearerFor(t, order)...)
			if a.status != tc.status || a.body != tc.body || a.header.Get("Location") != tc.location {
				t.Errorf("got %d %s, Location %q", a.status, a.body, a.header.Get("Location"))
			}
			if got := a.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type is %q", got)
			}
			if got := d.core.seen(); got != "complete orderNo596551 jwt" {
				t.Errorf("core saw %q", got)
			}
		})
	}
}

func TestCompletionBodies(t *testing.T) {
	d := open(t, nil)
	max := strings.Repeat("x", 16<<10-len(`{"orderNo":"orderNo596551","x":""}`))
	for name, tc := range map[string]struct {
		body   string
		status int
	}{
		"camel case":               {`{"orderNo":"orderNo596551"}`, 202},
		"snake case":               {`{"order_no":"orderNo596551"}`, 202},
		"both the same":            {`{"order_no":"orderNo596551","orderNo":"orderNo596551"}`, 202},
		"unknown fields":           {`{"code":0,"nested":{"orderNo":"other"},"orderNo":"orderNo596551"}`, 202},
		"white space around":       {" \n{\"orderNo\" : \"orderNo596551\"}\r\n", 202},
		"escaped key":              {`{"order\u004eo":"orderNo596551"}`, 202},
		"exactly 16 KiB":           {`{"orderNo":"orderNo596551","x":"` + max + `"}`, 202},
		"a byte more than 16 KiB":  {`{"orderNo":"orderNo596551","x":"` + max + `y"}`, 413},
		"20 KiB":                   {`{"orderNo":"orderNo596551","x":"` + strings.Repeat("x", 20<<10) + `"}`, 413},
		"both, different":          {`{"order_no":"other","orderNo":"orderNo596551"}`, 400},
		"twice, different":         {`{"orderNo":"other","orderNo":"orderNo596551"}`, 400},
		"other case of letters":    {`{"ORDERNO":"orderNo596551"}`, 400},
		"nothing":                  {``, 400},
		"empty object":             {`{}`, 400},
		"array":                    {`[{"orderNo":"orderNo596551"}]`, 400},
		"null":                     {`null`, 400},
		"string":                   {`"orderNo596551"`, 400},
		"number as order":          {`{"orderNo":596551}`, 400},
		"null as order":            {`{"orderNo":null}`, 400},
		"two documents":            {`{"orderNo":"orderNo596551"}{"orderNo":"orderNo596551"}`, 400},
		"two documents, lines":     {"{\"orderNo\":\"orderNo596551\"}\n{}", 400},
		"rubbish after":            {`{"orderNo":"orderNo596551"}x`, 400},
		"comma at the end":         {`{"orderNo":"orderNo596551",}`, 400},
		"cut short":                {`{"orderNo":"orderNo596551"`, 400},
		"invalid UTF-8":            {"{\"orderNo\":\"orderNo596551\",\"x\":\"\xff\"}", 400},
		"byte order mark":          {"\ufeff{\"orderNo\":\"orderNo596551\"}", 400},
		"a form":                   {`orderNo=orderNo596551`, 400},
		"empty order":              {`{"orderNo":""}`, 400},
		"33 characters":            {`{"orderNo":"` + strings.Repeat("a", 33) + `"}`, 400},
		"dots":                     {`{"orderNo":".."}`, 400},
		"slash":                    {`{"orderNo":"a/b"}`, 400},
		"blank":                    {`{"orderNo":"orderNo596551 "}`, 400},
		"not ASCII":                {`{"orderNo":"订单"}`, 400},
		"full-width digits":        {`{"orderNo":"１２３"}`, 400},
		"zero byte":                {`{"orderNo":"a\u0000"}`, 400},
		"lone surrogate":           {`{"orderNo":"\ud800"}`, 400},
		"a number no float can be": {`{"orderNo":"orderNo596551","x":1e999}`, 202},
		"nested deeply":            {`{"x":` + strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000) + `,"orderNo":"orderNo596551"}`, 202},
	} {
		t.Run(name, func(t *testing.T) {
			a := d.post(t, tc.body, bearerFor(t, order)...)
			if tc.status == 202 {
				if got := d.core.seen(); a.status != 202 || got != "complete orderNo596551 jwt" {
					t.Errorf("got %d %s; core saw %q", a.status, a.body, got)
				}
				return
			}
			d.wantProblem(t, a, tc.status)
			d.wantNobody(t)
		})
	}
}

func TestCompletionNamesTheRule(t *testing.T) {
	a := open(t, nil).post(t, `{"orderNo":"a/b"}`)
	if !strings.Contains(a.body, "1 to 32 letters and digits") || strings.Contains(a.body, "a/b") {
		t.Errorf("detail must name the rule and not repeat the text: %s", a.body)
	}
}

func TestCompletionMediaTypes(t *testing.T) {
	d := open(t, nil)
	for name, tc := range map[string]struct {
		headers []string
		status  int
	}{
		"JSON":           {[]string{"Content-Type", "application/json"}, 202},
		"UTF-8":          {[]string{"Content-Type", `Application/JSON; Charset="UTF-8"`}, 202},
		"none":           {nil, 415},
		"form":           {[]string{"Content-Type", "application/x-www-form-urlencoded"}, 415},
		"multipart":      {[]string{"Content-Type", "multipart/form-data; boundary=x"}, 415},
		"text":           {[]string{"Content-Type", "text/plain"}, 415},
		"other charset":  {[]string{"Content-Type", "application/json; charset=gbk"}, 415},
		"more":           {[]string{"Content-Type", "application/json; profile=x"}, 415},
		"problem":        {[]string{"Content-Type", "application/problem+json"}, 415},
		"malformed":      {[]string{"Content-Type", "application/json; ="}, 415},
		"twice":          {[]string{"Content-Type", "application/json", "Content-Type", "text/plain"}, 415},
		"compressed":     {[]string{"Content-Type", "application/json", "Content-Encoding", "gzip"}, 415},
		"list in header": {[]string{"Content-Type", "application/json, text/plain"}, 415},
	} {
		t.Run(name, func(t *testing.T) {
			a := d.do(t, http.MethodPost, "/v1/completions", named(order), append(bearerFor(t, order), tc.headers...)...)
			if tc.status == 202 {
				if a.status != 202 || d.core.seen() == "" {
					t.Errorf("got %d %s", a.status, a.body)
				}
				return
			}
			d.wantProblem(t, a, tc.status)
			d.wantNobody(t)
		})
	}
}

func TestCompletionWithoutArchive(t *testing.T) {
	d := open(t, nil)
	d.core.err = errors.New("create pending marker: raw cause")
	a := d.post(t, named(order), bearerFor(t, order)...)
	d.wantProblem(t, a, 503)
	if strings.Contains(a.body, "raw cause") {
		t.Errorf("the cause left the process: %s", a.body)
	}
	if !strings.Contains(d.log.String(), "raw cause") {
		t.Errorf("the cause is not in the log: %s", d.log)
	}
}

func TestCompletionOutlivesItsCaller(t *testing.T) {
	d := open(t, nil)
	d.core.wait = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/completions", strings.NewReader(named(order)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", bearerFor(t, order)[1])
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.handler.ServeHTTP(httptest.NewRecorder(), r)
	}()
	cancel() // the caller hangs up
	close(d.core.wait)
	<-done
	if d.core.ctxErr != nil {
		t.Errorf("Intake was stopped: %v", d.core.ctxErr)
	}
}

func TestCompletionKeepsThePlatformsDeadline(t *testing.T) {
	d := open(t, nil)
	ctx, cancel := context.WithDeadline(t.Context(), now.Add(-24*365*100*1e9)) // long over
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/completions", strings.NewReader(named(order)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", bearerFor(t, order)[1])
	d.handler.ServeHTTP(httptest.NewRecorder(), r)
	if !errors.Is(d.core.ctxErr, context.DeadlineExceeded) {
		t.Errorf("context says %v", d.core.ctxErr)
	}
}

func TestNoProofMode(t *testing.T) {
	d := open(t, func(c *webhook.Config) { c.Auth, c.Keys = webhook.NoProof, nil })
	if a := d.post(t, named(order)); a.status != 202 || d.core.seen() != "complete orderNo596551 none" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	t.Run("under a stranger's name for this machine", func(t *testing.T) {
		d.wantProblem(t, d.post(t, named(order), "Host", "rebound.example.com"), 401)
		d.wantNobody(t)
	})
	t.Run("the redirect is still to be proven", func(t *testing.T) {
		d.wantProblem(t, d.do(t, http.MethodGet, "/v1/completions?code=0&orderNo=orderNo596551", ""), 401)
		d.wantNobody(t)
	})
	t.Run("nobody reads without a key", func(t *testing.T) {
		a := d.do(t, http.MethodGet, "/v1/orders/orderNo596551", "", bearerFor(t, order)...)
		d.wantProblem(t, a, 401)
		d.wantNobody(t)
		if !strings.Contains(a.body, "no key is configured") {
			t.Errorf("got %s", a.body)
		}
	})
}

func FuzzBody(f *testing.F) {
	for _, s := range []string{
		named(order), `{"order_no":"A1"}`, `{"orderNo":"a","order_no":"b"}`, `{"orderNo":1}`, `[]`, `{"orderNo":"a"} {}`, "\xff", `{"orderNo":"\ud800"}`,
	} {
		f.Add([]byte(s))
	}
	d := open(f, func(c *webhook.Config) { c.Auth, c.Keys = webhook.NoProof, nil })
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/v1/completions", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		calls := d.core.seen()
		switch w.Code {
		case 202:
			judgeAccepted(t, body, calls)
		case 400, 413:
			if calls != "" {
				t.Fatalf("refused, yet %s", calls)
			}
		default:
			t.Fatalf("status %d", w.Code)
		}
	})
}
