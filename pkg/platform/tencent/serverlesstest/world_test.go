package serverlesstest_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/delay/timer"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/tencent/serverlesstest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// world is the three functions as three systems over one store, each seen through its own eyes, and the fake service.
type world struct {
	t      *testing.T
	file   *serverlesstest.File
	store  *membucket.Bucket
	calls  *calls
	sim    *faceidtest.Server
	pipes  *peertest.Pipes
	timer  *timer.Timer // hands steps to pull, whichever function asks
	client *http.Transport
}

// play lets every test order number of the fake service live from its completion to its end, some of them twice, with a ticket
// that dies, a front end that asks, and days that are sealed; and gives the calls that each function made of the store.
func play(t *testing.T) *calls {
	c := &calls{used: map[string]map[string]bool{}}
	synctest.Test(t, func(t *testing.T) {
		values := environ()
		values["KYC_SEAL_KEY"] = sealKey
		w := &world{t: t, file: serverlesstest.Load(t, values), store: membucket.New(time.Now), calls: c, pipes: peertest.NewPipes()}
		w.sim = faceidtest.New(faceidtest.Config{AppID: environ()["KYC_APP_ID"], Secret: secret.New(environ()["KYC_SECRET"]), Now: time.Now})
		w.client = &http.Transport{DialContext: w.pipes.Dial}
		service := &http.Server{Handler: w.sim, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
		go func() { _ = service.Serve(w.pipes) }()
		w.run()
		w.client.CloseIdleConnections()
		_ = service.Close()
		time.Sleep(2 * time.Minute)
	})
	return c
}

func (w *world) run() {
	ctx, stop := context.WithCancel(w.t.Context())
	var wg sync.WaitGroup
	var pull *platform.System
	w.timer = timer.New(func(ctx context.Context, m kyc.Message) error { return pull.Puller.Run(ctx, m) }, 16, slog.New(slog.DiscardHandler))
	pull = w.system("pull")
	wg.Go(func() { w.timer.Run(ctx, time.Second) })
	refetch, hook := w.system("refetch"), w.system("webhook")
	door := w.door(hook)

	stray := "retry/stray1.06h0jj61jg0i7k0tk96e9k3vfg" // a note that a step left which died within its clearing
	if err := w.store.Put(ctx, stray, bucket.Bytes([]byte(`{"v":1}`), "application/json")); err != nil {
		w.t.Fatal(err)
	}
	for _, c := range faceidtest.Cases() {
		w.complete(door, c.Example)
	}
	for pass := range int(80 * time.Hour / (5 * time.Minute)) {
		refetch.Refetcher.Run(ctx, false)
		time.Sleep(3 * time.Minute)
		if pass == 1 { // pull has to make a new ticket
			w.sim.KillTicket()
			w.complete(door, "ok2")
		}
		time.Sleep(2 * time.Minute)
		for _, order := range []string{"ok1", "walkaway1", "novideo1"} {
			w.complete(door, order)
		}
		w.ticket(door)
	}
	stop()
	wg.Wait()
}

// system wires a function as its platform does.
func (w *world) system(function string) *platform.System {
	c, err := w.file.Config(function, needs[function])
	if err != nil {
		w.t.Fatal(err)
	}
	c.BaseURL = "http://127.0.0.1:1" // the pipe
	s, err := platform.Wire(c, platform.Parts{
		Bucket: watched{w.store, function, w.calls}, Delayer: w.timer, Transport: w.client, Writer: "kycvault test",
		Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := s.Seals(c); err != nil { // refetch alone has the key
		w.t.Fatal(err)
	}
	return s
}

func (w *world) door(s *platform.System) http.Handler {
	c, err := w.file.Config("webhook", needs["webhook"])
	if err != nil {
		w.t.Fatal(err)
	}
	c.TicketToken = secret.New("a-token")
	door, err := s.Webhook(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return door
}

// complete calls the webhook for an order, and asks how it stands.
func (w *world) complete(door http.Handler, order string) {
	token, err := webhook.MintToken(secret.New(environ()["KYC_WEBHOOK_KEY"]), webhook.JWT, archive.Order(order), time.Hour, time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/completions", strings.NewReader(`{"orderNo":"`+order+`"}`))
	r.Header.Set("Content-Type", "application/json")
	w.serve(door, r, "Bearer "+token)
	w.serve(door, httptest.NewRequest(http.MethodGet, "/v1/orders/"+order, nil), "Bearer "+token)
}

// ticket asks for the ticket, as a back end does.
func (w *world) ticket(door http.Handler) {
	w.serve(door, httptest.NewRequest(http.MethodGet, "/v1/ticket", nil), "Bearer a-token")
}

func (w *world) serve(door http.Handler, r *http.Request, authorization string) {
	r.Header.Set("Authorization", authorization)
	answer := httptest.NewRecorder()
	door.ServeHTTP(answer, r)
	if answer.Code >= 400 && answer.Code != http.StatusServiceUnavailable {
		w.t.Errorf("%s %s: %d %s", r.Method, r.URL.Path, answer.Code, answer.Body)
	}
}
