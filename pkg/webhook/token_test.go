package webhook_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// claims are good ones, changed.
func claims(change jwt.MapClaims) jwt.MapClaims {
	all := jwt.MapClaims{"aud": "kycvault", "sub": string(order), "exp": now.Add(time.Hour).Unix()}
	for name, value := range change {
		if value == nil {
			delete(all, name)
			continue
		}
		all[name] = value
	}
	return all
}

// sign makes a token with any method, key and header.
func sign(t testing.TB, method jwt.SigningMethod, key any, c jwt.Claims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	for name, value := range header {
		token.Header[name] = value
	}
	s, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func hs256(t testing.TB, change jwt.MapClaims) string {
	t.Helper()
	return sign(t, jwt.SigningMethodHS256, []byte(jwtKey), claims(change), nil)
}

// withSignature signs any two texts, as only one who has the key can.
func withSignature(header, payload string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	mac := hmac.New(sha256.New, []byte(jwtKey))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestTokensAccepted(t *testing.T) {
	d := open(t, nil)
	for name, token := range map[string]string{
		"minted":             mint(t, order),
		"audience in a list": hs256(t, jwt.MapClaims{"aud": []string{"other", "kycvault"}}),
		"72 hours":           hs256(t, jwt.MapClaims{"exp": now.Add(72 * time.Hour).Unix()}),
		"expired 59 s ago":   hs256(t, jwt.MapClaims{"exp": now.Add(-59 * time.Second).Unix()}),
		"issued by fast clock": hs256(t, jwt.MapClaims{
			"iat": now.Add(59 * time.Second).Unix(), "nbf": now.Add(59 * time.Second).Unix(),
		}),
		"the older key": sign(t, jwt.SigningMethodHS256, []byte(oldJWTKey), claims(nil), nil),
		"with a kid":    sign(t, jwt.SigningMethodHS256, []byte(jwtKey), claims(nil), map[string]any{"kid": "../../etc/passwd"}),
		"more claims":   hs256(t, jwt.MapClaims{"iss": "back end", "jti": "1"}),
	} {
		t.Run(name, func(t *testing.T) {
			a := d.post(t, named(order), "Authorization", "bearer "+token)
			if got := d.core.seen(); a.status != 202 || got != "complete orderNo596551 jwt" {
				t.Errorf("got %d %s; core saw %q", a.status, a.body, got)
			}
		})
	}
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// badTokens proves nothing, each for one reason.
func badTokens(t testing.TB) map[string]string {
	t.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := mint(t, order)
	parts := strings.Split(good, ".")
	last := strings.IndexByte(base64url, good[len(good)-1])
	return map[string]string{
		"rubbish":               "rubbish",
		"four parts":            good + ".x",
		"without signature":     parts[0] + "." + parts[1] + ".",
		"other claims":          parts[0] + "." + strings.Split(mint(t, "other"), ".")[1] + "." + parts[2],
		"alg none":              sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil), nil),
		"alg None":              withSignature(`{"alg":"None"}`, `{"aud":"kycvault","sub":"orderNo596551","exp":1795500000}`),
		"no alg":                withSignature(`{"typ":"JWT"}`, `{"aud":"kycvault","sub":"orderNo596551","exp":1795500000}`),
		"alg RS256":             sign(t, jwt.SigningMethodRS256, rsaKey, claims(nil), nil),
		"alg HS512":             sign(t, jwt.SigningMethodHS512, []byte(jwtKey), claims(nil), nil),
		"alg HS384":             sign(t, jwt.SigningMethodHS384, []byte(jwtKey), claims(nil), nil),
		"another key":           sign(t, jwt.SigningMethodHS256, []byte(strings.Repeat("k", 32)), claims(nil), nil),
		"empty key":             sign(t, jwt.SigningMethodHS256, []byte{}, claims(nil), nil),
		"another order":         mint(t, "orderNo596552"),
		"order in other case":   mint(t, "ORDERNO596551"),
		"no sub":                hs256(t, jwt.MapClaims{"sub": nil}),
		"sub a number":          hs256(t, jwt.MapClaims{"sub": 596551}),
		"sub a list":            hs256(t, jwt.MapClaims{"sub": []string{string(order)}}),
		"SUB":                   hs256(t, jwt.MapClaims{"sub": nil, "SUB": string(order)}),
		"no aud":                hs256(t, jwt.MapClaims{"aud": nil}),
		"other aud":             hs256(t, jwt.MapClaims{"aud": "kycvault2"}),
		"empty aud":             hs256(t, jwt.MapClaims{"aud": []string{}}),
		"aud with a number":     hs256(t, jwt.MapClaims{"aud": []any{"kycvault", 1}}),
		"no exp":                hs256(t, jwt.MapClaims{"exp": nil}),
		"exp zero":              hs256(t, jwt.MapClaims{"exp": 0}),
		"exp a text":            hs256(t, jwt.MapClaims{"exp": "1795500000"}),
		"expired":               hs256(t, jwt.MapClaims{"exp": now.Add(-61 * time.Second).Unix()}),
		"exp too far":           hs256(t, jwt.MapClaims{"exp": now.Add(72*time.Hour + 61*time.Second).Unix()}),
		"exp in ages":           hs256(t, jwt.MapClaims{"exp": 1e18}),
		"exp beyond numbers":    hs256(t, jwt.MapClaims{"exp": 1e300}),
		"exp before all":        hs256(t, jwt.MapClaims{"exp": -1e300}),
		"nbf in the future":     hs256(t, jwt.MapClaims{"nbf": now.Add(61 * time.Second).Unix()}),
		"nbf a text":            hs256(t, jwt.MapClaims{"nbf": "soon"}),
		"iat in the future":     hs256(t, jwt.MapClaims{"iat": now.Add(61 * time.Second).Unix()}),
		"crit":                  sign(t, jwt.SigningMethodHS256, []byte(jwtKey), claims(nil), map[string]any{"crit": []string{"b64"}, "b64": false}),
		"crit null":             sign(t, jwt.SigningMethodHS256, []byte(jwtKey), claims(nil), map[string]any{"crit": nil}),
		"oversized":             hs256(t, jwt.MapClaims{"x": strings.Repeat("x", 4096)}),
		"padded":                good + "=",
		"spare bits":            good[:len(good)-1] + base64url[last^1:last^1+1], // 43 characters hold 258 bits, a signature 256
		"payload null":          withSignature(`{"alg":"HS256"}`, `null`),
		"payload a list":        withSignature(`{"alg":"HS256"}`, `[]`),
		"header null":           withSignature(`null`, `{}`),
		"signed with the empty": strings.Join(parts[:2], ".") + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
	}
}

func TestTokensRefused(t *testing.T) {
	d := open(t, nil)
	for name, token := range badTokens(t) {
		t.Run(name, func(t *testing.T) {
			d.wantProblem(t, d.post(t, named(order), "Authorization", "Bearer "+token), 401)
			d.wantProblem(t, d.do(t, http.MethodGet, "/v1/orders/"+string(order), "", "Authorization", "Bearer "+token), 401)
			d.wantProblem(t, d.do(t, http.MethodGet, "/v1/completions?orderNo="+string(order)+"&code=0&token="+token, ""), 401)
			d.wantNobody(t)
		})
	}
}

func TestAuthorizationHeadersRefused(t *testing.T) {
	d := open(t, nil)
	token := mint(t, order)
	for name, headers := range map[string][]string{
		"none":         nil,
		"empty":        {"Authorization", ""},
		"no token":     {"Authorization", "Bearer "},
		"basic":        {"Authorization", "Basic " + token},
		"token alone":  {"Authorization", token},
		"twice":        {"Authorization", "Bearer " + token, "Authorization", "Bearer " + token},
		"cookie":       {"Cookie", "Authorization=Bearer " + token},
		"another name": {"X-Authorization", "Bearer " + token},
	} {
		t.Run(name, func(t *testing.T) {
			d.wantProblem(t, d.post(t, named(order), headers...), 401)
			d.wantNobody(t)
		})
	}
	t.Run("in the query of a POST", func(t *testing.T) {
		a := d.do(t, http.MethodPost, "/v1/completions?token="+token, named(order), "Content-Type", "application/json")
		d.wantProblem(t, a, 401)
		d.wantNobody(t)
	})
}

func TestRefusedTokensTellTheirHolderWhy(t *testing.T) {
	d := open(t, nil)
	for token, want := range map[string]string{
		hs256(t, jwt.MapClaims{"exp": now.Add(-2 * time.Minute).Unix()}):  "expired",
		hs256(t, jwt.MapClaims{"exp": nil}):                               "lacks exp",
		hs256(t, jwt.MapClaims{"exp": now.Add(100 * time.Hour).Unix()}):   "72 hours",
		hs256(t, jwt.MapClaims{"nbf": now.Add(100 * time.Second).Unix()}): "not valid yet",
		hs256(t, jwt.MapClaims{"aud": "x"}):                               "audience",
		mint(t, "other"):                                                  "another order",
		"x.y.z":                                                           "malformed",
	} {
		if a := d.post(t, named(order), "Authorization", "Bearer "+token); !strings.Contains(a.body, want) {
			t.Errorf("want %q in %s", want, a.body)
		}
	}
}

func TestMintToken(t *testing.T) {
	for name, tc := range map[string]struct {
		key  string
		mode webhook.Auth
		ttl  time.Duration
		ok   bool
	}{
		"jwt":                 {jwtKey, webhook.JWT, 72 * time.Hour, true},
		"standard webhooks":   {hookKey, webhook.StandardWebhooks, time.Second, true},
		"none with a key":     {jwtKey, webhook.NoProof, time.Hour, true},
		"too long":            {jwtKey, webhook.JWT, 72*time.Hour + 1, false},
		"nothing":             {jwtKey, webhook.JWT, 0, false},
		"short key":           {jwtKey[:31], webhook.JWT, time.Hour, false},
		"key of another mode": {jwtKey, webhook.StandardWebhooks, time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			token, err := webhook.MintToken(secret.New(tc.key), tc.mode, order, tc.ttl, now)
			if tc.ok != (err == nil) {
				t.Fatalf("error is %v", err)
			}
			if err != nil {
				if strings.Contains(err.Error(), tc.key) {
					t.Errorf("error shows the key: %v", err)
				}
				return
			}
			d := open(t, func(c *webhook.Config) { c.Auth, c.Keys = tc.mode, []secret.Text{secret.New(tc.key)} })
			if a := d.do(t, http.MethodGet, "/v1/orders/"+string(order), "", "Authorization", "Bearer "+token); a.status != 200 {
				t.Errorf("token is not taken: %d %s", a.status, a.body)
			}
		})
	}
}

