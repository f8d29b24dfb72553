package main

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const hs256Key = "0123456789abcdef0123456789abcdef"

// TestTokenClaims reads minted tokens with the library that other back ends use, not with our own checks.
func TestTokenClaims(t *testing.T) {
	standard := base64.StdEncoding.EncodeToString([]byte(hs256Key))
	tests := []struct {
		name    string
		args    []string
		environ []string
		ttl     time.Duration
	}{
		{"default", []string{"token", "orderNo0001"}, []string{"KYC_WEBHOOK_KEY=" + hs256Key}, time.Hour},
		{"first of two keys", []string{"token", "--ttl=72h", "orderNo0001"}, []string{"KYC_WEBHOOK_KEY=" + hs256Key + "," + strings.Repeat("x", 32)}, 72 * time.Hour},
		{"standard webhooks", []string{"token", "--webhook-auth=standard-webhooks", "orderNo0001"},
			[]string{"KYC_WEBHOOK_KEY=whsec_" + standard, "KYC_WEBHOOK_AUTH=jwt"}, time.Hour},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			began := time.Now().Truncate(time.Second)
			if code := run(t.Context(), test.args, strings.NewReader(""), &stdout, &stderr, test.environ); code != exitDone {
				t.Fatalf("exit code %d: %s", code, &stderr)
			}
			claims := jwt.RegisteredClaims{}
			token, err := jwt.ParseWithClaims(strings.TrimSuffix(stdout.String(), "\n"), &claims,
				func(*jwt.Token) (any, error) { return []byte(hs256Key), nil }, jwt.WithAudience("kycvault"), jwt.WithSubject("orderNo0001"))
			if err != nil {
				t.Fatal(err)
			}
			lifetime := claims.ExpiresAt.Sub(began)
			if token.Method != jwt.SigningMethodHS256 || lifetime < test.ttl || lifetime > test.ttl+time.Minute {
				t.Errorf("%s, valid for %s; want HS256 and %s", token.Method.Alg(), lifetime, test.ttl)
			}
		})
	}
}
