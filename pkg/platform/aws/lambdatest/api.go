package lambdatest

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// maxResponse is what a synchronous invocation may answer ("Lambda quotas").
const maxResponse = 6 << 20

// event is an event under way.
type event struct {
	id       string
	payload  []byte
	deadline time.Time
	answer   chan outcome  // the response or the error that the function posts
	idle     chan struct{} // closed when the function asks for the next event
	outcome  outcome
}

type outcome struct {
	response []byte
	failed   *Error
}

func newEvent(payload []byte, deadline time.Time) *event {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // it never fails (crypto/rand)
	return &event{
		id:      fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:]),
		payload: payload, deadline: deadline, answer: make(chan outcome, 1), idle: make(chan struct{}),
	}
}

// api is the runtime API of one process.
type api struct {
	mux       *http.ServeMux
	ready     chan struct{} // closed when the first event is asked for
	readyAt   time.Time
	initError chan *Error
	events    chan *event

	mu      sync.Mutex
	first   bool
	current *event
}

func newAPI() *api {
	a := &api{mux: http.NewServeMux(), ready: make(chan struct{}), initError: make(chan *Error, 1), events: make(chan *event, 1), first: true}
	const runtime = "/2018-06-01/runtime/"
	a.mux.HandleFunc("GET "+runtime+"invocation/next", a.next)
	a.mux.HandleFunc("POST "+runtime+"invocation/{id}/response", a.response)
	a.mux.HandleFunc("POST "+runtime+"invocation/{id}/error", a.failure)
	a.mux.HandleFunc("POST "+runtime+"init/error", a.initFailed)
	return a
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// post makes e the next event.
func (a *api) post(e *event) { a.events <- e }

// next ends the event before, and waits for the one that follows.
func (a *api) next(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	if a.first {
		a.first, a.readyAt = false, time.Now()
		close(a.ready)
	}
	if a.current != nil {
		close(a.current.idle)
		a.current = nil
	}
	a.mu.Unlock()
	var e *event
	select {
	case e = <-a.events:
	case <-r.Context().Done():
		return
	}
	a.mu.Lock()
	a.current = e
	a.mu.Unlock()
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Lambda-Runtime-Aws-Request-Id", e.id)
	header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(e.deadline.UnixMilli(), 10))
	header.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:function")
	header.Set("Lambda-Runtime-Trace-Id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0")
	_, _ = w.Write(e.payload)
}

func (a *api) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse+1))
	o := outcome{response: body}
	if len(body) > maxResponse {
		o = outcome{failed: &Error{"Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes)."}}
	}
	if err == nil {
		a.finish(w, r.PathValue("id"), o)
	}
}

func (a *api) failure(w http.ResponseWriter, r *http.Request) {
	if failed := readError(r); failed != nil {
		a.finish(w, r.PathValue("id"), outcome{failed: failed})
	}
}

// finish takes the answer to the event under way; there is one answer to an event.
func (a *api) finish(w http.ResponseWriter, id string, o outcome) {
	a.mu.Lock()
	e := a.current
	a.mu.Unlock()
	status, body := http.StatusAccepted, `{"status":"OK"}`
	switch {
	case e == nil || e.id != id:
		status, body = http.StatusBadRequest, `{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`
	case o.failed != nil && o.failed.Type == "Function.ResponseSizeTooLarge":
		status, body = http.StatusRequestEntityTooLarge, `{"errorType":"RequestEntityTooLarge","errorMessage":"Exceeded maximum allowed payload size"}`
	}
	if status != http.StatusBadRequest {
		select {
		case e.answer <- o:
		default:
			status, body = http.StatusForbidden, `{"errorType":"InvalidStateTransition","errorMessage":"State transition is not allowed"}`
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func (a *api) initFailed(w http.ResponseWriter, r *http.Request) {
	if failed := readError(r); failed != nil {
		select {
		case a.initError <- failed:
		default:
		}
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

// readError reads what a function says of its failure. Without a body the type is in a header.
func readError(r *http.Request) *Error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxResponse))
	if err != nil {
		return nil
	}
	failed := &Error{Type: r.Header.Get("Lambda-Runtime-Function-Error-Type")}
	_ = json.Unmarshal(body, failed)
	return failed
}
