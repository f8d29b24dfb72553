package faceidtest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	testApp    = "TIDAtest"
	testSecret = "planted-secret-0001"
)

// clock is the service's clock, moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 4, 5, 6, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// caller is a client of the fake that knows nothing of pkg/faceid.
type caller struct {
	t      *testing.T
	fake   *Running
	clock  *clock
	route  Route
	ticket string
	nonces int
	stalls int // queries about the stall order that were hit
}

func newCaller(t *testing.T, route Route, change ...func(*Config)) *caller {
	t.Helper()
	c := &caller{t: t, clock: newClock(), route: route}
	config := Config{AppID: testApp, Secret: secret.New(testSecret), Now: c.clock.Now, SlowFor: 32 * time.Millisecond}
	for _, f := range change {
		f(&config)
	}
	c.fake = Start(t, config)
	return c
}

// bothDialects runs a test once with each.
func bothDialects(t *testing.T, test func(*testing.T, Route)) {
	for _, route := range []Route{Sync, FaceRecord} {
		t.Run(string(route), func(t *testing.T) { test(t, route) })
	}
}

// raw is a reply as it came.
type raw struct {
	status int
	header http.Header
	body   []byte
}

func (c *caller) do(req *http.Request) (raw, error) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(req.Context(), time.Minute)
	defer cancel()
	req = req.WithContext(ctx)
	req.Close = true // on a kept connection that breaks, net/http would send a GET again by itself, and so use a nonce twice
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return raw{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	begin, err := io.ReadAll(io.LimitReader(resp.Body, 1024))
	if err != nil {
		return raw{}, err
	}
	if c.stalled(orderInURL(req)) {
		time.AfterFunc(30*time.Millisecond, cancel) // nothing more may come meanwhile, not even the end
	}
	rest, err := io.ReadAll(resp.Body)
	return raw{resp.StatusCode, resp.Header, append(begin, rest...)}, err
}

// stalled tells whether the query just made is one that a stall case has hit: its client has to lose patience.
func (c *caller) stalled(order string) bool {
	c.fake.mu.Lock()
	defer c.fake.mu.Unlock()
	check, ok := c.fake.orders[order]
	if !ok || !strings.HasPrefix(order, "stall") {
		return false
	}
	before := c.stalls
	c.stalls = check.hit
	return check.hit > before
}

func (c *caller) get(path string, params map[string]string) raw {
	c.t.Helper()
	q := url.Values{}
	for key, value := range params {
		q.Set(key, value)
	}
	r, err := c.do(c.request(http.MethodGet, path+"?"+q.Encode(), "", ""))
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *caller) request(method, pathQuery, contentType, body string) *http.Request {
	c.t.Helper()
	req, err := http.NewRequest(method, c.fake.URL+pathQuery, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return req
}

func tokenParams() map[string]string {
	return map[string]string{"app_id": testApp, "secret": testSecret, "grant_type": "client_credential", "version": "1.0.0"}
}

func ticketParams(token string) map[string]string {
	return map[string]string{"app_id": testApp, "access_token": token, "type": "SIGN", "version": "1.0.0"}
}

// token fetches an access token.
func (c *caller) token() string {
	c.t.Helper()
	return text(fields(c.t, c.get(AccessToken.path(), tokenParams()))["access_token"])
}

// refresh fetches a pair; its ticket signs from now on.
func (c *caller) refresh() string {
	c.t.Helper()
	c.ticket = c.ticketFor(c.token())
	return c.ticket
}

func (c *caller) ticketFor(token string) string {
	c.t.Helper()
	list, ok := fields(c.t, c.get(APITicket.path(), ticketParams(token)))["tickets"].([]any)
	if !ok || len(list) != 1 {
		c.t.Fatalf("tickets: %v", list)
	}
	return text(list[0].(map[string]any)["value"])
}

// query is a well-formed query about an order, for a test to spoil.
func (c *caller) query(order, want string) map[string]string {
	c.nonces++
	nonce := fmt.Sprintf("nonce%027d", c.nonces)
	q := map[string]string{"app_id": testApp, "order_no": order, "version": "1.0.0", "nonce": nonce,
		"sign": sign(testApp, order, "1.0.0", nonce, c.ticket)}
	if want != "" {
		q["get_file"] = want
	}
	return q
}

// send sends a query in the caller's dialect.
func (c *caller) send(q map[string]string) (raw, error) {
	c.t.Helper()
	if c.route == Sync {
		v := url.Values{}
		for key, value := range q {
			v.Set(key, value)
		}
		return c.do(c.request(http.MethodGet, Sync.path()+"?"+v.Encode(), "", ""))
	}
	names := map[string]string{"app_id": "appId", "order_no": "orderNo", "get_file": "getFile"}
	body := map[string]string{"queryVersion": "1.0"}
	for key, value := range q {
		if name, ok := names[key]; ok {
			key = name
		}
		body[key] = value
	}
	b, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	return c.do(c.request(http.MethodPost, FaceRecord.path()+"?orderNo="+url.QueryEscape(q["order_no"]), "application/json", string(b)))
}

// code sends a query and gives the reply's code.
func (c *caller) code(q map[string]string) string {
	c.t.Helper()
	r, err := c.send(q)
	if err != nil {
		c.t.Fatal(err)
	}
	return text(fields(c.t, r)["code"])
}

// ask asks about an order.
func (c *caller) ask(order, want string) (raw, error) {
	c.t.Helper()
	return c.send(c.query(order, want))
}

// reply is a parsed reply.
type reply struct {
	code         string
	order, app   string
	photo, video []byte
}

var errNotWhole = errors.New("not a whole reply")

// parse reads a reply as liberally as PROTOCOL section 4 asks.
func parse(r raw) (reply, error) {
	var top map[string]any
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	if err := d.Decode(&top); err != nil {
		return reply{}, errors.Join(errNotWhole, err)
	}
	all := maps.Clone(top)
	if nested, ok := top["result"].(map[string]any); ok {
		maps.Copy(all, nested)
	}
	out := reply{code: text(top["code"]), order: text(all["orderNo"]), app: text(all["app_id"]) + text(all["appId"])}
	var err1, err2 error
	out.photo, err1 = plainBytes(text(all["photo"]))
	out.video, err2 = plainBytes(text(all["video"]))
	return out, errors.Join(err1, err2)
}

func plainBytes(s string) ([]byte, error) {
	if _, after, ok := strings.Cut(s, ";base64,"); ok {
		s = after
	}
	b, err := base64.StdEncoding.Strict().DecodeString(strings.NewReplacer("\r", "", "\n", "").Replace(s))
	if err != nil {
		return nil, errors.Join(errNotWhole, err)
	}
	return b, nil
}

func fields(t *testing.T, r raw) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("status %d, body %.200q: %v", r.status, r.body, err)
	}
	return m
}

// fieldsOrNone is fields of a reply that need not be JSON.
func fieldsOrNone(r raw) map[string]any {
	var m map[string]any
	_ = json.Unmarshal(r.body, &m)
	return m
}

// text gives a string or a number as text, anything else as "".
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}
