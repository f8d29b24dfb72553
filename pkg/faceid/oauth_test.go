package faceid

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

// The replies of PROTOCOL section 3.
const (
	tokenReply  = `{"code":"0","msg":"请求成功","bizSeqNo":"1","transactionTime":"20240726143638","success":true,"access_token":"` + testToken + `","expire_in":7200,"expire_time":"20240726163638"}`
	ticketReply = `{"code":"0","msg":"请求成功","bizSeqNo":"1","transactionTime":"20240726143840","success":true,"tickets":[{"value":"` + testTicket + `","expire_in":3600,"expire_time":"20240726153839"}]}`
)

func TestOAuthRequests(t *testing.T) {
	s := newRawServer(t, func(a asked) string {
		if a.URL.Path == "/api/oauth2/access_token" {
			return say(200, tokenReply)(a)
		}
		return say(200, ticketReply)(a)
	})
	api := newTestAPI(t, s.url)
	token, validity, err := api.AccessToken(t.Context(), secret.New(testSecret))
	if err != nil || token.Reveal() != testToken || validity != 2*time.Hour {
		t.Errorf("token for %v: %v", validity, err)
	}
	ticket, validity, err := api.SignTicket(t.Context(), token)
	if err != nil || ticket.Reveal() != testTicket || validity != time.Hour {
		t.Errorf("ticket for %v: %v", validity, err)
	}
	var got []any
	for _, a := range s.requests() {
		got = append(got, a.Method, a.URL.Path, map[string][]string(a.URL.Query()))
	}
	want := []any{
		"GET", "/api/oauth2/access_token", map[string][]string{"app_id": {testApp}, "secret": {testSecret}, "grant_type": {"client_credential"}, "version": {"1.0.0"}},
		"GET", "/api/oauth2/api_ticket", map[string][]string{"app_id": {testApp}, "access_token": {testToken}, "type": {"SIGN"}, "version": {"1.0.0"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// both makes the two calls against one answer.
func both(t *testing.T, answer func(asked) string) map[string]func() (secret.Text, time.Duration, error) {
	api := newTestAPI(t, newRawServer(t, answer).url)
	return map[string]func() (secret.Text, time.Duration, error){
		"token": func() (secret.Text, time.Duration, error) {
			return api.AccessToken(t.Context(), secret.New(testSecret))
		},
		"ticket": func() (secret.Text, time.Duration, error) { return api.SignTicket(t.Context(), secret.New(testToken)) },
	}
}

func TestOAuthAccepted(t *testing.T) {
	for body, want := range map[string]time.Duration{
		`{"code":0,"access_token":"v","expire_in":"7200","tickets":[{"value":"v","expire_in":"7200"}]}`:                               2 * time.Hour,
		`{"code":"0","msg":null,"access_token":"v","expire_in":60.5,"tickets":[{"value":"v","expire_in":60.5}]}`:                      60500 * time.Millisecond,
		`{"code":"0","access_token":"v","expire_in":" 9 ","tickets":[{"value":""},{"value":"v","expire_in":9},{"value":"w"}]}`:        9 * time.Second,
		`{"code":"0","access_token":"v","expire_in":1e300,"tickets":[{"value":"v","expire_in":1e300}],"x":{"y":[1]},"success":false}`: maxValidity,
		"\n" + `{"code":"0","access_token":"v","expire_in":1,"tickets":[{"value":"v","expire_in":1}]}` + "\n":                         time.Second,
	} {
		for what, call := range both(t, say(200, body)) {
			v, validity, err := call()
			if err != nil || v.Reveal() != "v" || validity != want {
				t.Errorf("%s from %s: good for %v, %v", what, body, validity, err)
			}
		}
	}
	for what, call := range both(t, func(asked) string {
		return head(200, "Content-Encoding: gzip") + zipped(`{"code":"0","access_token":"v","expire_in":1,"tickets":[{"value":"v","expire_in":1}]}`)
	}) {
		if v, _, err := call(); err != nil || v.Reveal() != "v" {
			t.Errorf("%s, zipped: %v", what, err)
		}
	}
}

func TestOAuthRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(asked) string
		want   kyc.Class
		code   string
	}{
		{"bad secret", say(200, `{"code":"400104","msg":"m"}`), kyc.Config, "400104"},
		{"bad token", say(200, `{"code":"400102","msg":"m"}`), kyc.Ticket, "400102"},
		{"number", say(200, `{"code":15}`), kyc.Ticket, "15"},
		{"busy", say(200, `{"code":"400501"}`), kyc.Busy, "400501"},
		{"internal", say(200, `{"code":"999999"}`), kyc.Transient, "999999"},
		{"not in the table", say(200, `{"code":"12345"}`), kyc.Config, "12345"},
		{"a verdict", say(200, `{"code":"66660004"}`), kyc.Config, "66660004"},
		{"no code", say(200, `{"access_token":"v","expire_in":1}`), kyc.Transient, ""},
		{"odd code", say(200, `{"code":"`+strings.Repeat("0", 40)+`"}`), kyc.Transient, ""},
		{"code an object", say(200, `{"code":{}}`), kyc.Transient, ""},
		{"no value", say(200, `{"code":"0"}`), kyc.Transient, ""},
		{"empty value", say(200, `{"code":"0","access_token":"","expire_in":1,"tickets":[{"value":"","expire_in":1}]}`), kyc.Transient, ""},
		{"no validity", say(200, `{"code":"0","access_token":"v","tickets":[{"value":"v"}]}`), kyc.Transient, ""},
		{"no time left", say(200, `{"code":"0","access_token":"v","expire_in":0,"tickets":[{"value":"v","expire_in":-1}]}`), kyc.Transient, ""},
		{"odd validity", say(200, `{"code":"0","access_token":"v","expire_in":"NaN","tickets":[{"value":"v","expire_in":"soon"}]}`), kyc.Transient, ""},
		{"null", say(200, `null`), kyc.Transient, ""},
		{"page", say(200, `<html>`), kyc.Transient, ""},
		{"nothing", say(200, ``), kyc.Transient, ""},
		{"second document", say(200, tokenReply+ticketReply), kyc.Transient, ""},
		{"torn", say(200, `{"code":"0","access_token":"v","expire_in":1`), kyc.Transient, ""},
		{"short of its length", func(asked) string { return head(200, "Content-Length: 500") + tokenReply }, kyc.Transient, ""},
		{"far too long", say(200, `{"code":"0","x":"`+strings.Repeat("x", maxOAuthBody)+`"}`), kyc.Transient, ""},
		{"hangs up", func(asked) string { return "" }, kyc.Transient, ""},
		{"status 500", say(500, tokenReply), kyc.Transient, "0"},
		{"status 400 with a code", say(400, `{"code":"400103"}`), kyc.Config, "400103"},
		{"status 403", say(403, `forbidden`), kyc.Config, ""},
		{"status 429", say(429, ``), kyc.Busy, ""},
		{"redirect", say(302, tokenReply, "Location: /elsewhere"), kyc.Config, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for what, call := range both(t, c.answer) {
				v, validity, err := call()
				wantClass(t, what, err, c.want)
				if ue, ok := errors.AsType[*kyc.UpstreamError](err); !ok || ue.Code != c.code {
					t.Errorf("%s: error is %v, want code %q", what, err, c.code)
				}
				if !v.Empty() || validity != 0 {
					t.Errorf("%s: there is a value beside the error", what)
				}
			}
		})
	}
}
