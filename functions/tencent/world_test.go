// Package tencent_test replays events/tencent through the compiled functions over SCF's own RPC: a COS test server that checks
// each signature, a stand-in of the SCF API that checks TC3, and the fake face check service are around them. Variables and
// credentials come with each invocation only.
//
// In the events, {{token ORDER}} stands for a JWT for the order, and {{sign ORDER}} for the signature that the service puts on the
// H5 redirect; both must be fresh, and events.Fill makes them. For a test in the console put one in by hand: `kycvault token ORDER` prints
// a token, `kycvault sign APPID ORDER TICKET CODE` a signature. In {{…}} there is nothing else.
package tencent_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kycvault/kycvault/events"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/delay/scf/scftest"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	appID   = "TIDA0001"
	jwtKey  = "planted-webhook-key-0123456789abcdef"
	opening = "06h0jj61jg0i7k0tk96e9k3vfg" // of the messages in the events
)

// binaries compiles the functions once, as a deployment does but for this machine.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "kycvault-functions-")
	if err != nil {
		return "", err
	}
	return dir, scfruntest.Compile(dir, "./webhook", "./pull", "./refetch")
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := binaries(); dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// world is an account: a bucket, the API, the service, and what the functions are told of them.
type world struct {
	t       *testing.T
	cos     *costest.Running
	api     *scftest.Server
	archive *archive.Archive
	service *faceidtest.Running
	env     map[string]string
	fns     map[string]*scfruntest.Function

	mu     sync.Mutex
	key    costest.Key // of the role, now
	events [][]byte    // that the API took and did not deliver yet
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, fns: map[string]*scfruntest.Function{}}
	w.cos = costest.Start(t, costest.Config{})
	w.service = faceidtest.Start(t, faceidtest.Config{AppID: appID, Secret: secret.New("planted-app-secret"), MediaAfter: -1})
	w.api = scftest.New(scftest.Config{Keys: w.keys, Functions: []string{"kycvault-pull"}, Region: "ap-guangzhou", Deliver: w.take})
	api := httptest.NewServer(w.api)
	t.Cleanup(api.Close)
	w.archive = w.openArchive()
	w.env = map[string]string{
		"KYC_APP_ID": appID, "KYC_SECRET": "planted-app-secret", "KYC_BASE_URL": w.service.URL, "KYC_TICKET": "own",
		"KYC_ARCHIVE": "cos://" + costest.DefaultBucket + "/kyc?endpoint=" + w.cos.URL, "KYC_WEBHOOK_KEY": jwtKey,
		"KYC_PULL_FUNCTION": "kycvault-pull", "KYC_SCF_ENDPOINT": api.URL, "KYC_STEP_DELAY": "100ms", "TENCENTCLOUD_REGION": "ap-guangzhou",
	}
	w.rotate("1")
	return w
}

// rotate gives the role new credentials, from the next invocation on; COS and the API take no others.
func (w *world) rotate(generation string) {
	w.mu.Lock()
	w.key = costest.Key{SecretID: "AKIDrole" + generation, SecretKey: "planted-role-key-" + generation, Token: "planted-role-token-" + generation}
	w.cos.Accept(w.key, costest.DefaultKey)
	w.mu.Unlock()
	w.set(map[string]string{
		"TENCENTCLOUD_SECRETID": w.key.SecretID, "TENCENTCLOUD_SECRETKEY": w.key.SecretKey, "TENCENTCLOUD_SESSIONTOKEN": w.key.Token,
	})
}

// set changes variables of all functions, from the next invocation on.
func (w *world) set(env map[string]string) {
	for name, value := range env {
		w.env[name] = value
	}
	for _, f := range w.fns {
		f.Set(env)
	}
}

func (w *world) keys(id string) (scftest.Key, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return scftest.Key{Secret: w.key.SecretKey, Token: w.key.Token}, id == w.key.SecretID
}

func (w *world) take(e scftest.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e.Payload)
}

// sent is how many events the API took and did not deliver yet.
func (w *world) sent() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.events)
}

// first is the first of them.
func (w *world) first() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events[0]
}

