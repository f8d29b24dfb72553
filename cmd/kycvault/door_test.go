package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// The tests in this file are a stranger at the door of the real process. Whatever is refused leaves no trace in the archive,
// and the answer tells nothing.

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send makes the request of a knock.
func (s *serving) send(t *testing.T, k knock) answer {
	t.Helper()
	body := k.body
	if body == "" && k.method == "" {
		body = `{"orderNo":"ok1"}`
	}
	r, err := http.NewRequestWithContext(t.Context(), cmp.Or(k.method, "POST"), s.url+cmp.Or(k.path, "/v1/completions"), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token := strings.TrimSpace(cmp.Or(k.token, hs256(t, nil))); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range k.header {
		r.Header.Set(name, value)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, got}
}

// tree lists everything in the folder with its size.
func (v *vault) tree() []string {
	v.t.Helper()
	var all []string
	err := filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			all = append(all, fmt.Sprintf("%s %d %s", path, info.Size(), info.ModTime().Format(time.RFC3339Nano)))
		}
		return err
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return all
}

// atRest starts serve and waits until its first pass is over; the next one is far away.
func (v *vault) atRest(extra ...string) *serving {
	v.t.Helper()
	s := v.serve(append(extra, "KYC_REFETCH_EVERY=1h")...)
	select {
	case <-s.pass:
	case <-s.done:
		v.t.Fatalf("serve ended:\n%s", s.logs)
	case <-time.After(30 * time.Second):
		v.t.Fatal("no pass")
	}
	if len(keysBelow(v.t, v.archive().Bucket(), "system/ticket/")) == 0 {
		v.t.Fatal("no ticket")
	}
	return s
}

// TestDoor sends what strangers send. Nothing of it leaves a trace in the archive; a good request at the end does.
func TestDoor(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	s := v.atRest()
	before := v.tree()
	knocks := append(tokenKnocks(t), bodyKnocks()...)
	knocks = append(knocks, pathKnocks()...)
	knocks = append(knocks, redirectKnocks(t, v)...)
	for _, k := range knocks {
		t.Run(k.name, func(t *testing.T) {
			got := s.send(t, k)
			if got.status != k.want {
				t.Fatalf("status %d, want %d: %s", got.status, k.want, got.body)
			}
			checkRefusal(t, k, got)
			if diff := gocmp.Diff(before, v.tree()); diff != "" {
				t.Errorf("a trace is in the archive (-before +after):\n%s", diff)
			}
		})
	}
	if n := s.post(t, "ok1"); n != http.StatusAccepted {
		t.Errorf("a good completion: status %d", n)
	}
	if gocmp.Equal(before, v.tree()) {
		t.Error("a good completion left no trace: this test sees nothing")
	}
	v.wait([]string{"ok1"})
	s.kill()
	for _, planted := range []string{testSecret, testKey, hs256(t, nil)[:40], "newSignature", "/system/", "订"} {
		if strings.Contains(s.logs.String(), planted) {
			t.Errorf("the log has %q", planted)
		}
	}
}

// checkRefusal: a problem document, with the headers of a careful API, that repeats nothing of the request.
func checkRefusal(t *testing.T, k knock, a answer) {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Access-Control-Allow-Origin": ""} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if (a.status == http.StatusUnauthorized) != (a.header.Get("WWW-Authenticate") != "") {
		t.Error("WWW-Authenticate belongs to 401, and to nothing else")
	}
	if k.method == http.MethodHead {
		return
	}
	var problem struct {
		Title  string
		Status int
	}
	if err := json.Unmarshal(a.body, &problem); err != nil || problem.Status != k.want || problem.Title == "" {
		t.Errorf("not a problem document: %s", a.body)
	}
	for _, told := range []string{"ok1", "ok2", "other1", testKey, tokenPart(k.token)} {
		if told != "" && bytes.Contains(a.body, []byte(told)) {
			t.Errorf("the answer repeats %q: %s", told, a.body)
		}
	}
}

// tokenPart is a piece of a token that nothing else has.
func tokenPart(token string) string {
	if len(token) < 80 {
		return ""
	}
	return token[40:80]
}

