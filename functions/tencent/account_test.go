package tencent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/delay/scf/scftest"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest"
	"github.com/kycvault/kycvault/pkg/platform/tencent/serverlesstest"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	stage    = "prod" // of serverless.yml
	location = "cos://" + costest.DefaultBucket + "/bank/kyc?region=ap-guangzhou"
	prefix   = "bank/kyc/"
	workers  = 4 // instances of pull at once
)

// deployment is the account after `scf deploy`: the functions with what serverless.yml gives them, each as a role of its own
// with the shipped policy; the bucket, the API, its queue of asynchronous invocations and the timer; and the service.
type deployment struct {
	t      *testing.T
	made   time.Time // UTC
	file   *serverlesstest.File
	rights *serverlesstest.Rights
	cos    *costest.Running
	api    *scftest.Server
	sim    *faceidtest.Running
	queue  *queue
	bucket bucket.Bucket // as its owner sees it

	webhook, pull, refetch *scfruntest.Function

	mu    sync.Mutex
	roles map[string]costest.Key // by function: its role's credentials, now
	cut   func(r *http.Request)  // looks at each request to COS before it is served
	wrong func(n int) *scftest.Fault
}

// options are what a test wants to be otherwise.
type options struct {
	sim   faceidtest.Config
	cos   costest.Config
	env   map[string]string // goes before the file's variables
	queue mischief

	refetches int // instances of refetch at once; 0 is one, as docs/tencent.md reserves
}

func deploy(t *testing.T, o options) *deployment {
	t.Helper()
	d := &deployment{t: t, made: time.Now().UTC(), roles: map[string]costest.Key{}}
	d.file = serverlesstest.Load(t, map[string]string{
		"SCF_REGION": "ap-guangzhou", "CLS_LOGSET_ID": "logset", "CLS_TOPIC_ID": "topic", "KYC_APP_ID": appID, "KYC_SECRET": "planted-app-secret",
		"KYC_TICKET": "own", "KYC_ARCHIVE": location, "KYC_WEBHOOK_KEY": jwtKey,
	})
	d.rights = serverlesstest.LoadRights(t, location, stage)
	o.sim.AppID, o.sim.Secret = appID, secret.New("planted-app-secret")
	d.sim = faceidtest.Start(t, o.sim)
	o.cos.Allow, o.cos.HistoryLen = d.allow, 1_000_000
	d.cos = costest.Start(t, o.cos)
	d.rotate("1")
	d.openBucket()
	front := d.front()
	d.queue = newQueue(d, o.queue)
	d.api = scftest.New(scftest.Config{
		Keys: d.keys, Functions: []string{d.name("pull")}, Region: "ap-guangzhou", Deliver: d.queue.take, Fault: d.apiFault,
	})
	api := httptest.NewServer(d.api)
	t.Cleanup(api.Close)
	env := map[string]string{
		"KYC_BASE_URL": d.sim.URL, "KYC_SCF_ENDPOINT": api.URL, "KYC_ARCHIVE": location + "&endpoint=" + url.QueryEscape(front),
		"KYC_STEP_DELAY": "500ms", "KYC_REFETCH_EVERY": "2s", "TENCENTCLOUD_REGION": "ap-guangzhou",
	}
	for name, value := range o.env {
		env[name] = value
	}
	d.webhook, d.pull, d.refetch = d.start("webhook", 4, env), d.start("pull", workers, env), d.start("refetch", max(1, o.refetches), env)
	return d
}

// start makes a function of what the file says of it, with what a test sets in the place of the clouds' addresses.
func (d *deployment) start(function string, instances int, env map[string]string) *scfruntest.Function {
	d.t.Helper()
	dir, err := binaries()
	if err != nil {
		d.t.Fatal(err)
	}
	all := map[string]string{}
	for name, value := range d.file.Environment(function) {
		all[name] = value
	}
	for name, value := range env {
		all[name] = value
	}
	for name, value := range d.credentials(function) {
		all[name] = value
	}
	return scfruntest.New(d.t, scfruntest.Options{
		Program: filepath.Join(dir, d.file.Inputs.Functions[function].Handler), Environment: all, Name: d.name(function),
		TimeLimit: d.file.Limit(function), Instances: instances, Region: d.file.Inputs.Region,
	})
}

// functions are all three, by their keys in the file.
func (d *deployment) functions() map[string]*scfruntest.Function {
	return map[string]*scfruntest.Function{"webhook": d.webhook, "pull": d.pull, "refetch": d.refetch}
}

// name is a function's name in the cloud.
func (d *deployment) name(function string) string { return d.file.Inputs.Functions[function].Name }

// rotate gives each role new credentials; neither COS nor the API takes the old ones any more.
func (d *deployment) rotate(generation string) {
	d.mu.Lock()
	accepted := []costest.Key{costest.DefaultKey}
	for _, function := range serverlesstest.Functions() {
		d.roles[function] = costest.Key{
			SecretID: "AKID" + function + generation, SecretKey: "planted-role-key-" + function + generation, Token: "planted-role-token-" + function + generation,
		}
		accepted = append(accepted, d.roles[function])
	}
	d.mu.Unlock()
	d.cos.Accept(accepted...)
	for function, f := range d.functions() {
		if f != nil {
			f.Set(d.credentials(function))
		}
	}
}

