package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// standardTolerance is how far a message's time stamp may be from our clock, either way (Standard Webhooks specification).
const standardTolerance = 5 * time.Minute

// Why Standard Webhooks headers are no proof.
var (
	errStandardHeaders = errors.New("webhook-id, webhook-timestamp and webhook-signature must each be there once")
	errStandardTime    = errors.New("webhook-timestamp is more than five minutes off")
	errStandardSign    = errors.New("webhook-signature fits none of our keys")
)

// standardHooks checks Standard Webhooks headers. There is no memory of message ids: within the five minutes a message
// may be repeated, since doing a completion twice is harmless (DESIGN section 1).
type standardHooks struct {
	hooks []*standardwebhooks.Webhook
	now   func() time.Time
}

func newStandardHooks(keys [][]byte, now func() time.Time) (*standardHooks, error) {
	s := &standardHooks{now: now}
	for _, key := range keys {
		hook, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return nil, fmt.Errorf("make webhook verifier: %w", err)
		}
		s.hooks = append(s.hooks, hook)
	}
	return s, nil
}

// signed tells whether a request wants to be judged by these headers.
func signed(header http.Header) bool {
	return len(header.Values(standardwebhooks.HeaderWebhookSignature)) > 0
}

// check returns nil when the headers sign body with one of the keys, now.
func (s *standardHooks) check(header http.Header, body []byte) error {
	for _, name := range []string{
		standardwebhooks.HeaderWebhookID,
		standardwebhooks.HeaderWebhookTimestamp,
		standardwebhooks.HeaderWebhookSignature,
	} {
		if len(header.Values(name)) != 1 {
			return errStandardHeaders
		}
	}
	seconds, err := strconv.ParseInt(header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if err != nil {
		return errStandardTime
	}
	// The library checks the time with a clock of its own; we have ours injected.
	if now, at := s.now(), time.Unix(seconds, 0); at.Before(now.Add(-standardTolerance)) || at.After(now.Add(standardTolerance)) {
		return errStandardTime
	}
	for _, hook := range s.hooks {
		if hook.VerifyIgnoringTimestamp(body, header) == nil {
			return nil
		}
	}
	return errStandardSign
}
