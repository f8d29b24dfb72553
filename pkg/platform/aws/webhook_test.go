package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

// seen is the request that a handler gets.
type seen struct {
	Method, Target, Host, Remote, Body string
	Header                             http.Header
}

// ask gives the function an event, and tells what its handler got and what it answered.
func ask(t *testing.T, payload string) (*seen, events.LambdaFunctionURLResponse, string) {
	t.Helper()
	var got *seen
	m, _ := testMetrics()
	log := new(bytes.Buffer)
	w := &web{metrics: m, now: time.Now, log: slog.New(slog.NewJSONHandler(log, nil)), handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = &seen{r.Method, r.RequestURI, r.Host, r.RemoteAddr, string(body), r.Header}
		if r.URL.Path == "/panic" {
			panic("planted")
		}
		w.Header().Add("Vary", "Origin")
		w.Header().Add("Vary", "Accept")
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write([]byte(r.URL.Query().Get("say")))
	})}
	answer, err := w.Invoke(t.Context(), []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	var res events.LambdaFunctionURLResponse
	if err := json.Unmarshal(answer, &res); err != nil {
		t.Fatal(err)
	}
	return got, res, log.String()
}

const context2 = `"requestContext":{"http":{"method":"POST","sourceIp":"203.0.113.7"}}`

// TestRequestOfAnEvent: each part of an event becomes the part of the request that it was.
func TestRequestOfAnEvent(t *testing.T) {
	plain := `{"version":"2.0","rawPath":"/v1/%63ompletions","rawQueryString":"say=hello&a=%2F&a=2","cookies":["c=1","d=2"],
		"headers":{"host":"example.com","x-one":"a,b","CONTENT-TYPE":"application/json"},` + context2 + `,"body":"{\"a\":\"é\"}","isBase64Encoded":false}`
	want := &seen{"POST", "/v1/%63ompletions?say=hello&a=%2F&a=2", "example.com", "203.0.113.7", `{"a":"é"}`,
		http.Header{"X-One": {"a,b"}, "Content-Type": {"application/json"}, "Cookie": {"c=1; d=2"}}}
	for name, payload := range map[string]string{
		"plain":  plain,
		"base64": strings.Replace(plain, `"body":"{\"a\":\"é\"}","isBase64Encoded":false`, `"body":"eyJhIjoiw6kifQ==","isBase64Encoded":true`, 1),
	} {
		got, res, _ := ask(t, payload)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: request -want +got:\n%s", name, diff)
		}
		wantRes := events.LambdaFunctionURLResponse{StatusCode: 202, Headers: map[string]string{"Vary": "Origin, Accept"}, Body: "hello", Cookies: []string{"a=1", "b=2"}}
		if diff := cmp.Diff(wantRes, res); diff != "" {
			t.Errorf("%s: response -want +got:\n%s", name, diff)
		}
	}
	if _, res, _ := ask(t, `{"rawPath":"/","rawQueryString":"say=%FF",`+context2+`}`); res.Body != "/w==" || !res.IsBase64Encoded {
		t.Errorf("a body that is no text: %+v", res)
	}
}

// TestEventsThatAreNoRequest: a clean 400, in the log an error, and nothing repeated.
func TestEventsThatAreNoRequest(t *testing.T) {
	for _, payload := range []string{
		``, `planted`, `[]`, `"planted"`, `null`, `{}`, `{"Records":[{"body":"planted"}]}`, `{"rawPath":"/v1/completions"}`, `{` + context2 + `}`,
		`{"rawPath":"/",` + context2 + `,"body":"planted!","isBase64Encoded":true}`, `{"rawPath":5,` + context2 + `}`, `{"rawPath":"/","headers":{"a":["planted"]},` + context2 + `}`,
	} {
		got, res, log := ask(t, payload)
		if got != nil || res.StatusCode != 400 || res.Headers["Content-Type"] != "application/problem+json" || !json.Valid([]byte(res.Body)) {
			t.Errorf("%s: %+v, request %+v", payload, res, got)
		}
		if strings.Contains(res.Body+log, "planted") || !strings.Contains(log, "event refused") {
			t.Errorf("%s: it shows too much, or too little: %s, log %s", payload, res.Body, log)
		}
	}
}

// TestWebhookOutlivesAPanic: a 500 that tells nothing, and an error in the log that does not repeat what was thrown.
func TestWebhookOutlivesAPanic(t *testing.T) {
	_, res, log := ask(t, `{"rawPath":"/panic",`+context2+`}`)
	if res.StatusCode != 500 || res.Headers["Content-Type"] != "application/problem+json" || strings.Contains(res.Body+log, "planted") {
		t.Errorf("%+v, log %s", res, log)
	}
	if !strings.Contains(log, "panic: string") || !strings.Contains(log, "webhook_test.go") {
		t.Errorf("the log does not tell where: %s", log)
	}
}

// TestWebhookAnswersInTime: a handler's time ends before the invocation does, so that there is an answer.
func TestWebhookAnswersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, _ := testMetrics()
		w := &web{metrics: m, now: time.Now, log: slog.New(slog.DiscardHandler), handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			w.WriteHeader(http.StatusServiceUnavailable)
		})}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		answer, err := w.Invoke(ctx, []byte(`{"rawPath":"/",`+context2+`}`))
		if err != nil || ctx.Err() != nil || !strings.Contains(string(answer), `"statusCode":503`) {
			t.Errorf("%s, %v; the invocation: %v", answer, err, ctx.Err())
		}
	})
}

// FuzzCall: whatever the event is, there is an answer with a status.
func FuzzCall(f *testing.F) {
	f.Add([]byte(`{"rawPath":"/healthz",` + context2 + `}`))
	f.Add([]byte(`{"rawPath":"/%zz","headers":{"":"\r\n"},` + context2 + `,"body":"=","isBase64Encoded":true}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m, _ := testMetrics()
		w := &web{metrics: m, now: time.Now, log: slog.New(slog.DiscardHandler), handler: http.NotFoundHandler()}
		answer, err := w.Invoke(t.Context(), payload)
		var res events.LambdaFunctionURLResponse
		if err != nil || json.Unmarshal(answer, &res) != nil || res.StatusCode < 400 {
			t.Errorf("%s, %v", answer, err)
		}
	})
}
