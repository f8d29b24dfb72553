package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/kycvault/kycvault/pkg/secret"
)

// Auth says how a completion by POST is proven: KYC_WEBHOOK_AUTH.
type Auth string

// The modes of KYC_WEBHOOK_AUTH.
const (
	JWT              Auth = "jwt"               // a JWT for the order
	StandardWebhooks Auth = "standard-webhooks" // Standard Webhooks headers, or a JWT for the order
	NoProof          Auth = "none"              // nothing: for a server that listens on loopback only (see LoopbackOnly)
)

const (
	minJWTKey      = 32 // bytes: RFC 7518 section 3.2, a key as long as the hash
	minWebhookKey  = 24 // bytes: the Standard Webhooks specification
	webhookKeyMark = "whsec_"
)

// CheckKeys tells what is wrong with the keys for a mode, without showing them: an HS256 key has 32 bytes or more, a
// Standard Webhooks key is "whsec_" and the Base64 of 24 bytes or more. NoProof needs no key and takes either kind.
// Several keys are for rotation.
func CheckKeys(mode Auth, keys []secret.Text) error {
	switch mode {
	case JWT, StandardWebhooks:
		if len(keys) == 0 {
			return fmt.Errorf("check webhook keys: %s needs at least one key", mode)
		}
	case NoProof:
	default:
		return fmt.Errorf("check webhook mode: must be %s, %s or %s", JWT, StandardWebhooks, NoProof)
	}
	_, err := keyBytes(mode, keys)
	return err
}

// keyBytes gives the HMAC keys, in order. All that are wrong are listed.
func keyBytes(mode Auth, keys []secret.Text) ([][]byte, error) {
	var errs []error
	all := make([][]byte, 0, len(keys))
	for i, key := range keys {
		b, err := hmacKey(mode, key)
		if err != nil {
			errs = append(errs, fmt.Errorf("check webhook key %d of %d: %w", i+1, len(keys), err))
		}
		all = append(all, b)
	}
	return all, errors.Join(errs...)
}

// hmacKey gives the bytes of one key. One key serves for JWT and for Standard Webhooks: what they sign can not be mistaken for
// one another, since the one has exactly one dot and the other two or more.
func hmacKey(mode Auth, key secret.Text) ([]byte, error) {
	text := key.Reveal()
	encoded, marked := strings.CutPrefix(text, webhookKeyMark)
	switch {
	case text != strings.TrimSpace(text):
		return nil, errors.New("begins or ends with white space")
	case mode == StandardWebhooks && !marked:
		return nil, errors.New("must begin with " + webhookKeyMark)
	case mode == JWT && marked:
		return nil, fmt.Errorf("begins with %s, which is for mode %s", webhookKeyMark, StandardWebhooks)
	case marked:
		return webhookKey(encoded)
	case len(text) < minJWTKey:
		return nil, fmt.Errorf("has %d bytes, HS256 needs %d or more", len(text), minJWTKey)
	}
	return []byte(text), nil
}

func webhookKey(encoded string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(encoded)
	switch {
	case err != nil:
		// The decoder's own error tells where, which is harmless, but helps nobody with a key of 32 characters.
		return nil, errors.New("is not Base64 after " + webhookKeyMark)
	case len(b) < minWebhookKey:
		return nil, fmt.Errorf("has %d bytes, Standard Webhooks needs %d or more", len(b), minWebhookKey)
	}
	return b, nil
}
