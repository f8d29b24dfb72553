package webhook

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// endpoint answers one kind of request. What it learns for the log goes to note; an error becomes a problem document.
type endpoint func(r *http.Request, note *note) (reply, error)

// reply is an answer before it is written. Endpoints return it, the edge writes it: nothing half-written leaves when one fails.
type reply struct {
	status    int
	mediaType string // "" is application/json
	header    map[string]string
	body      any // a JSON document; nil: none
}

// note is what the log line says about a request besides method, route and status.
type note struct {
	order archive.Order // only ever a valid one
	by    string        // what proved it, when something did
	err   error         // why it was refused, or failed although the answer does not say so
}

// edge makes an http.Handler of an endpoint: it limits the body, answers, and writes the request's one log line.
func (h *Handler) edge(route string, e endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := h.now()
		if r.Body == nil { // a platform may build requests without one
			r.Body = http.NoBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		note := &note{}
		rep, body, err := run(e, r, note)
		if err != nil {
			note.err = err
			rep = asRefusal(err).reply()
			body, _ = rep.encode() // a problem is four plain fields
		}
		write(w, r, rep, body)
		h.logRequest(r, route, rep.status, h.now().Sub(start), note)
	})
}

// run gives an endpoint's answer and its body's bytes.
func run(e endpoint, r *http.Request, note *note) (reply, []byte, error) {
	rep, err := guard(func() (reply, error) { return e(r, note) })
	if err != nil {
		return reply{}, nil, err
	}
	body, err := rep.encode()
	return rep, body, err
}

// guard makes an error of a panic.
func guard(work func() (reply, error)) (rep reply, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError(p)
		}
	}()
	return work()
}

// encode gives the body's bytes, none where there is no body.
func (rep reply) encode() ([]byte, error) {
	if rep.body == nil {
		return nil, nil
	}
	b, err := json.Marshal(rep.body)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return b, nil
}

// panicError tells where it happened. What was thrown may hold anything, so only the runtime's own errors are repeated.
func panicError(p any) error {
	what := fmt.Sprintf("%T", p)
	if e, ok := p.(runtime.Error); ok {
		what = e.Error()
	}
	return fmt.Errorf("panic: %s\n%s", what, debug.Stack())
}

// write sends a reply with the headers that every answer has.
func write(w http.ResponseWriter, r *http.Request, rep reply, body []byte) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Referrer-Policy", "no-referrer") // the redirect's own URL holds its proof
	header.Set("Strict-Transport-Security", "max-age=31536000")
	for name, value := range rep.header {
		header.Set(name, value)
	}
	if len(body) > 0 {
		header.Set("Content-Type", cmp.Or(rep.mediaType, "application/json"))
		header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(rep.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away is not our concern
	}
}

// logRequest writes the one line of a request. It never has the URL: queries hold tokens and signs.
func (h *Handler) logRequest(r *http.Request, route string, status int, took time.Duration, note *note) {
	attrs := []slog.Attr{
		slog.String("method", knownMethod(r.Method)),
		slog.String("route", route),
		slog.Int("status", status),
		slog.Duration("took", took),
	}
	if note.order != "" {
		attrs = append(attrs, slog.String("order", string(note.order)))
	}
	if note.by != "" {
		attrs = append(attrs, slog.String("by", note.by))
	}
	if note.err != nil {
		ref := asRefusal(note.err)
		attrs = append(attrs, slog.String("kind", string(ref.kind)))
		if ref.cause != nil {
			attrs = append(attrs, slog.String("cause", ref.cause.Error()))
		}
	}
	h.log.LogAttrs(r.Context(), level(route, note), "request", attrs...)
}

// level keeps the log readable: what is ours to mend stands out, health checks do not drown the rest.
func level(route string, note *note) slog.Level {
	switch {
	case note.err != nil && statuses[asRefusal(note.err).kind] >= http.StatusInternalServerError:
		return slog.LevelError
	case route == routeHealth:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// knownMethod keeps a stranger's invented method out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "other"
}
