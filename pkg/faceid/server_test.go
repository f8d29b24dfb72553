package faceid

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kycvault/kycvault/pkg/secret"
)

// The secrets that tests plant, and that no error may show. The second holds characters that a URL escapes.
const (
	testTicket = "XO99Qfxlti9iTVgHAjwvJdAZKN3nMuUhrsPdPlPVKlcyS50N6tlLnfuFBPIucaMS"
	testToken  = "ac-toKen_7/zK+wq=53"
	testSecret = "app&SecRet/41+qm=9"
)

// asked is a request as the server saw it.
type asked struct {
	*http.Request
	text string // the body
}

// rawServer answers each connection's one request with raw bytes, and closes. It keeps no rule of HTTP that the bytes
// break.
type rawServer struct {
	url    string
	mu     sync.Mutex
	asked  []asked
	answer func(asked) string
}

func newRawServer(t *testing.T, answer func(asked) string) *rawServer {
	t.Helper()
	s := &rawServer{answer: answer}
	s.url = listen(t, s.serve)
	return s
}

func (s *rawServer) serve(conn net.Conn) {
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	body, _ := io.ReadAll(req.Body)
	a := asked{req, string(body)}
	s.mu.Lock()
	s.asked = append(s.asked, a)
	s.mu.Unlock()
	_, _ = io.WriteString(conn, s.answer(a))
}

// requests gives what was asked so far.
func (s *rawServer) requests() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]asked(nil), s.asked...)
}

// say makes an answer of a status, header lines and a body of that length.
func say(status int, body string, header ...string) func(asked) string {
	return func(asked) string {
		return head(status, append(header, fmt.Sprintf("Content-Length: %d", len(body)))...) + body
	}
}

func head(status int, lines ...string) string {
	lines = append([]string{fmt.Sprintf("HTTP/1.1 %d %s", status, http.StatusText(status)), "Connection: close"}, lines...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

func newTestAPI(t *testing.T, base string, change ...func(*Config)) *API {
	t.Helper()
	c := Config{AppID: testApp, BaseURL: base, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, f := range change {
		f(&c)
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// dialects runs a test in each dialect.
func dialects(t *testing.T, run func(t *testing.T, use func(*Config))) {
	for _, d := range []Dialect{Sync, FaceRecord} {
		t.Run(string(d), func(t *testing.T) { run(t, func(c *Config) { c.Dialect = d }) })
	}
}

func ticketText() secret.Text { return secret.New(testTicket) }

func newHTTPServer(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handle)
	t.Cleanup(s.Close)
	return s
}

// mortalServer answers a number of requests on each connection, reads one more, and dies without an answer.
type mortalServer struct {
	url   string
	conns atomic.Int64
}

func newMortalServer(t *testing.T, perConn int, body string) *mortalServer {
	t.Helper()
	s := new(mortalServer)
	s.url = listen(t, func(conn net.Conn) {
		s.conns.Add(1)
		r := bufio.NewReader(conn)
		for n := 0; ; n++ {
			req, err := http.ReadRequest(r)
			if err != nil || n == perConn {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		}
	})
	return s
}

// listen starts a server on a free port, and gives its base URL. Connections are closed when serve returns.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				serve(conn)
			}()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return "http://" + l.Addr().String()
}
