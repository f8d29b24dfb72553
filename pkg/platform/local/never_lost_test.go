package local_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	appID     = "IDAXXXXX"
	appSecret = "an-app-secret-that-nobody-may-see"
	hookKey   = "a-webhook-key-of-thirty-two-bytes-or-more"
)

// settings are a configuration as the environment gives it.
func settings(t *testing.T, extra map[string]string) platform.Config {
	t.Helper()
	values := map[string]string{
		"KYC_APP_ID": appID, "KYC_SECRET": appSecret, "KYC_TICKET": "own", "KYC_BASE_URL": "http://127.0.0.1:1",
		"KYC_ARCHIVE": "file:///unused", "KYC_WEBHOOK_KEY": hookKey,
	}
	for k, v := range extra {
		values[k] = v
	}
	c, err := platform.Load(func(name string) (string, bool) { v, ok := values[name]; return v, ok }, platform.NeedUpstream|platform.NeedArchive|platform.NeedWebhook)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// house is one archive in a real folder and one strict fake service over real HTTP, in a bubble of fake time.
type house struct {
	t      *testing.T
	dir    string
	sim    *faceidtest.Server
	config platform.Config
	log    *slog.Logger
	logs   *peertest.Log
	keys   agekey.Identities // of an archive that is encrypted
	lost   int               // calls whose answer the service gave and nobody heard
	bill   *bill             // notes the calls to the store; nil does not
}

// process is one life of the server.
type process struct {
	*local.Server
	door http.Handler
	stop func()
}

// start starts a process; f plans its faults.
func (h *house) start(f *faults) *process {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	f.die = cancel
	folder, err := dirbucket.Open(h.dir, dirbucket.WithNow(time.Now))
	if err != nil {
		h.t.Fatal(err)
	}
	store := bucket.Bucket(folder)
	if h.bill != nil {
		store = billed{folder, h.bill}
	}
	service := &http.Server{Handler: upstreamFaults(h.sim, f), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	wire := peertest.NewPipes()
	transport := &http.Transport{DialContext: wire.Dial}
	server, err := local.New(h.config, local.Options{Writer: "kycvault test", Log: h.log, Bucket: bucketFaults{Bucket: store, f: f}, Transport: transport})
	if err != nil {
		h.t.Fatal(err)
	}
	door, err := server.Webhook(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	p := &process{Server: server, door: door}
	p.stamped(f)
	ran := make(chan struct{})
	go func() { _ = service.Serve(wire) }()
	go func() { defer close(ran); server.Run(ctx) }()
	p.stop = func() {
		cancel()
		<-ran
		transport.CloseIdleConnections()
		_ = service.Close()
		_ = folder.Close()
		if len(f.spoilt) > 0 {
			h.t.Errorf("overwritten or removed: %q", f.spoilt)
		}
	}
	return p
}

// complete calls the webhook as a front end does, and tells whether it got its promise.
func (p *process) complete(t *testing.T, order string) bool {
	t.Helper()
	token, err := webhook.MintToken(secret.New(hookKey), webhook.JWT, archive.Order(order), time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v1/completions", strings.NewReader(`{"orderNo":"`+order+`"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	p.door.ServeHTTP(w, r)
	if w.Code != http.StatusAccepted && w.Code != http.StatusOK && w.Code != http.StatusServiceUnavailable {
		t.Errorf("completion of %s: %d %s", order, w.Code, w.Body)
	}
	return w.Code != http.StatusServiceUnavailable
}

// life is the whole life of some orders.
type life struct {
	orders []string
	public string            // whom evidence is encrypted to; "" is nobody
	keys   agekey.Identities // that open it
	sealed bool
}

// encrypted is the same life with evidence that is encrypted.
func (l life) encrypted(t *testing.T) life {
	t.Helper()
	pair, err := agekey.NewPair(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l.public = pair.Public
	if l.keys, err = agekey.ParseIdentities(pair.File); err != nil {
		t.Fatal(err)
	}
	return l
}

// settings are those that make it so.
func (l life) settings() map[string]string {
	all := map[string]string{"KYC_RECIPIENTS": l.public}
	if l.sealed {
		all["KYC_SEAL_KEY"] = "PRIVATE+KEY+test.example/vault+85a0ee6e+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
		all["KYC_SEAL_EVERY"], all["KYC_SEAL_GRACE"] = "5m", "1m"
	}
	return all
}

// play plays it with the nth call failing in one way, and judges the archive. It gives the number of calls that the first
// process made, and of those with an effect.
func (l life) play(t *testing.T, n int, w way) (calls, effects int) {
	dir, orders := folder(t), l.orders
	synctest.Test(t, func(t *testing.T) {
		config := settings(t, l.settings())
		h := &house{t: t, dir: dir, config: config, keys: l.keys, log: slog.New(slog.DiscardHandler)}
		if n > 0 {
			h.lost = 1
		}
		h.sim = faceidtest.New(faceidtest.Config{AppID: appID, Secret: secret.New(appSecret), Now: time.Now})
		f := &faults{n: n, way: w}
		p := h.start(f)
		promised := map[string]bool{}
		for _, o := range orders {
			promised[o] = p.complete(t, o)
		}
		time.Sleep(15 * time.Minute) // steps, three passes, and what a fault delays
		p.stop()
		if calls, effects = f.calls, f.effects; n == 0 && l.sealed {
			h.sealedSoFar(orders)
		}

		p = h.start(&faults{}) // a process that nothing fails in
		for o, ok := range promised {
			if !ok && !p.complete(t, o) { // who got a 503 comes again
				t.Errorf("order %s was refused twice", o)
			}
		}
		time.Sleep(20 * time.Minute)
		p.stop()
		time.Sleep(2 * time.Minute) // a refresh under way ends with its own time-out
		h.judge(orders)
	})
	return calls, effects
}

// judge looks whether the promises hold.
func (h *house) judge(orders []string) {
	t := h.t
	b, err := dirbucket.Open(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	vault := archive.New(b)
	for _, o := range orders {
		st, err := kyc.Orders{Archive: vault}.Status(t.Context(), archive.Order(o))
		if err != nil || st.State != kyc.StateArchived {
			t.Errorf("order %s: %q, %v", o, st.State, err)
		}
	}
	damage := func(d archive.Damage) { t.Errorf("damage: %+v", d) }
	if _, err := vault.VerifyWith(t.Context(), damage, archive.VerifyOptions{Keys: h.keys}); err != nil {
		t.Error(err)
	}
	for _, key := range keysBelow(t, b, "orders/") {
		if h.keys != nil && !strings.HasSuffix(key, ".age") && !strings.Contains(key, "/manifest") {
			t.Errorf("not encrypted: %s", key)
		}
	}
	if !h.config.SealKey.Empty() {
		h.judgeSeals(vault)
	}
	for _, prefix := range []string{"pending/", "retry/", "quiet/", "system/backoff", "system/probe/"} {
		for _, key := range keysBelow(t, b, prefix) {
			t.Errorf("left behind: %s", key)
		}
	}
	s := h.sim.Stats()
	if s.Replays > 0 || s.Unsigned > 0 {
		t.Errorf("the service was mistreated: %+v", s)
	}
	// The service takes a token call whose answer was lost for a refresh under way; its holder may call once more.
	if s.ParallelRefreshes > h.lost {
		t.Errorf("%d parallel refreshes", s.ParallelRefreshes)
	}
	// 40 minutes hold two refreshes; a fault in one of them may cost one more.
	if s.Refreshes > 3 {
		t.Errorf("%d refreshes", s.Refreshes)
	}
}

func keysBelow(t *testing.T, b bucket.Bucket, prefix string) (keys []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), prefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// lives are the orders of a life each, by name.
func lives() map[string][]string {
	return map[string][]string{
		"well":     {"ok1"},
		"late":     {"videolate1"},
		"cut":      {"cut1"},
		"odd":      {"oddjpeg1"},
		"changing": {"oddchanges1"},
		"final":    {"notsame1"},
		"two":      {"ok1", "png2"},
	}
}

// TestNeverLost fails every call of the flow once, in three ways: before its effect, after it, and by the death of the
// process; then a new process takes up. Every order that was accepted must be whole (DESIGN section 1).
func TestNeverLost(t *testing.T) {
	for name, orders := range lives() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			life{orders: orders}.failEverywhere(t, 9)
		})
	}
}

// failEverywhere plays a life once for each of its calls and each way to fail; under the race detector for a sample, every nth.
func (l life) failEverywhere(t *testing.T, every int) {
	calls, effects := l.play(t, 0, before)
	t.Logf("%d calls, %d with an effect", calls, effects)
	if !testing.Short() {
		every = 1
	}
	for w, how := range ways {
		last := calls
		if w != before {
			last = effects
		}
		for n := 1; n <= last; n += every {
			t.Run(fmt.Sprintf("%s/%d", how, n), func(t *testing.T) { l.play(t, n, w) })
		}
	}
}
