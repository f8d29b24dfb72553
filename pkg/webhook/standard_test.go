package webhook_test

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

var oldHookKey = "whsec_" + base64.StdEncoding.EncodeToString([]byte("planted-old-webhook-key-"))

func openStandard(t testing.TB) *door {
	t.Helper()
	return open(t, func(c *webhook.Config) {
		c.Auth, c.Keys = webhook.StandardWebhooks, []secret.Text{secret.New(hookKey), secret.New(oldHookKey)}
	})
}

// hookHeaders signs as the Standard Webhooks library does for a sender.
func hookHeaders(t testing.TB, key string, at time.Time, body string) []string {
	t.Helper()
	hook, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := hook.Sign("msg_1", at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return []string{"webhook-id", "msg_1", "webhook-timestamp", strconv.FormatInt(at.Unix(), 10), "webhook-signature", signature}
}

func TestStandardWebhooksAccepted(t *testing.T) {
	d := openStandard(t)
	body := named(order)
	good := hookHeaders(t, hookKey, now, body)
	several := append([]string{}, good...)
	several[5] = "v1a,AAAA v1,AAAA " + several[5]
	jwtToo := append([]string{"Authorization", "Bearer rubbish"}, good...)
	for name, headers := range map[string][]string{
		"now":                          good,
		"the older key":                hookHeaders(t, oldHookKey, now, body),
		"five minutes ago":             hookHeaders(t, hookKey, now.Add(-5*time.Minute), body),
		"in five minutes":              hookHeaders(t, hookKey, now.Add(5*time.Minute), body),
		"several signatures":           several,
		"beside another Authorization": jwtToo,
	} {
		t.Run(name, func(t *testing.T) {
			a := d.post(t, body, headers...)
			if got := d.core.seen(); a.status != 202 || got != "complete orderNo596551 standard-webhooks" {
				t.Errorf("got %d %s; core saw %q", a.status, a.body, got)
			}
		})
	}
}

func TestStandardWebhooksRefused(t *testing.T) {
	d := openStandard(t)
	body := named(order)
	without := func(i int) []string {
		h := hookHeaders(t, hookKey, now, body)
		return append(h[:i:i], h[i+2:]...)
	}
	with := func(i int, value string) []string {
		h := hookHeaders(t, hookKey, now, body)
		h[i] = value
		return h
	}
	token, err := webhook.MintToken(secret.New(hookKey), webhook.StandardWebhooks, order, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, headers := range map[string][]string{
		"none":                nil,
		"no id":               without(0),
		"no timestamp":        without(2),
		"no signature":        without(4),
		"another id":          with(1, "msg_2"),
		"another time":        with(3, strconv.FormatInt(now.Unix()+1, 10)),
		"time no number":      with(3, "now"),
		"time beyond numbers": with(3, "99999999999999999999"),
		"empty signature":     with(5, ""),
		"wrong version":       with(5, strings.Replace(with(5, "")[5]+hookHeaders(t, hookKey, now, body)[5], "v1,", "v2,", 1)),
		"another body":        hookHeaders(t, hookKey, now, body+" "),
		"too old":             hookHeaders(t, hookKey, now.Add(-5*time.Minute-time.Second), body),
		"too new":             hookHeaders(t, hookKey, now.Add(5*time.Minute+time.Second), body),
		"another key":         hookHeaders(t, "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 24)), now, body),
		"two signatures":      append(hookHeaders(t, hookKey, now, body), "webhook-signature", "v1,AAAA"),
		"bad, with a JWT":     append(with(1, "msg_2"), "Authorization", "Bearer "+token),
	} {
		t.Run(name, func(t *testing.T) {
			d.wantProblem(t, d.post(t, body, headers...), 401)
			d.wantNobody(t)
		})
	}
}

func TestStandardWebhooksModeTakesJWT(t *testing.T) {
	d := openStandard(t)
	token, err := webhook.MintToken(secret.New(oldHookKey), webhook.StandardWebhooks, order, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	if a := d.post(t, named(order), "Authorization", "Bearer "+token); a.status != 202 || d.core.seen() != "complete orderNo596551 jwt" {
		t.Errorf("POST: %d %s", a.status, a.body)
	}
	if a := d.do(t, http.MethodGet, "/v1/orders/"+string(order), "", "Authorization", "Bearer "+token); a.status != 200 {
		t.Errorf("GET: %d %s", a.status, a.body)
	}
}

func TestJWTModeTakesNoWebhookHeaders(t *testing.T) {
	d := open(t, nil)
	key := "whsec_" + base64.StdEncoding.EncodeToString([]byte(jwtKey))
	d.wantProblem(t, d.post(t, named(order), hookHeaders(t, key, now, named(order))...), 401)
	d.wantNobody(t)
}
