package webhook

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	// Audience is the "aud" of every token for this webhook.
	Audience = "kycvault"
	// MaxTokenAge is how far ahead a token's "exp" may lie: as long as the service keeps the evidence (PROTOCOL section 4).
	MaxTokenAge = 72 * time.Hour

	tokenLeeway = time.Minute // for clocks that differ
	maxToken    = 4096        // bytes; ours have about 200
)

// Why a token is no proof. From errTokenExpired on they are only ever said of tokens that were signed with our key.
var (
	errTokenKeyless  = errors.New("no key is configured to check tokens with")
	errTokenSize     = errors.New("token is too long")
	errTokenCritical = errors.New("token names critical extensions")
	errTokenBad      = errors.New("token is malformed or not signed with our key")
	errTokenExpired  = errors.New("token has expired")
	errTokenLacks    = errors.New("token lacks exp or aud")
	errTokenEarly    = errors.New("token is not valid yet")
	errTokenFar      = errors.New("token expires more than 72 hours from now")
	errTokenForOther = errors.New("token is for another order or audience")
)

// MintToken makes the JWT that proves a completion of order, valid from now for ttl (more than zero, at most 72 hours, to the second).
// mode says how to read key (see CheckKeys).
func MintToken(key secret.Text, mode Auth, order archive.Order, ttl time.Duration, now time.Time) (string, error) {
	if ttl < time.Second || ttl > MaxTokenAge {
		return "", fmt.Errorf("mint token: lifetime must be from 1s to %s", MaxTokenAge)
	}
	b, err := hmacKey(mode, key)
	if err != nil {
		return "", fmt.Errorf("mint token: key %w", err)
	}
	claims := jwt.RegisteredClaims{
		Audience:  jwt.ClaimStrings{Audience},
		Subject:   string(order),
		IssuedAt:  jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(b)
	if err != nil {
		return "", fmt.Errorf("mint token: %w", err)
	}
	return token, nil
}

// tokens checks JWTs.
type tokens struct {
	keys   jwt.VerificationKeySet
	parser *jwt.Parser
	now    func() time.Time
}

func newTokens(keys [][]byte, now func() time.Time) *tokens {
	t := &tokens{now: now, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), // never what the token itself asks for
		jwt.WithStrictDecoding(),
		jwt.WithAudience(Audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(tokenLeeway),
		jwt.WithTimeFunc(now),
	)}
	for _, key := range keys {
		t.keys.Keys = append(t.keys.Keys, key)
	}
	return t
}

// check returns nil when token proves that its holder may speak of order.
func (t *tokens) check(token string, order archive.Order) error {
	switch {
	case len(t.keys.Keys) == 0:
		return errTokenKeyless
	case len(token) > maxToken:
		return errTokenSize
	}
	claims := jwt.MapClaims{} // a struct would take keys in any case of letters
	if _, err := t.parser.ParseWithClaims(token, claims, t.key); err != nil {
		return tokenError(err)
	}
	if exp, err := claims.GetExpirationTime(); err != nil || exp.After(t.now().Add(MaxTokenAge+tokenLeeway)) {
		return errTokenFar
	}
	if sub, err := claims.GetSubject(); err != nil || sub != string(order) {
		return errTokenForOther
	}
	return nil
}

// key gives all keys, whatever "kid" says, and refuses "crit": we understand no extension (RFC 7515 section 4.1.11).
func (t *tokens) key(token *jwt.Token) (any, error) {
	if _, ok := token.Header["crit"]; ok {
		return nil, errTokenCritical
	}
	return t.keys, nil
}

// tokenError names the library's error; its text may repeat parts of the token and stays here.
func tokenError(err error) error {
	switch {
	case errors.Is(err, errTokenCritical):
		return errTokenCritical
	case !errors.Is(err, jwt.ErrTokenInvalidClaims):
		return errTokenBad
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return errTokenLacks
	case errors.Is(err, jwt.ErrTokenExpired):
		return errTokenExpired
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return errTokenEarly
	}
	return errTokenForOther
}