// deliver gives the pull function what the API took, and tells how many events that were.
func (w *world) deliver() int {
	w.t.Helper()
	w.mu.Lock()
	events := w.events
	w.events = nil
	w.mu.Unlock()
	for _, e := range events {
		if answer, err := w.fn("pull").Invoke(w.t.Context(), e); err != nil || string(answer) != "null" {
			w.t.Errorf("pull: %s, %v\n%s", answer, err, w.fn("pull").Logs())
		}
	}
	return len(events)
}

// openArchive opens the bucket as its owner.
func (w *world) openArchive() *archive.Archive {
	w.t.Helper()
	b, err := cosbucket.New(cosbucket.Config{
		Bucket: costest.DefaultBucket, Endpoint: w.cos.URL, Credentials: func(context.Context) (cosbucket.Credential, error) {
			return cosbucket.Credential{SecretID: costest.DefaultKey.SecretID, SecretKey: secret.New(costest.DefaultKey.SecretKey)}, nil
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	below, err := bucket.Prefixed(b, "kyc")
	if err != nil {
		w.t.Fatal(err)
	}
	return archive.New(below)
}

// fn is the function of a name, deployed when it is first asked for.
func (w *world) fn(name string) *scfruntest.Function {
	w.t.Helper()
	if w.fns[name] == nil {
		dir, err := binaries()
		if err != nil {
			w.t.Fatal(err)
		}
		w.fns[name] = scfruntest.New(w.t, scfruntest.Options{
			Program: filepath.Join(dir, name), Environment: w.env, Name: "kycvault-" + name, TimeLimit: 30 * time.Second,
		})
	}
	return w.fns[name]
}

// replay gives the function that a file of events/tencent is named after that event.
func (w *world) replay(file string) ([]byte, error) {
	w.t.Helper()
	event, err := os.ReadFile(filepath.Join("..", "..", "events", "tencent", file))
	if err != nil {
		w.t.Fatal(err)
	}
	name, _, _ := strings.Cut(file, "-")
	return w.fn(name).Invoke(w.t.Context(), events.Fill(w.t, event, w.service, jwtKey))
}

// response is an answer of the webhook, which must have no other form than the documents say.
type response struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Body            string            `json:"body"`
	IsBase64Encoded *bool             `json:"isBase64Encoded"`
}

func (w *world) response(answer []byte, err error) (r response) {
	w.t.Helper()
	d := json.NewDecoder(strings.NewReader(string(answer)))
	d.DisallowUnknownFields()
	if err != nil || d.Decode(&r) != nil || r.StatusCode < 200 {
		w.t.Fatalf("the webhook answers %s, %v\n%s", answer, err, w.fn("webhook").Logs())
	}
	return r
}

// open makes the marker of an order, as a completion does; the opening is that of the events.
func (w *world) open(orders ...archive.Order) {
	w.t.Helper()
	for _, o := range orders {
		if err := w.archive.OpenMarker(w.t.Context(), archive.Mark{Order: o, Opening: opening}, archive.Marker{By: "test", At: time.Now()}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// state is what the archive says of an order, "" if it knows nothing.
func (w *world) state(o archive.Order) kyc.State {
	w.t.Helper()
	s, err := kyc.Orders{Archive: w.archive}.Status(w.t.Context(), o)
	if err != nil && !errors.Is(err, kyc.ErrUnknownOrder) {
		w.t.Fatal(err)
	}
	return s.State
}

// check looks for what may never be: secrets in a log, functions that crashed, damage in the archive.
func (w *world) check() {
	w.t.Helper()
	for name, f := range w.fns {
		if log := f.Logs(); strings.Contains(log, "planted") || strings.Contains(log, "eyJ") {
			w.t.Errorf("%s logs a secret:\n%s", name, log)
		}
		if n := len(f.Starts()); n > 1 {
			w.t.Errorf("%s was started %d times:\n%s", name, n, f.Logs())
		}
	}
	if _, err := w.archive.Verify(w.t.Context(), func(d archive.Damage) { w.t.Errorf("damage: %+v", d) }); err != nil {
		w.t.Error(err)
	}
}
