package aws_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// call is a request to S3 or SQS.
type call struct {
	method string
	url    *url.URL // S3 in path style: /bucket/key
	header http.Header
	size   int64
	status int // of the answer; 0: the connection broke
}

// puts tells whether it writes an object whose key holds a text.
func (c call) puts(part string) bool {
	return c.method == http.MethodPut && strings.Contains(c.url.Path, part)
}

// trouble is what an edge does with a request: nil lets it through.
type trouble func(w http.ResponseWriter, r *http.Request)

// edge stands between one function and a real server: it notes every request, and makes trouble where a test wants it. The host
// header stays as it is, since it is signed.
type edge struct {
	URL   string
	proxy http.Handler

	mu      sync.Mutex
	calls   []call
	trouble func(c call) trouble
}

func newEdge(t *testing.T, target string) *edge {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	e := &edge{}
	e.proxy = &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to); r.Out.Host = r.In.Host },
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0), // a function that dies breaks connections
	}
	server := httptest.NewServer(http.HandlerFunc(e.serve))
	t.Cleanup(server.Close)
	e.URL = server.URL
	return e
}

func (e *edge) serve(w http.ResponseWriter, r *http.Request) {
	c := call{method: r.Method, url: r.URL, header: r.Header.Clone(), size: r.ContentLength}
	noting := &statusWriter{ResponseWriter: w}
	defer func() {
		c.status = noting.status
		e.mu.Lock()
		e.calls = append(e.calls, c)
		e.mu.Unlock()
	}()
	e.mu.Lock()
	makes := e.trouble
	e.mu.Unlock()
	if makes != nil {
		if f := makes(c); f != nil {
			f(noting, r)
			return
		}
	}
	e.proxy.ServeHTTP(noting, r)
}

// make sets what trouble there is from now on.
func (e *edge) make(t func(c call) trouble) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trouble = t
}

func (e *edge) seen() []call {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]call(nil), e.calls...)
}

// statusWriter notes the status that is sent.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// slowDown is S3's answer to too many requests.
func slowDown(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
}

// lose lets a request have its effect, and breaks the connection before the answer.
func (e *edge) lose(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	e.proxy.ServeHTTP(answer, r)
	w.(*statusWriter).status = answer.Code
	panic(http.ErrAbortHandler)
}

// reset breaks the connection without an answer.
func reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
