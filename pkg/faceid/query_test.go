package faceid

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

const zeroReply = `{"code":"0","msg":" ok ","result":{"photo":"QUJD","occurredTime":"20180810150152","liveRate":"99"}}`

func TestQueryRequest(t *testing.T) {
	for want, getFile := range map[kyc.Media]string{0: "", kyc.Photo: "2", kyc.Video: "3", kyc.Photo | kyc.Video: "1"} {
		s := newRawServer(t, say(200, zeroReply))
		random := func(c *Config) { c.Rand = bytes.NewReader(make([]byte, 40)) }
		record := func(c *Config) { c.Dialect = FaceRecord }
		for _, a := range []*API{newTestAPI(t, s.url, random), newTestAPI(t, s.url+"/", random, record)} {
			if _, err := a.Query(t.Context(), ticketText(), testOrder, want, nil); err != nil {
				t.Fatal(err)
			}
		}
		nonce := strings.Repeat("A", 32)
		sign := Sign(testApp, testOrder, "1.0.0", testTicket, nonce)
		get, post := s.requests()[0], s.requests()[1]

		values := get.URL.Query()
		wantValues := map[string][]string{"app_id": {testApp}, "nonce": {nonce}, "order_no": {testOrder}, "version": {"1.0.0"}, "sign": {sign}}
		wantBody := map[string]string{"appId": testApp, "nonce": nonce, "orderNo": testOrder, "version": "1.0.0", "sign": sign, "queryVersion": "1.0"}
		if getFile != "" {
			wantValues["get_file"] = []string{getFile}
			wantBody["getFile"] = getFile
		}
		if get.Method != "GET" || get.URL.Path != "/api/server/sync" {
			t.Errorf("sync asks %s %s", get.Method, get.URL.Path)
		}
		if diff := cmp.Diff(wantValues, map[string][]string(values)); diff != "" {
			t.Errorf("sync values (-want +got):\n%s", diff)
		}
		var body map[string]string
		if err := json.Unmarshal([]byte(post.text), &body); err != nil {
			t.Fatal(err)
		}
		if post.Method != "POST" || post.URL.String() != "/api/v2/base/queryfacerecord?orderNo="+testOrder || post.Header.Get("Content-Type") != "application/json" {
			t.Errorf("facerecord asks %s %s as %s", post.Method, post.URL, post.Header.Get("Content-Type"))
		}
		if diff := cmp.Diff(wantBody, body); diff != "" {
			t.Errorf("facerecord body (-want +got):\n%s", diff)
		}
		if get.Header.Get("Accept-Encoding") != "identity" || post.Header.Get("Accept-Encoding") != "identity" {
			t.Error("the reply may come compressed")
		}
	}
}

