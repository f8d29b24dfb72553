package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// invokeTimeout bounds one call of Invoke, as WriteTimeout bounds a request of a server.
const invokeTimeout = workTimeout + 5*time.Second

// lineSlack is what net/http allows itself beyond MaxHeaderBytes.
const lineSlack = 4 << 10

// Call is an HTTP request that a serverless platform brings as an event. The platform has read it whole.
type Call struct {
	Method     string
	Path       string // as it was sent, percent-encoded
	RawQuery   string // without the question mark
	Header     map[string][]string
	Body       []byte
	RemoteAddr string
}

// Answer is the answer to a Call, to be put into the form of the platform.
type Answer struct {
	Status int
	Header http.Header // canonical names
	Body   []byte
}

// Invoke lets handler answer a call, with the limits that a server of NewServer has: what net/http refuses before a handler
// sees it is refused here. The answer is always fit to be sent; an error says for the log why it is a 500.
func Invoke(ctx context.Context, handler http.Handler, c Call) (Answer, error) {
	r, refused := c.request()
	if refused != nil {
		return problemAnswer(refused), nil
	}
	ctx, cancel := context.WithTimeout(ctx, invokeTimeout)
	defer cancel()
	w := &recorder{header: http.Header{}}
	if err := w.serve(handler, r.WithContext(ctx)); err != nil {
		return problemAnswer(asRefusal(err)), err
	}
	return w.answer(), nil
}

// BadCall is the answer to an event that holds no request: a 400 with a sentence that is fit for strangers.
func BadCall(detail string) Answer {
	return problemAnswer(&refusal{kind: badRequest, detail: detail})
}

// request makes a server's request of the call.
func (c Call) request() (*http.Request, *refusal) {
	target := c.Path
	if c.RawQuery != "" {
		target += "?" + c.RawQuery
	}
	if c.size(target) > maxHeader+lineSlack {
		return nil, &refusal{kind: badHeader, detail: "The request's line and headers must not be larger than 16 KiB."}
	}
	u, err := url.ParseRequestURI(target)
	if err != nil || !strings.HasPrefix(target, "/") || !isToken(c.Method) {
		return nil, &refusal{kind: badRequest, detail: "The request is malformed."}
	}
	r := &http.Request{
		Method: c.Method, URL: u, RequestURI: target, RemoteAddr: c.RemoteAddr,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header, len(c.Header)),
		Body: io.NopCloser(bytes.NewReader(c.Body)), ContentLength: int64(len(c.Body)),
	}
	for name, values := range c.Header {
		for _, value := range values {
			if !isToken(name) || !isFieldValue(value) {
				return nil, &refusal{kind: badRequest, detail: "The request has a malformed header."}
			}
			r.Header.Add(name, value)
		}
	}
	r.Host = r.Header.Get("Host")
	r.Header.Del("Host")
	return r, nil
}

// size is what line and headers take in an HTTP/1.1 request.
func (c Call) size(target string) int {
	n := len(c.Method) + len(target) + len("  HTTP/1.1\r\n\r\n")
	for name, values := range c.Header {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return n
}

// isToken tells whether s can be a method or a header's name (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	})
}

// isFieldValue tells whether s can be a header's value (RFC 9110, 5.5): nothing that ends a line, no other control characters.
func isFieldValue(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}

// recorder is a ResponseWriter in memory. Answers of a Handler are a few kilobytes.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter; of several calls the first counts.
func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// serve makes an error of a panic: one request can not stop the process.
func (w *recorder) serve(handler http.Handler, r *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("answer request: %w", panicError(p))
		}
	}()
	handler.ServeHTTP(w, r)
	if w.status < http.StatusOK {
		return errors.New("answer request: the handler gave no answer")
	}
	return nil
}

func (w *recorder) answer() Answer {
	return Answer{Status: w.status, Header: w.header, Body: w.body.Bytes()}
}

// problemAnswer writes a refusal as the edge does.
func problemAnswer(ref *refusal) Answer {
	w := &recorder{header: http.Header{}}
	rep := ref.reply()
	body, _ := rep.encode() // a problem is four plain fields
	write(w, &http.Request{}, rep, body)
	return w.answer()
}
