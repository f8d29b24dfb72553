package main

import (
	"cmp"
	"encoding/base64"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// knock is one request that must be refused.
type knock struct {
	name   string
	method string // "" is POST
	path   string // "" is /v1/completions
	header map[string]string
	token  string
	body   string // "" with POST is order ok1
	want   int
}

// claims are those of a good token for order ok1, changed.
func claims(change jwt.MapClaims) jwt.MapClaims {
	c := jwt.MapClaims{"aud": "kycvault", "sub": "ok1", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func signed(t *testing.T, method jwt.SigningMethod, key any, c jwt.MapClaims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, c).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hs256 signs with the webhook's own key.
func hs256(t *testing.T, change jwt.MapClaims) string {
	t.Helper()
	return signed(t, jwt.SigningMethodHS256, []byte(testKey), claims(change))
}

func tokenKnocks(t *testing.T) []knock {
	good := hs256(t, nil)
	head, rest, _ := strings.Cut(good, ".")
	payload, sum, _ := strings.Cut(rest, ".")
	tokens := map[string]string{
		"none":              "",
		"not a JWT":         "abc",
		"two parts":         head + "." + payload,
		"another order's":   hs256(t, jwt.MapClaims{"sub": "ok2"}),
		"no sub":            hs256(t, jwt.MapClaims{"sub": nil}),
		"sub in upper case": hs256(t, jwt.MapClaims{"sub": "OK1"}),
		"no aud":            hs256(t, jwt.MapClaims{"aud": nil}),
		"another aud":       hs256(t, jwt.MapClaims{"aud": "kycvault2"}),
		"no exp":            hs256(t, jwt.MapClaims{"exp": nil}),
		"exp is a text":     hs256(t, jwt.MapClaims{"exp": "tomorrow"}),
		"exp too far ahead": hs256(t, jwt.MapClaims{"exp": time.Now().Add(74 * time.Hour).Unix()}),
		"exp of year 2^63":  hs256(t, jwt.MapClaims{"exp": 9.3e18}),
		"expired":           hs256(t, jwt.MapClaims{"exp": time.Now().Add(-2 * time.Minute).Unix()}),
		"not yet":           hs256(t, jwt.MapClaims{"nbf": time.Now().Add(10 * time.Minute).Unix()}),
		"another key":       signed(t, jwt.SigningMethodHS256, []byte(strings.Repeat("k", 32)), claims(nil)),
		"an empty key":      signed(t, jwt.SigningMethodHS256, []byte{}, claims(nil)),
		"HS512":             signed(t, jwt.SigningMethodHS512, []byte(testKey), claims(nil)),
		"alg none":          signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)),
		"alg none, signed":  base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + "." + sum,
		"alg None":          base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"None"}`)) + "." + payload + ".",
		"signature cut":     good[:len(good)-4],
		"5 KB long":         good + strings.Repeat("A", 5000),
	}
	var all []knock
	for name, token := range tokens {
		all = append(all, knock{name: "token: " + name, token: cmp.Or(token, " "), want: 401})
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("kycvault:"+testKey))
	return append(all,
		knock{name: "the key itself", header: map[string]string{"Authorization": basic}, token: " ", want: 401},
		knock{name: "unsigned Standard Webhooks", token: " ", want: 401,
			header: map[string]string{"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}},
		knock{name: "status without token", method: "GET", path: "/v1/orders/ok1", token: " ", want: 401},
		knock{name: "status with another's token", method: "GET", path: "/v1/orders/ok1", token: tokens["another order's"], want: 401},
		knock{name: "ticket that is not offered", method: "GET", path: "/v1/ticket", want: 404},
	)
}

func bodyKnocks() []knock {
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	return []knock{
		{name: "two documents", body: `{"orderNo":"ok1"}{"orderNo":"ok1"}`, want: 400},
		{name: "a tail", body: `{"orderNo":"ok1"}x`, want: 400},
		{name: "two orders", body: `{"orderNo":"ok1","order_no":"ok2"}`, want: 400},
		{name: "no order", body: `{}`, want: 400},
		{name: "another case of letters", body: `{"OrderNo":"ok1"}`, want: 400},
		{name: "order is a number", body: `{"orderNo":1}`, want: 400},
		{name: "order is null", body: `{"orderNo":null}`, want: 400},
		{name: "order is a list", body: `{"orderNo":["ok1"]}`, want: 400},
		{name: "a list", body: `["ok1"]`, want: 400},
		{name: "white space", body: " ", want: 400},
		{name: "not UTF-8", body: "{\"orderNo\":\"ok1\",\"a\":\"\xff\"}", want: 400},
		{name: "a byte order mark", body: "\ufeff{\"orderNo\":\"ok1\"}", want: 400},
		{name: "deep", body: `{"a":` + strings.Repeat("[", 8000), want: 400},
		{name: "20 KiB", body: `{"orderNo":"ok1","a":"` + strings.Repeat("a", 20<<10) + `"}`, want: 413},
		{name: "20 KiB of blanks after it", body: `{"orderNo":"ok1"}` + strings.Repeat(" ", 20<<10), want: 413},
		{name: "dots", body: `{"orderNo":".."}`, want: 400},
		{name: "a slash", body: `{"orderNo":"a/b"}`, want: 400},
		{name: "a blank", body: `{"orderNo":"ok1 "}`, want: 400},
		{name: "a zero byte", body: `{"orderNo":"ok1\u0000"}`, want: 400},
		{name: "not ASCII", body: `{"orderNo":"订单"}`, want: 400},
		{name: "wide digits", body: `{"orderNo":"１"}`, want: 400},
		{name: "empty", body: `{"orderNo":""}`, want: 400},
		{name: "33 characters", body: `{"orderNo":"` + strings.Repeat("a", 33) + `"}`, want: 400},
		{name: "a form", header: form, body: "orderNo=ok1", want: 415},
		{name: "JSON as a form", header: form, want: 415},
		{name: "JSON as text", header: map[string]string{"Content-Type": "text/plain"}, want: 415},
		{name: "no type", header: map[string]string{"Content-Type": ""}, want: 415},
		{name: "another character set", header: map[string]string{"Content-Type": "application/json; charset=utf-16"}, want: 415},
		{name: "compressed", header: map[string]string{"Content-Encoding": "gzip"}, want: 415},
	}
}

func pathKnocks() []knock {
	var all []knock
	for path, want := range map[string]int{
		"/": 404, "/v1": 404, "/v1/completions/": 404, "//v1/completions": 404, "/v1/./completions": 404, "/V1/Completions": 404,
		"/v1/orders/": 404, "/v1/orders/..": 404, "/v1/orders/%2e%2e": 400, "/v1/orders/ok1/": 404, "/v1/orders/ok1/photo": 404,
		"/v1/orders/a%2fb": 400, "/v1/orders/a%20b": 400, "/v1/orders/ok1%00": 400, "/v1/orders/%E8%AE%A2": 400,
		"/v1/orders/" + strings.Repeat("a", 33): 400, "/.git/config": 404, "/_sim/history": 404, "/debug/pprof/": 404,
		"/system/ticket/000000000001": 404, "/" + strings.Repeat("a/", 3000): 404,
	} {
		all = append(all, knock{name: "GET " + path[:min(len(path), 40)], method: "GET", path: path, want: want})
	}
	for _, method := range []string{"HEAD", "PUT", "DELETE", "PATCH", "TRACE", "BREW"} {
		all = append(all, knock{name: method, method: method, want: 405})
	}
	return append(all, knock{name: "status with POST", path: "/v1/orders/ok1", want: 405})
}

// redirectKnocks forge what the service's H5 page sends, from a redirect that is real and of another order.
func redirectKnocks(t *testing.T, v *vault) []knock {
	genuine, err := v.sim.RedirectQuery("other1", "0")
	if err != nil {
		t.Fatal(err)
	}
	var all []knock
	add := func(name string, want int, change func(q url.Values)) {
		q := maps.Clone(genuine)
		change(q)
		all = append(all, knock{name: "redirect: " + name, method: "GET", path: "/v1/completions?" + q.Encode(), token: " ", want: want})
	}
	add("another order", 401, func(q url.Values) { q.Set("orderNo", "ok1") })
	add("another code", 401, func(q url.Values) { q.Set("code", "66660004") })
	add("no code", 401, func(q url.Values) { q.Del("code") })
	add("digits between order and code moved", 401, func(q url.Values) { q.Set("orderNo", "other10"); q.Set("code", "") })
	add("made-up signature", 401, func(q url.Values) { q.Set("newSignature", strings.Repeat("A", 40)) })
	add("the undocumented signature", 401, func(q url.Values) { q.Set("newSignature", q.Get("signature")) })
	add("no signature", 401, func(q url.Values) { q.Del("newSignature") })
	add("two orders", 400, func(q url.Values) { q["orderNo"] = []string{"other1", "ok1"} })
	add("dots", 400, func(q url.Values) { q.Set("orderNo", "..") })
	add("an unsigned token", 401, func(q url.Values) {
		q.Set("orderNo", "ok1")
		q.Set("token", signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil)))
	})
	add("another order's token", 401, func(q url.Values) {
		q.Del("newSignature")
		q.Set("token", hs256(t, nil))
	})
	return all
}