// credentials are a role's, as the runtime delivers them.
func (d *deployment) credentials(function string) map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := d.roles[function]
	return map[string]string{"TENCENTCLOUD_SECRETID": key.SecretID, "TENCENTCLOUD_SECRETKEY": key.SecretKey, "TENCENTCLOUD_SESSIONTOKEN": key.Token}
}

// functionOf tells whose role a secret id is, or was; "" is nobody's.
func functionOf(secretID string) string {
	for _, function := range serverlesstest.Functions() {
		if strings.HasPrefix(secretID, "AKID"+function) {
			return function
		}
	}
	return ""
}

// allow is CAM before COS: the owner may do everything, a role what its policy says.
func (d *deployment) allow(secretID, action, key string) bool {
	function := functionOf(secretID)
	return function == "" || d.rights.Allowed(function, action, key)
}

// keys is CAM before the API.
func (d *deployment) keys(secretID string) (scftest.Key, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := d.roles[functionOf(secretID)]
	return scftest.Key{Secret: key.SecretKey, Token: key.Token}, key.SecretID == secretID
}

// apiFaults sets how calls of the API go wrong from now on.
func (d *deployment) apiFaults(f func(n int) *scftest.Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wrong = f
}

func (d *deployment) apiFault(n int, _ scftest.Event) *scftest.Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wrong == nil {
		return nil
	}
	return d.wrong(n)
}

// front serves COS to the functions, so that a test can look at a request while its body comes. It gives its URL.
func (d *deployment) front() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		cut := d.cut
		d.mu.Unlock()
		if cut != nil {
			cut(r)
		}
		d.cos.ServeHTTP(w, r)
	}))
	d.t.Cleanup(server.Close)
	return server.URL
}

// openBucket opens the archive's place as its owner.
func (d *deployment) openBucket() {
	d.t.Helper()
	b, err := cosbucket.New(cosbucket.Config{
		Bucket: costest.DefaultBucket, Endpoint: d.cos.URL, Credentials: func(context.Context) (cosbucket.Credential, error) {
			return cosbucket.Credential{SecretID: costest.DefaultKey.SecretID, SecretKey: secret.New(costest.DefaultKey.SecretKey)}, nil
		},
	})
	if err == nil {
		d.bucket, err = bucket.Prefixed(b, strings.TrimSuffix(prefix, "/"))
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// complete calls the function URL as a front end does, and gives the status.
func (d *deployment) complete(order string) int {
	d.t.Helper()
	return d.ask(http.MethodPost, "/v1/completions", nil, order, `{"orderNo":"`+order+`"}`)
}

// ask calls the function URL, with an order's token if one is named. An invocation that failed is a 500 (doc 583/96099).
func (d *deployment) ask(method, path string, query map[string]string, order, body string) int {
	d.t.Helper()
	headers := map[string]string{"content-type": "application/json", "x-scf-remote-addr": "203.0.113.7"}
	if order != "" {
		token, err := webhook.MintToken(secret.New(jwtKey), webhook.JWT, archive.Order(order), time.Hour, time.Now())
		if err != nil {
			d.t.Fatal(err)
		}
		headers["authorization"] = "Bearer " + token
	}
	event, err := json.Marshal(map[string]any{"httpMethod": method, "path": path, "queryString": query, "headers": headers, "body": body})
	if err != nil {
		d.t.Fatal(err)
	}
	data, err := d.webhook.Invoke(d.t.Context(), event)
	if err != nil {
		d.t.Logf("webhook: %v", err)
		return http.StatusInternalServerError
	}
	var answer response
	if err := json.Unmarshal(data, &answer); err != nil || answer.StatusCode == 0 {
		d.t.Fatalf("webhook answered %q", data)
	}
	return answer.StatusCode
}

// promised completes orders.
func (d *deployment) promised(orders ...string) []string {
	d.t.Helper()
	for _, o := range orders {
		if code := d.complete(o); code != http.StatusAccepted && code != http.StatusOK {
			d.t.Fatalf("completion of %s: status %d\n%s", o, code, d.logs())
		}
	}
	return orders
}

// pass is one firing of the timer.
func (d *deployment) pass(ctx context.Context) error {
	_, err := d.refetch.Invoke(ctx, []byte(`{"Type":"Timer","TriggerName":"every-5-minutes","Time":"2026-11-25T00:05:00Z","Message":"refetch"}`))
	return err
}

// logs are the ends of what the functions have written.
func (d *deployment) logs() string {
	var all strings.Builder
	for name, f := range d.functions() {
		lines := strings.Split(strings.TrimSpace(f.Logs()), "\n")
		fmt.Fprintf(&all, "--- %s\n%s\n", name, strings.Join(lines[max(0, len(lines)-15):], "\n"))
	}
	return all.String()
}