// TestTokenForm holds what other people's programs make: RFC 7519, readable without this package.
func TestTokenForm(t *testing.T) {
	parts := strings.Split(mint(t, order), ".")
	var header, payload map[string]any
	for i, into := range []*map[string]any{&header, &payload} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, into); err != nil {
			t.Fatal(err)
		}
	}
	if header["alg"] != "HS256" || payload["sub"] != string(order) || payload["exp"] != float64(now.Add(time.Hour).Unix()) {
		t.Errorf("header %v, payload %v", header, payload)
	}
}

func FuzzJWT(f *testing.F) {
	for _, token := range badTokens(f) {
		if len(token) < 2000 {
			f.Add(token, string(order))
		}
	}
	f.Add(mint(f, order), string(order))
	f.Add(mint(f, "other"), "other")
	d := open(f, nil)
	f.Fuzz(func(t *testing.T, token, name string) {
		o, err := archive.ParseOrder(name)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodGet, "/v1/orders/"+name, nil)
		r.Header["Authorization"] = []string{"Bearer " + token}
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		calls := d.core.seen()
		switch w.Code {
		case 200:
			judgeToken(t, token, o)
		case 401:
			if calls != "" {
				t.Fatalf("refused, yet %s", calls)
			}
		default:
			t.Fatalf("status %d", w.Code)
		}
	})
}

// judgeToken checks a token that was taken with the standard library alone.
func judgeToken(t *testing.T, token string, o archive.Order) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("took a token of %d parts", len(parts))
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	signed := false
	for _, key := range []string{jwtKey, oldJWTKey} {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(parts[0] + "." + parts[1]))
		signed = signed || hmac.Equal(mac.Sum(nil), signature)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Sub string `json:"sub"`
	}
	if err := json.Unmarshal(payload, &c); err != nil || !signed || c.Sub != string(o) {
		t.Fatalf("took a token that proves nothing: signed %v, sub %q, order %q, %v", signed, c.Sub, o, err)
	}
}