// TestDoorRaw sends what no HTTP client would.
func TestDoorRaw(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	s := v.atRest()
	before := v.tree()
	auth := "Authorization: Bearer " + hs256(t, nil) + "\r\n"
	const body = `{"orderNo":"ok1"}`
	post := func(line, headers string) string {
		return line + "\r\nContent-Type: application/json\r\n" + auth + headers + "\r\n" + body
	}
	for name, test := range map[string]struct {
		send string
		want string // what the answer's first line has, "" is no answer
	}{
		"no HTTP":               {"hello\r\n\r\n", "400"},
		"no host":               {post("POST /v1/completions HTTP/1.1", "Content-Length: 17\r\n"), "400"},
		"two lengths":           {post("POST /v1/completions HTTP/1.1", "Host: a\r\nContent-Length: 17\r\nContent-Length: 18\r\n"), "400"},
		"a length of letters":   {post("POST /v1/completions HTTP/1.1", "Host: a\r\nContent-Length: ten\r\n"), "400"},
		"a negative length":     {post("POST /v1/completions HTTP/1.1", "Host: a\r\nContent-Length: -1\r\n"), "400"},
		"unknown encoding":      {post("POST /v1/completions HTTP/1.1", "Host: a\r\nTransfer-Encoding: rot13\r\n"), "501"},
		"a broken chunk":        {post("POST /v1/completions HTTP/1.1", "Host: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"), "400"},
		"no length, HTTP/1.0":   {post("POST /v1/completions HTTP/1.0", ""), "400"},
		"an unclean path":       {post("POST /v1/x/../completions HTTP/1.0", "Content-Length: 17\r\n"), "404"},
		"a whole URL elsewhere": {post("POST http://elsewhere/v1/../v1/completions HTTP/1.0", "Content-Length: 17\r\n"), "404"},
		"CONNECT":               {"CONNECT elsewhere:443 HTTP/1.1\r\nHost: elsewhere:443\r\nConnection: close\r\n\r\n", "404"},
		"OPTIONS *":             {"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "404"},
		"30 KiB of headers":     {post("POST /v1/completions HTTP/1.1", "Host: a\r\nX: "+strings.Repeat("x", 30<<10)+"\r\n"), "431"},
		"headers without end":   {"POST /v1/completions HTTP/1.1\r\nHost: a\r\nX: ", ""},
		"a body without end":    {post("POST /v1/completions HTTP/1.1", "Host: a\r\nContent-Length: 18\r\n"), "400"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := s.raw(t, test.send); !strings.Contains(got, test.want) || (test.want == "") != (got == "") {
				t.Errorf("answer %q, want %q", got, test.want)
			}
		})
	}
	t.Cleanup(func() {
		if diff := gocmp.Diff(before, v.tree()); diff != "" {
			t.Errorf("a trace is in the archive (-before +after):\n%s", diff)
		}
	})
}

// slowest is more than the server lets a caller take for headers and body.
const slowest = 15 * time.Second

// raw sends bytes, keeps the connection open, and gives the first line of the answer, "" when it was closed without one.
func (s *serving) raw(t *testing.T, send string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.SetDeadline(time.Now().Add(slowest)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, send); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if late, ok := errors.AsType[net.Error](err); ok && late.Timeout() && len(answer) == 0 {
		t.Fatalf("still open after %s", slowest)
	}
	line, _, _ := strings.Cut(string(answer), "\r\n")
	return line
}

// TestDoorOpens: what must be let in, in the ways that strict servers get wrong.
func TestDoorOpens(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	s := v.atRest("KYC_WEBHOOK_ORIGINS=https://www.example.com", "KYC_WEBHOOK_REDIRECT=https://www.example.com/done?from=kyc")
	token, err := webhook.MintToken(secret.New(testKey), webhook.JWT, archive.Order("okc"), time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	body := `{"orderNo":"okc"}`
	line := s.raw(t, "POST /v1/completions HTTP/1.0\r\nContent-Type: application/json\r\nAuthorization: Bearer "+token+
		fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n", len(body))+body)
	if !strings.Contains(line, "202") {
		t.Errorf("HTTP/1.0: %q", line)
	}
	page := map[string]string{"Origin": "https://www.example.com", "Access-Control-Request-Method": "POST"}
	res := s.send(t, knock{method: "OPTIONS", token: " ", header: page})
	if got := res.header.Get("Access-Control-Allow-Origin"); res.status != 204 || got != "https://www.example.com" {
		t.Errorf("preflight: status %d, origin %q", res.status, got)
	}
	page["Origin"] = "https://www.example.com.evil.test"
	if res = s.send(t, knock{method: "OPTIONS", token: " ", header: page}); res.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("preflight of a strange page is answered")
	}
	before := v.tree()
	forged := "/v1/completions?orderNo=okd&code=0&newSignature=" + strings.Repeat("0", 40)
	res = s.send(t, knock{method: "GET", path: forged, token: " "})
	if got := res.header.Get("Location"); res.status != 303 || got != "https://www.example.com/done?from=kyc&code=0&orderNo=okd" {
		t.Errorf("a forged redirect: status %d to %q", res.status, got)
	}
	if diff := gocmp.Diff(before, v.tree()); diff != "" && strings.Contains(diff, "okd") {
		t.Errorf("a forged redirect left a trace:\n%s", diff)
	}
	q, err := v.sim.RedirectQueryPC("oke", "0")
	if err != nil {
		t.Fatal(err)
	}
	if res = s.send(t, knock{method: "GET", path: "/v1/completions?" + q.Encode(), token: " "}); res.status != 303 {
		t.Errorf("a real redirect: status %d", res.status)
	}
	v.wait([]string{"okc", "oke"})
}
