package webhook_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

func TestCheckKeys(t *testing.T) {
	whsec := func(n int) string {
		return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("planted-", 8)[:n]))
	}
	for name, tc := range map[string]struct {
		mode webhook.Auth
		keys []string
		want string // part of the error, "" for none
	}{
		"jwt":                        {webhook.JWT, []string{jwtKey}, ""},
		"jwt, 32 bytes":              {webhook.JWT, []string{jwtKey[:32]}, ""},
		"jwt, several":               {webhook.JWT, []string{jwtKey, oldJWTKey}, ""},
		"jwt, none":                  {webhook.JWT, nil, "needs at least one key"},
		"jwt, 31 bytes":              {webhook.JWT, []string{jwtKey[:31]}, "key 1 of 1: has 31 bytes, HS256 needs 32 or more"},
		"jwt, second is bad":         {webhook.JWT, []string{jwtKey, "planted"}, "key 2 of 2"},
		"jwt, empty":                 {webhook.JWT, []string{""}, "has 0 bytes"},
		"jwt, line at the end":       {webhook.JWT, []string{jwtKey + "\n"}, "white space"},
		"jwt, key of webhooks":       {webhook.JWT, []string{whsec(32)}, "which is for mode standard-webhooks"},
		"webhooks":                   {webhook.StandardWebhooks, []string{whsec(24), whsec(64)}, ""},
		"webhooks, none":             {webhook.StandardWebhooks, nil, "needs at least one key"},
		"webhooks, 23 bytes":         {webhook.StandardWebhooks, []string{whsec(23)}, "has 23 bytes, Standard Webhooks needs 24"},
		"webhooks, no prefix":        {webhook.StandardWebhooks, []string{whsec(32)[6:]}, "must begin with whsec_"},
		"webhooks, no Base64":        {webhook.StandardWebhooks, []string{"whsec_planted-planted-planted-planted"}, "not Base64"},
		"webhooks, without padding":  {webhook.StandardWebhooks, []string{strings.TrimRight(whsec(32), "=")}, "not Base64"},
		"none":                       {webhook.NoProof, nil, ""},
		"none, with a key":           {webhook.NoProof, []string{jwtKey}, ""},
		"none, with a webhook's":     {webhook.NoProof, []string{whsec(24)}, ""},
		"none, with a bad key":       {webhook.NoProof, []string{"planted"}, "has 7 bytes"},
		"mode nobody knows":          {"basic", []string{jwtKey}, "must be jwt, standard-webhooks or none"},
		"no mode":                    {"", nil, "must be jwt, standard-webhooks or none"},
		"all that is wrong is told":  {webhook.JWT, []string{"planted", jwtKey, "x"}, "key 3 of 3"},
		"mode is checked as written": {"JWT", []string{jwtKey}, "must be jwt"},
	} {
		t.Run(name, func(t *testing.T) {
			var keys []secret.Text
			for _, key := range tc.keys {
				keys = append(keys, secret.New(key))
			}
			wantError(t, webhook.CheckKeys(tc.mode, keys), tc.want)
		})
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error is %v", err)
	case want != "" && err == nil:
		t.Errorf("no error, want %q", want)
	case err != nil && !strings.Contains(err.Error(), want):
		t.Errorf("error is %v, want %q", err, want)
	case err != nil && strings.Contains(err.Error(), "planted"):
		t.Errorf("error shows a secret: %v", err)
	}
}

func TestCheckOrigins(t *testing.T) {
	for origin, want := range map[string]string{
		"https://app.example.com":       "",
		"http://localhost:5173":         "",
		"https://[::1]:8443":            "",
		"https://xn--fiq228c.example":   "",
		"*":                             "name each origin",
		"null":                          "name each origin",
		"":                              "scheme://host",
		"app.example.com":               "scheme://host",
		"ftp://app.example.com":         "scheme://host",
		"https://":                      "scheme://host",
		"https://:8443":                 "scheme://host",
		"https://app.example.com/":      "nothing more",
		"https://app.example.com/x":     "nothing more",
		"https://app.example.com?x":     "nothing more",
		"https://app.example.com#x":     "nothing more",
		"https://me@app.example.com":    "nothing more",
		"https://app.example.com\n":     "scheme://host",
		"https://App.example.com":       "lower case",
		"https://应用.example":            "xn--",
		"https://app.example.com:443":   "own port",
		"http://app.example.com:80":     "own port",
		"https://app.example.com:":      "own port",
		"https://*.example.com":         "name each origin",
		"https://a.example,https://b.x": "scheme://host",
	} {
		t.Run(origin, func(t *testing.T) { wantError(t, webhook.CheckOrigins([]string{origin}), want) })
	}
}

func TestCheckRedirect(t *testing.T) {
	for place, want := range map[string]string{
		"https://shop.example.com/done?a=1#x":    "",
		"http://localhost:5173/":                 "",
		"/done":                                  "absolute",
		"//shop.example.com":                     "absolute",
		"javascript:alert(1)":                    "absolute",
		"https:shop.example.com":                 "absolute",
		"https://":                               "absolute",
		"https://user:planted@shop.example.com/": "user name",
		"https://shop.example.com/?orderNo=x":    "must not have them",
		"https://shop.example.com/?code=":        "must not have them",
		"https://shop.example.com/?a;b":          "malformed",
	} {
		t.Run(place, func(t *testing.T) { wantError(t, webhook.CheckRedirect(mustURL(t, place)), want) })
	}
	wantError(t, webhook.CheckRedirect(nil), "")
}

func TestNewListsAllMistakes(t *testing.T) {
	_, err := webhook.New(webhook.Config{
		Auth: webhook.JWT, Keys: []secret.Text{secret.New("planted")}, Origins: []string{"*"},
		Redirect: mustURL(t, "/x"), TicketToken: secret.New("planted token"),
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"app id", "key 1 of 1", `origin "*"`, "redirect", "Intake, Orders and Tickets", "ticket token", "needs a Pair"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "planted") {
		t.Errorf("error shows a secret: %v", err)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{
		"127.0.0.1:8080":         true,
		"127.9.9.9:0":            true,
		"[::1]:8080":             true,
		"localhost:8080":         true,
		"LocalHost:8080":         true,
		"127.0.0.1":              true,
		"::1":                    true,
		"[::1]":                  true,
		"localhost":              true,
		"[::ffff:127.0.0.1]:1":   true,
		"":                       false,
		":8080":                  false,
		"0.0.0.0":                false,
		"0.0.0.0:8080":           false,
		"[::]:8080":              false,
		"::":                     false,
		"192.168.1.1:8080":       false,
		"127.0.0.1.example:8080": false,
		"localhost.example:80":   false,
		"example.com:8080":       false,
		"127.1:8080":             false,
		"128.0.0.1:8080":         false,
		"2130706433:80":          false,
	} {
		if err := webhook.LoopbackOnly(addr); ok != (err == nil) {
			t.Errorf("%q: %v", addr, err)
		}
	}
}
