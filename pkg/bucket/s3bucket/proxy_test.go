package s3bucket

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// trouble is what a proxy does to one exchange with the real server. next passes the request on.
type trouble func(w http.ResponseWriter, r *http.Request, next http.Handler)

// proxy stands in front of the real server. It keeps the Host that was signed.
type proxy struct {
	*httptest.Server
	conns atomic.Int64

	mu       sync.Mutex
	seen     int
	troubles func(n int, r *http.Request) trouble // of the nth request, from 0; nil is none
}

func startProxy(t *testing.T, server *peertest.S3, troubles func(n int, r *http.Request) trouble) *proxy {
	t.Helper()
	origin, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	next := &httputil.ReverseProxy{
		Rewrite:      func(p *httputil.ProxyRequest) { p.SetURL(origin); p.Out.Host = p.In.Host },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p := &proxy{troubles: troubles}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		f := p.troubles(p.seen, r)
		p.seen++
		p.mu.Unlock()
		if f == nil {
			f = passes
		}
		f(w, r, next)
	}))
	p.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			p.conns.Add(1)
		}
	}
	p.Start()
	t.Cleanup(p.Close)
	return p
}

// through is a bucket's configuration by way of the proxy.
func (p *proxy) through(c Config) Config {
	c.Endpoint = p.URL
	return c
}

func passes(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) }

// refuses answers in the server's stead.
func refuses(status int, code string) trouble {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { refusal(w, status, code, "") }
}

// conflicts answers a put as if another one of the key were under way.
func conflicts(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if r.Method == http.MethodPut {
		next = says(409, codeConflict, "")
	}
	next.ServeHTTP(w, r)
}

// resetsBefore breaks the connection before the server hears of the request.
func resetsBefore(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// losesAnswer lets the server do what was asked, and breaks the connection instead of telling.
func losesAnswer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r)
	resetsBefore(w, r, next)
}

// slow lets an answer come late.
func slow(w http.ResponseWriter, r *http.Request, next http.Handler) {
	time.Sleep(50 * time.Millisecond)
	next.ServeHTTP(w, r)
}

// cutsAnswer breaks the connection in the middle of the answer's body.
func cutsAnswer(w http.ResponseWriter, r *http.Request, next http.Handler) {
	whole := httptest.NewRecorder()
	next.ServeHTTP(whole, r)
	for name, values := range whole.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(whole.Body.Len()))
	w.WriteHeader(whole.Code)
	_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// changesByte lets another byte arrive than was sent.
func changesByte(w http.ResponseWriter, r *http.Request, next http.Handler) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if len(sent) > 0 {
		sent[len(sent)/2] ^= 1
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	next.ServeHTTP(w, r)
}

// firstOf gives the first requests of each call one trouble after the other, and lets the rest pass. A call is told by its
// method, key and bytes, so that each comes right in the end, whatever else goes on.
func firstOf(troubles ...trouble) func(int, *http.Request) trouble {
	met := map[string]int{}
	return func(_ int, r *http.Request) trouble {
		call := r.Method + r.URL.Path + r.Header.Get("X-Amz-Content-Sha256")
		n := met[call]
		if met[call]++; n < len(troubles) {
			return troubles[n]
		}
		return nil
	}
}

// onlyFirst gives trouble to the first request of a method.
func onlyFirst(method string, f trouble) func(int, *http.Request) trouble {
	done := false
	return func(_ int, r *http.Request) trouble {
		if done || r.Method != method {
			return nil
		}
		done = true
		return f
	}
}