// TestQuirks sends every quirk of the bodies over HTTP, to both dialects.
func TestQuirks(t *testing.T) {
	dialects(t, func(t *testing.T, use func(*Config)) {
		bodies := make(chan string, 1)
		s := newRawServer(t, func(a asked) string { return say(200, <-bodies)(a) })
		api := newTestAPI(t, s.url, use)
		for _, c := range accepted {
			bodies <- c.body
			media := collected{}
			got, err := api.Query(t.Context(), ticketText(), testOrder, kyc.Photo|kyc.Video, media.sink)
			if c.want.Alien {
				if !errors.Is(err, kyc.ErrForeign) || kyc.ClassOf(err) != kyc.Transient {
					t.Errorf("%s: error is %v, want ErrForeign", c.name, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			want := kyc.Reply{Code: c.want.Code, Class: ClassOf(c.want.Code), Msg: strings.TrimSpace(c.want.Msg), Result: c.want.Fields}
			want.Occurred, _ = c.want.Fields["occurredTime"].(string)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
			if c.want.Media != nil {
				if diff := cmp.Diff(c.want.Media, media.texts()); diff != "" {
					t.Errorf("%s: media (-want +got):\n%s", c.name, diff)
				}
			}
		}
		for _, c := range refused {
			bodies <- c.body
			_, err := api.Query(t.Context(), ticketText(), testOrder, kyc.Photo, nil)
			wantClass(t, c.name, err, kyc.Transient)
		}
	})
}

func wantClass(t *testing.T, name string, err error, want kyc.Class) {
	t.Helper()
	ue, ok := errors.AsType[*kyc.UpstreamError](err)
	if !ok || ue.Class != want {
		t.Errorf("%s: error is %v, want class %s", name, err, want)
	}
}

func zipped(body string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, body)
	_ = w.Close()
	return b.String()
}

func chunked(body string, sizes ...int) string {
	var out strings.Builder
	for _, n := range append(sizes, len(body)) {
		n = min(n, len(body))
		if n > 0 {
			fmt.Fprintf(&out, "%x\r\n%s\r\n", n, body[:n])
		}
		body = body[n:]
	}
	return out.String() + "0\r\n\r\n"
}

// TestFraming is about how a good body may come, and about how it may break off although its JSON looks whole.
func TestFraming(t *testing.T) {
	gz := zipped(zeroReply)
	sum := []byte(gz)
	sum[len(sum)-6] ^= 1
	length := func(n int) string { return fmt.Sprintf("Content-Length: %d", n) }
	for _, c := range []struct {
		name, answer string
		good         bool
	}{
		{"content length", head(200, length(len(zeroReply))) + zeroReply, true},
		{"neither length nor chunks", head(200) + zeroReply, true},
		{"chunks", head(200, "Transfer-Encoding: chunked") + chunked(zeroReply, 1, 7, 20), true},
		{"gzip", head(200, "Content-Encoding: gzip", length(len(gz))) + gz, true},
		{"x-gzip without length", head(200, "Content-Encoding: X-GZip") + gz, true},
		{"gzip in chunks", head(200, "Content-Encoding: gzip", "Transfer-Encoding: chunked") + chunked(gz, 5, 1), true},
		{"gzip in two members", head(200, "Content-Encoding: gzip") + zipped(zeroReply[:20]) + zipped(zeroReply[20:]), true},
		{"identity", head(200, "Content-Encoding: identity", length(len(zeroReply))) + zeroReply, true},
		{"status 201", head(201, length(len(zeroReply))) + zeroReply, true},
		{"promised more", head(200, length(len(zeroReply)+1)) + zeroReply, false},
		{"promised less", head(200, length(len(zeroReply)-1)) + zeroReply, false},
		{"no last chunk", head(200, "Transfer-Encoding: chunked") + strings.TrimSuffix(chunked(zeroReply), "0\r\n\r\n"), false},
		{"gzip with a wrong checksum", head(200, "Content-Encoding: gzip", length(len(gz))) + string(sum), false},
		{"gzip without its end", head(200, "Content-Encoding: gzip") + gz[:len(gz)-1], false},
		{"gzip with a tail", head(200, "Content-Encoding: gzip") + gz + "x", false},
		{"gzip that is none", head(200, "Content-Encoding: gzip") + zeroReply, false},
		{"gzip of nothing", head(200, "Content-Encoding: gzip"), false},
		{"gzip not named", head(200, length(len(gz))) + gz, false},
		{"brotli", head(200, "Content-Encoding: br") + zeroReply, false},
		{"no content", head(204), false},
		{"a part", head(206, length(len(zeroReply))) + zeroReply, false},
		{"no answer", "", false},
		{"no HTTP", zeroReply, false},
		{"nothing with a 200", head(200, "Content-Length: 0"), false},
		{"a page with a 200", head(200, "Content-Type: text/html") + "<html>", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dialects(t, func(t *testing.T, use func(*Config)) {
				s := newRawServer(t, func(asked) string { return c.answer })
				media := collected{}
				got, err := newTestAPI(t, s.url, use).Query(t.Context(), ticketText(), testOrder, kyc.Photo, media.sink)
				if !c.good {
					wantClass(t, c.name, err, kyc.Transient)
					return
				}
				if err != nil || got.Code != "0" || got.Occurred != "20180810150152" || got.Msg != "ok" {
					t.Errorf("%+v, %v", got, err)
				}
				if diff := cmp.Diff(map[archive.Kind][]string{"photo": {"ABC"}}, media.texts()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestTornOnTheWire cuts a reply at every byte, with each kind of framing.
func TestTornOnTheWire(t *testing.T) {
	gz := zipped(zeroReply)
	for _, c := range []struct{ name, head, body string }{
		{"closed", head(200), zeroReply},
		{"length", head(200, fmt.Sprintf("Content-Length: %d", len(zeroReply))), zeroReply},
		{"chunks", head(200, "Transfer-Encoding: chunked"), chunked(zeroReply, 30)},
		{"gzip", head(200, "Content-Encoding: gzip"), gz},
	} {
		t.Run(c.name, func(t *testing.T) {
			cuts := make(chan int, 1)
			s := newRawServer(t, func(asked) string { return c.head + c.body[:<-cuts] })
			api := newTestAPI(t, s.url)
			for at := range len(c.body) {
				if c.name == "chunks" && at >= len(c.body)-len("\r\n") {
					continue // the last chunk was announced: net/http asks for no more than that
				}
				cuts <- at
				_, err := api.Query(t.Context(), ticketText(), testOrder, kyc.Photo, nil)
				wantClass(t, fmt.Sprintf("cut at %d", at), err, kyc.Transient)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	bomb := `{"code":"0","x":"` + strings.Repeat("x", 1<<20) + `"}`
	fits := `{"code":"0","x":"` + strings.Repeat("x", 64<<10-19) + `"}`
	if len(fits) != 64<<10 {
		t.Fatal(len(fits))
	}
	for _, c := range []struct {
		name, answer string
		good         bool
	}{
		{"just fits", head(200) + fits, true},
		{"just fits, zipped", head(200, "Content-Encoding: gzip") + zipped(fits), true},
		{"a byte more", head(200) + fits + " ", false},
		{"announced", head(200, fmt.Sprintf("Content-Length: %d", len(bomb))) + bomb, false},
		{"not announced", head(200) + bomb, false},
		{"a bomb", head(200, "Content-Encoding: gzip") + zipped(bomb), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newRawServer(t, func(asked) string { return c.answer })
			_, err := newTestAPI(t, s.url, func(c *Config) { c.Limits.Body = 64 << 10 }).Query(t.Context(), ticketText(), testOrder, kyc.Photo, nil)
			switch {
			case c.good && err != nil:
				t.Error(err)
			case !c.good && !errors.Is(err, errTooLarge):
				t.Errorf("error is %v", err)
			}
		})
	}
}

// TestStatus is about replies that are no success: whatever they say, there is neither a verdict nor evidence.
func TestStatus(t *testing.T) {
	with := func(code string) string { return `{"code":"` + code + `","msg":"m","result":{"photo":"QUJD"}}` }
	for _, c := range []struct {
		status int
		body   string
		want   kyc.Class
		code   string
	}{
		{400, with("0"), kyc.Transient, "0"},
		{500, with("66660004"), kyc.Transient, "66660004"},
		{500, with("66660011"), kyc.Transient, "66660011"},
		{400, with("400101"), kyc.Ticket, "400101"},
		{401, with("400102"), kyc.Ticket, "400102"},
		{403, with("400103"), kyc.Config, "400103"},
		{500, with("400501"), kyc.Busy, "400501"},
		{500, with("999999"), kyc.Transient, "999999"},
		{429, "slow down", kyc.Busy, ""},
		{429, with("0"), kyc.Busy, "0"},
		{401, "who are you", kyc.Config, ""},
		{403, "<html>", kyc.Config, ""},
		{403, with("0"), kyc.Transient, "0"},
		{403, with("0") + "x", kyc.Config, ""},
		{404, "", kyc.Transient, ""},
		{500, "", kyc.Transient, ""},
		{502, "<html>", kyc.Transient, ""},
		{503, with("0")[:20], kyc.Transient, ""},
		{500, `{"code":"400101","x":"` + strings.Repeat("x", maxErrorBody) + `"}`, kyc.Transient, ""},
	} {
		t.Run(fmt.Sprint(c.status, " ", c.want), func(t *testing.T) {
			dialects(t, func(t *testing.T, use func(*Config)) {
				s := newRawServer(t, say(c.status, c.body))
				media := collected{}
				got, err := newTestAPI(t, s.url, use).Query(t.Context(), ticketText(), testOrder, kyc.Photo, media.sink)
				wantClass(t, "status", err, c.want)
				if got.Code != "" || got.Result != nil || len(media) != 0 {
					t.Errorf("there is a reply %+v, media %v", got, media)
				}
				if ue, ok := errors.AsType[*kyc.UpstreamError](err); !ok || ue.Code != c.code {
					t.Errorf("error is %#v, want code %q", err, c.code)
				}
			})
		})
	}
}

func TestRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303, 304, 307, 308} {
		dialects(t, func(t *testing.T, use func(*Config)) {
			other := newRawServer(t, say(200, zeroReply))
			s := newRawServer(t, func(a asked) string {
				return say(status, zeroReply, "Location: "+other.url+a.URL.String())(a)
			})
			_, err := newTestAPI(t, s.url, use).Query(t.Context(), ticketText(), testOrder, kyc.Photo, nil)
			wantClass(t, fmt.Sprint(status), err, kyc.Config)
			if !errors.Is(err, errRedirect) {
				t.Errorf("%d: error is %v", status, err)
			}
			if len(other.requests()) != 0 {
				t.Errorf("%d was followed", status)
			}
		})
	}
}

func TestReplyDate(t *testing.T) {
	for line, want := range map[string]time.Time{
		"Date: Mon, 23 Nov 2026 18:00:01 GMT": time.Date(2026, 11, 23, 18, 0, 1, 0, time.UTC),
		"Date: yesterday":                     {},
		"X: y":                                {},
	} {
		s := newRawServer(t, say(200, zeroReply, line))
		got, err := newTestAPI(t, s.url).Query(t.Context(), ticketText(), testOrder, 0, nil)
		if err != nil || !got.Date.Equal(want) {
			t.Errorf("%s: %v, %v", line, got.Date, err)
		}
	}
}

// TestKeepAlive makes sure that our own transport uses a connection again after a reply, and that one which dies just when
// it is used again is no error in either dialect: the query is made once more, with a nonce of its own.
func TestKeepAlive(t *testing.T) {
	dialects(t, func(t *testing.T, use func(*Config)) {
		const perConn = 3
		s := newMortalServer(t, perConn, zeroReply)
		api := newTestAPI(t, s.url, use, func(c *Config) { c.Transport = nil })
		for range 2 * perConn {
			if _, err := api.Query(t.Context(), ticketText(), testOrder, 0, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.conns.Load(); n != 2 {
			t.Errorf("%d connections, want 2", n)
		}
	})
}

func TestSinkErrorOverHTTP(t *testing.T) {
	full := errors.New("disk is full")
	s := newRawServer(t, say(200, zeroReply))
	_, err := newTestAPI(t, s.url).Query(t.Context(), ticketText(), testOrder, kyc.Photo, func(archive.Kind) (io.Writer, error) { return brokenWriter{full}, nil })
	if _, ok := errors.AsType[*kyc.UpstreamError](err); ok || !errors.Is(err, full) {
		t.Errorf("error is %v", err)
	}
	if _, ok := errors.AsType[*SinkError](err); !ok {
		t.Errorf("error is %v", err)
	}
}

func TestNew(t *testing.T) {
	good := Config{AppID: testApp, BaseURL: "https://kyc1.qcloud.com"}
	a, err := New(good)
	if err != nil || a.Host() != "kyc1.qcloud.com" || a.dialect != Sync {
		t.Fatalf("%+v, %v", a, err)
	}
	for name, change := range map[string]func(*Config){
		"no app id":    func(c *Config) { c.AppID = "" },
		"no base":      func(c *Config) { c.BaseURL = "" },
		"no scheme":    func(c *Config) { c.BaseURL = "kyc1.qcloud.com" },
		"other scheme": func(c *Config) { c.BaseURL = "ftp://kyc1.qcloud.com" },
		"path":         func(c *Config) { c.BaseURL += "/api" },
		"query":        func(c *Config) { c.BaseURL += "?a=b" },
		"fragment":     func(c *Config) { c.BaseURL += "#a" },
		"password":     func(c *Config) { c.BaseURL = "https://me:hunter2@kyc1.qcloud.com" },
		"no URL":       func(c *Config) { c.BaseURL = "https://me:hunter2@kyc1.qcloud.com:port" },
		"dialect":      func(c *Config) { c.Dialect = "soap" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestNoRandomness(t *testing.T) {
	s := newRawServer(t, say(200, zeroReply))
	_, err := newTestAPI(t, s.url, func(c *Config) { c.Rand = strings.NewReader("") }).Query(t.Context(), ticketText(), testOrder, 0, nil)
	if err == nil || len(s.requests()) != 0 {
		t.Errorf("asked without a nonce: %v", err)
	}
}
