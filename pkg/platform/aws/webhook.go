package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// web answers the requests that a function URL brings ("Lambda function URLs", payload format 2.0, BUFFERED).
type web struct {
	handler http.Handler
	metrics *metrics
	now     func() time.Time
	log     *slog.Logger
}

// Invoke implements lambda.Handler. It always answers with a status: an error would be the platform's own 502.
func (w *web) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	defer w.metrics.flush()
	ctx, cancel := platform.TimesOf(ctx, w.now()).Bound(ctx)
	defer cancel()
	call, problem := callOf(payload)
	if problem != "" {
		_ = refuse(w.log, "a request of a function URL, payload format 2.0")
		return json.Marshal(responseOf(webhook.BadCall(problem)))
	}
	answer, err := webhook.Invoke(ctx, w.handler, call)
	if err != nil {
		w.log.LogAttrs(ctx, slog.LevelError, "request failed before it was logged", slog.Any("error", err))
	}
	return json.Marshal(responseOf(answer))
}

// callOf reads an event. problem is for strangers: it says what is wrong without repeating it.
func callOf(payload []byte) (c webhook.Call, problem string) {
	var e events.LambdaFunctionURLRequest
	if err := json.Unmarshal(payload, &e); err != nil || e.RequestContext.HTTP.Method == "" || e.RawPath == "" {
		return c, "The event holds no request of a function URL (payload format 2.0)."
	}
	c = webhook.Call{
		Method: e.RequestContext.HTTP.Method, Path: e.RawPath, RawQuery: e.RawQueryString,
		Header: make(map[string][]string, len(e.Headers)+1), Body: []byte(e.Body), RemoteAddr: e.RequestContext.HTTP.SourceIP,
	}
	for name, value := range e.Headers {
		c.Header[name] = append(c.Header[name], value)
	}
	if len(e.Cookies) > 0 {
		c.Header["Cookie"] = append(c.Header["Cookie"], strings.Join(e.Cookies, "; "))
	}
	if e.IsBase64Encoded {
		body, err := base64.StdEncoding.DecodeString(e.Body)
		if err != nil {
			return c, "The event's body is not Base64."
		}
		c.Body = body
	}
	return c, ""
}

// responseOf puts an answer into the form of the platform. Several values of a header are joined, as HTTP allows for all but
// Set-Cookie.
func responseOf(a webhook.Answer) events.LambdaFunctionURLResponse {
	r := events.LambdaFunctionURLResponse{StatusCode: a.Status, Headers: make(map[string]string, len(a.Header)), Cookies: []string{}}
	for name, values := range a.Header {
		if name == "Set-Cookie" {
			r.Cookies = append(r.Cookies, values...)
			continue
		}
		r.Headers[name] = strings.Join(values, ", ")
	}
	if r.Body = string(a.Body); !utf8.Valid(a.Body) {
		r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(a.Body), true
	}
	return r
}
