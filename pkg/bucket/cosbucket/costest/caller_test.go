package costest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// caller signs by hand, as COS "Request Signature" says it step by step, so that the server's own calculation is not what it is
// compared with; TestDocumentedSignature compares with the document's numbers.
type caller struct {
	t     *testing.T
	s     *Running
	key   Key
	now   time.Time
	spoil func(*http.Request) // after signing
}

func newCaller(t *testing.T, c Config) *caller {
	t.Helper()
	return &caller{t: t, s: Start(t, c), key: DefaultKey, now: time.Now()}
}

// reply is an answer that was read.
type reply struct {
	status int
	code   string
	header http.Header
	body   string
}

func (c *caller) do(method, target, body string, headers ...string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.s.URL+target, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	if c.key.Token != "" {
		req.Header.Set("x-cos-security-token", c.key.Token)
	}
	req.Header.Set("Authorization", authorization(req, c.key, c.now.Add(-time.Minute), c.now.Add(time.Hour)))
	if c.spoil != nil {
		c.spoil(req)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{body: err.Error()}
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{status: res.StatusCode, header: res.Header, body: err.Error()}
	}
	r := reply{status: res.StatusCode, header: res.Header, body: string(data)}
	_, rest, _ := strings.Cut(r.body, "<Code>")
	r.code, _, _ = strings.Cut(rest, "</Code>")
	return r
}

func (c *caller) want(r reply, status int, code string) {
	c.t.Helper()
	if r.status != status || r.code != code {
		c.t.Errorf("answered %d %q (%.200s), want %d %q", r.status, r.code, r.body, status, code)
	}
}

func authorization(req *http.Request, key Key, from, until time.Time) string {
	keyTime := fmt.Sprintf("%d;%d", from.Unix(), until.Unix())
	headers := map[string]string{"host": req.Host}
	for name := range req.Header {
		headers[strings.ToLower(name)] = req.Header.Get(name)
	}
	parameters := map[string]string{}
	for name, values := range req.URL.Query() {
		parameters[strings.ToLower(name)] = values[0]
	}
	headerList, headerText := listed(headers)
	parameterList, parameterText := listed(parameters)
	text := strings.ToLower(req.Method) + "\n" + req.URL.Path + "\n" + parameterText + "\n" + headerText + "\n"
	digest := sha1.Sum([]byte(text))
	signKey := mac(key.SecretKey, keyTime)
	signature := mac(signKey, "sha1\n"+keyTime+"\n"+hex.EncodeToString(digest[:])+"\n")
	return "q-sign-algorithm=sha1&q-ak=" + key.SecretID + "&q-sign-time=" + keyTime + "&q-key-time=" + keyTime +
		"&q-header-list=" + headerList + "&q-url-param-list=" + parameterList + "&q-signature=" + signature
}

func listed(values map[string]string) (list, text string) {
	var names, pairs []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		pairs = append(pairs, name+"="+strings.ReplaceAll(url.QueryEscape(values[name]), "+", "%20"))
	}
	return strings.Join(names, ";"), strings.Join(pairs, "&")
}

func mac(key, text string) string {
	h := hmac.New(sha1.New, []byte(key))
	_, _ = h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}
