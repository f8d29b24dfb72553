package tencent

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	appID     = "IDA12345"
	appSecret = "planted-app-secret-of-32-letters"
	hookKey   = "planted-webhook-key-of-32-letters"
	timeLimit = time.Minute
)

var timer = []byte(`{"Type":"Timer","TriggerName":"refetch","Time":"2026-11-25T00:00:00Z","Message":""}`)

// variables are what a deployed function gets, with the credentials of its role.
func variables() map[string]string {
	return map[string]string{
		"KYC_APP_ID": appID, "KYC_SECRET": appSecret, "KYC_TICKET": "own", "KYC_BASE_URL": "http://127.0.0.1:1",
		"KYC_ARCHIVE": "cos://kyc-1250000000/vault", "KYC_WEBHOOK_KEY": hookKey, "KYC_PULL_FUNCTION": "kycvault-pull",
		secretIDVariable: "AKIDplanted", secretKeyVariable: "planted-secret-key", sessionTokenVariable: "planted-session-token",
		regionVariable: "ap-guangzhou",
	}
}

// house is an archive, the fake service, and the three functions before it, in a bubble of fake time.
type house struct {
	t         *testing.T
	sim       *faceidtest.Server
	bucket    *membucket.Bucket
	variables map[string]string // delivered with each invocation
	logs      *peertest.Log

	mu   sync.Mutex
	sent []kyc.Message // what the functions hand to the pull function
	lost error         // the delayer's answer

	webhook, pull, refetch *Function
}

// live runs f in a bubble; change may alter what the functions are made of.
func live(t *testing.T, change func(o *Options, h *house), f func(h *house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{t: t, bucket: membucket.New(nil), variables: variables(), logs: new(peertest.Log)}
		h.sim = faceidtest.New(faceidtest.Config{AppID: appID, Secret: secret.New(appSecret), Now: time.Now})
		wire := peertest.NewPipes()
		service := &http.Server{Handler: h.sim, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
		go func() { _ = service.Serve(wire) }()
		o := Options{Writer: "kycvault test", Lookup: nothing, Output: h.logs, Bucket: h.bucket, Delayer: h, Transport: &http.Transport{DialContext: wire.Dial}}
		if change != nil {
			change(&o, h)
		}
		h.webhook, h.pull, h.refetch = NewWebhook(o), NewPull(o), NewRefetch(o)
		f(h)
		o.Transport.CloseIdleConnections()
		_ = service.Close()
		time.Sleep(2 * time.Minute) // a refresh under way ends with its own time-out
		if strings.Contains(h.logs.String(), "planted") {
			t.Errorf("a secret is in the log:\n%s", h.logs)
		}
		if t.Failed() && testing.Verbose() {
			t.Log(h.logs)
		}
	})
}

func nothing(string) (string, bool) { return "", false }

// invocation is the context of one, as scf-go-lib makes it.
func (h *house) invocation(limit time.Duration) (context.Context, context.CancelFunc) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), limit)
	return functioncontext.NewContext(ctx, &functioncontext.FunctionContext{Environment: maps.Clone(h.variables)}), cancel
}

// invoke lets a function work on an event. The variables come only with the invocation.
func (h *house) invoke(f *Function, event []byte, limit time.Duration) ([]byte, error) {
	h.t.Helper()
	ctx, cancel := h.invocation(limit)
	defer cancel()
	return f.Invoke(ctx, event)
}

// completion is the event of an order's completion.
func (h *house) completion(order string) []byte {
	h.t.Helper()
	token, err := webhook.MintToken(secret.New(hookKey), webhook.JWT, archive.Order(order), time.Hour, time.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return httpCall("/v1/completions", `{"orderNo":"`+order+`"}`, "authorization", "Bearer "+token)
}

// complete opens an order by the webhook, and gives the message that it handed over.
func (h *house) complete(order string) kyc.Message {
	h.t.Helper()
	h.sim.EndCheck(order, time.Now())
	answer, err := h.invoke(h.webhook, h.completion(order), timeLimit)
	if err != nil || !bytes.Contains(answer, []byte(`"statusCode":202`)) {
		h.t.Fatalf("completion of %s: %s, %v", order, answer, err)
	}
	return h.sent[len(h.sent)-1]
}

// httpCall is a function URL's event.
func httpCall(path, body string, header ...string) []byte {
	headers := map[string]string{"content-type": "application/json", "host": "1250000000-abc.ap-guangzhou.tencentscf.com", "x-scf-remote-addr": "203.0.113.7"}
	for i := 0; i < len(header); i += 2 {
		headers[header[i]] = header[i+1]
	}
	method := http.MethodPost
	if body == "" {
		method = http.MethodGet
	}
	event, _ := json.Marshal(map[string]any{"httpMethod": method, "path": path, "headers": headers, "queryString": map[string]string{}, "body": body})
	return event
}

// warm makes the ticket, which a pass does.
func (h *house) warm() {
	h.t.Helper()
	if _, err := h.invoke(h.refetch, timer, timeLimit); err != nil {
		h.t.Fatal(err)
	}
}

func encode(t *testing.T, msgs ...kyc.Message) []byte {
	t.Helper()
	event, err := json.Marshal(msgs)
	if err != nil {
		t.Fatal(err)
	}
	if len(msgs) == 1 && !msgs[0].Single {
		event = event[1 : len(event)-1]
	}
	return event
}

func (h *house) state(order string) kyc.State {
	h.t.Helper()
	s, err := kyc.Orders{Archive: archive.New(h.bucket)}.Status(h.t.Context(), archive.Order(order))
	if err != nil {
		h.t.Fatal(err)
	}
	return s.State
}

// asked gives when the service was asked about an order, since a time.
func (h *house) asked(order string, since time.Time) (at []time.Duration) {
	for _, c := range h.sim.History() {
		if c.Order == order {
			at = append(at, c.Time.Sub(since))
		}
	}
	return at
}

// Delay implements kyc.Delayer: it keeps what is sent.
func (h *house) Delay(_ context.Context, msgs ...kyc.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent = append(h.sent, msgs...)
	return h.lost
}

// Room implements kyc.Delayer.
func (h *house) Room(context.Context, time.Duration) (int, error) { return 1000, nil }
