// Package events reads the events of this folder for the tests that replay them. In an event, {{token ORDER}} stands for a JWT for the
// order, and {{sign ORDER}} for the signature that the service puts on the redirect of one that ended well.
package events

import (
	"regexp"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// Fill puts fresh proofs into an event: tokens by the webhook's key, signatures by the service.
func Fill(t testing.TB, event []byte, service *faceidtest.Running, key string) []byte {
	t.Helper()
	placeholder := regexp.MustCompile(`\{\{(token|sign) ([A-Za-z0-9]+)\}\}`)
	return placeholder.ReplaceAllFunc(event, func(found []byte) []byte {
		parts := placeholder.FindSubmatch(found)
		if string(parts[1]) == "sign" {
			query, err := service.RedirectQuery(string(parts[2]), "0")
			if err != nil {
				t.Fatal(err)
			}
			return []byte(query.Get("newSignature"))
		}
		token, err := webhook.MintToken(secret.New(key), webhook.JWT, archive.Order(parts[2]), time.Hour, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return []byte(token)
	})
}
