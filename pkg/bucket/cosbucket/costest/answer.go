package costest

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answer is what a call is told.
type answer struct {
	status int // 0: the connection breaks instead
	code   string
	text   string // of a refusal
	header map[string]string
	size   int64
	body   func() (io.ReadCloser, error)
}

func refuse(status int, code, message string) answer {
	return answer{status: status, code: code, text: message}
}

func answerXML(v any) answer {
	data, err := xml.Marshal(v)
	if err != nil {
		panic(err) // of our own types
	}
	return answerText(http.StatusOK, "application/xml", xml.Header+string(data))
}

func answerText(status int, mediaType, text string) answer {
	return answer{
		status: status, header: map[string]string{"Content-Type": mediaType}, size: int64(len(text)),
		body: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}
}

// refusalXML is the body of every error (COS "Error Codes").
type refusalXML struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string
	RequestID string `xml:"RequestId"`
	TraceID   string `xml:"TraceId"`
}

func (s *Server) write(w http.ResponseWriter, q *request, a answer) {
	if a.status == 0 {
		reset(w)
	}
	traceID := base64.StdEncoding.EncodeToString([]byte("trace of " + q.id))
	if a.code != "" {
		refused := answerXML(refusalXML{Code: a.code, Message: a.text, Resource: q.Host + "/" + q.key, RequestID: q.id, TraceID: traceID})
		refused.status = a.status
		a = refused
		w.Header().Set("x-cos-trace-id", traceID)
	}
	h := w.Header()
	for name, value := range a.header {
		h.Set(name, value)
	}
	// COS "Common Response Headers".
	h.Set("Server", "tencent-cos")
	h.Set("x-cos-request-id", q.id)
	h.Set("Date", q.now.UTC().Format(http.TimeFormat))
	if a.status != http.StatusNoContent {
		h.Set("Content-Length", strconv.FormatInt(a.size, 10))
	}
	q.fault.spoil(h)
	w.WriteHeader(a.status)
	if a.body != nil && q.Method != http.MethodHead {
		q.send(w, a)
	}
}

// send writes a body, or the part of it that a fault lets through.
func (q *request) send(w http.ResponseWriter, a answer) {
	r, err := a.body()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = r.Close() }()
	if q.fault.Cut <= 0 {
		_, _ = io.Copy(w, r) // a caller who has gone is no news
		return
	}
	_, _ = io.CopyN(w, r, min(q.fault.Cut, a.size-1))
	_ = http.NewResponseController(w).Flush()
	reset(w)
}

// reset breaks the connection: with an RST where the server lets us have it.
func reset(w http.ResponseWriter) {
	if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
	panic(http.ErrAbortHandler)
}

func requestID(seed uint64, n int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%08x_%06d", uint32(seed), n)) //nolint:gosec // any part of the seed will do
}

func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
