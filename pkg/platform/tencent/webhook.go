package tencent

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// NewWebhook makes the webhook function, for a function URL or an API gateway trigger. What goes wrong within is answered with
// a 500 and a problem document that says nothing of it.
func NewWebhook(o Options) *Function {
	return &Function{
		core: newCore(o, special{
			needs: platform.NeedAll | platform.NeedPullFunction,
			wire: func(s *system) (err error) {
				s.handler, err = s.Webhook(s.config)
				return err
			},
		}),
		takes:  []kind{httpEvent},
		run:    answer,
		failed: func() ([]byte, error) { return respond(webhook.Failed(), false) },
	}
}

// answer lets the handler of all platforms answer an event.
func answer(ctx context.Context, s *system, _ platform.Times, event []byte) ([]byte, error) {
	r, err := parseRequest(event)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "refused an HTTP event", slog.Any("error", err))
		return respond(webhook.BadCall("The request could not be read: "+err.Error()+"."), r.gateway())
	}
	a, err := webhook.Invoke(ctx, s.handler, r.call)
	if err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "request failed before it was logged", slog.Any("error", err))
	}
	return respond(a, r.gateway())
}

// response is what function URLs (doc 583/96099) and API gateways (doc 583/12513) make an HTTP answer of. Without a statusCode
// it would be the body of a 200. Bodies are JSON, so none is Base64; a gateway wants to be told, a function URL does not
// know the member.
type response struct {
	Status  int               `json:"statusCode"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Base64  *bool             `json:"isBase64Encoded,omitempty"`
}

// respond gives an answer in that form.
func respond(a webhook.Answer, gateway bool) ([]byte, error) {
	r := response{Status: a.Status, Headers: make(map[string]string, len(a.Header)), Body: string(a.Body)}
	for name, values := range a.Header {
		r.Headers[name] = strings.Join(values, ", ") // RFC 9110, 5.3; no answer sets a cookie
	}
	if gateway {
		r.Base64 = new(bool)
	}
	return json.Marshal(r)
}
