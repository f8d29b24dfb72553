// Package scftest is a stand-in for the SCF API's asynchronous Invoke (version 2018-04-16, doc 583/17243): it checks the
// TC3-HMAC-SHA256 signature, session tokens and parameters as the documents say, and hands each event on. It has a history
// and planned faults.
package scftest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Key is what belongs to a secret id.
type Key struct {
	Secret string
	Token  string // session token; "" is a permanent pair's
}

// Event is an asynchronous invocation that the API took.
type Event struct {
	Function  string
	Namespace string
	Qualifier string
	Payload   []byte
	RequestID string
}

// Fault is how one call goes wrong.
type Fault struct {
	Code   string // an error of the API
	Status int    // an answer that is none of the API's, with this status
	Lost   bool   // the connection breaks
	Taken  bool   // but the event was delivered
}

// Call is one request that came, good or bad.
type Call struct {
	At       time.Time
	SecretID string
	Code     string // "" was taken
	Event    Event
}

// Config says what is there.
type Config struct {
	Keys      func(secretID string) (Key, bool) // who may call
	Functions []string                          // names that exist; none is any
	Region    string                            // that they are in; "" is any
	PerSecond int                               // calls taken in a second; 0 is any number
	Deliver   func(Event)                       // is given each event that is taken, on the request's goroutine; nil drops it
	Fault     func(n int, e Event) *Fault       // of the nth call, from 1; nil or a nil answer is none
	Now       func() time.Time                  // nil: time.Now
}

// Server is the API: an http.Handler.
type Server struct {
	config Config

	mu    sync.Mutex
	calls []Call
}

// New makes a server.
func New(c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Server{config: c}
}

// Calls gives what came so far.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// maxRequest is the size of a request that the API takes (doc 583/17243: 6 MB of parameters).
const maxRequest = 6 << 20

// refusal is an error of the API.
type refusal struct{ code, message string }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	id, bad := s.checkSign(r, body)
	var event Event
	if bad == nil {
		event, bad = s.read(r, body)
	}
	n, limit := s.note(id, event, bad)
	if bad == nil {
		bad = limit
	}
	event.RequestID = fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
	fault := s.fault(n, event)
	if bad == nil && (fault == nil || fault.Taken) && s.config.Deliver != nil {
		s.config.Deliver(event)
	}
	answer(w, event, bad, fault)
}

// note writes the call down, and gives its number. More than PerSecond in a second are refused.
func (s *Server) note(id string, e Event, bad *refusal) (n int, limit *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	call := Call{At: s.config.Now(), SecretID: id, Event: e}
	recent := 0
	for _, c := range s.calls {
		if c.Code == "" && call.At.Sub(c.At) < time.Second {
			recent++
		}
	}
	if s.config.PerSecond > 0 && recent >= s.config.PerSecond {
		limit = &refusal{"RequestLimitExceeded", "Your current request times equals to the limit."}
	}
	switch {
	case bad != nil:
		call.Code = bad.code
	case limit != nil:
		call.Code = limit.code
	}
	s.calls = append(s.calls, call)
	return len(s.calls), limit
}

func (s *Server) fault(n int, e Event) *Fault {
	if s.config.Fault == nil {
		return nil
	}
	return s.config.Fault(n, e)
}

// answer writes what the API would, or what the fault makes of it.
func answer(w http.ResponseWriter, e Event, bad *refusal, f *Fault) {
	switch {
	case f != nil && f.Lost:
		panic(http.ErrAbortHandler)
	case f != nil && f.Status != 0:
		http.Error(w, "<html>an answer of something else</html>", f.Status)
		return
	case f != nil && f.Code != "":
		bad = &refusal{f.Code, "planned fault"}
	}
	response := map[string]any{"RequestId": e.RequestID}
	if bad != nil {
		response["Error"] = map[string]string{"Code": bad.code, "Message": bad.message}
	} else {
		response["Result"] = map[string]any{
			"MemUsage": 0, "Log": "", "RetMsg": "", "BillDuration": 0, "FunctionRequestId": e.RequestID, "Duration": 0, "ErrMsg": "", "InvokeResult": 0,
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"Response": response})
}

// maxEvent is the most that an asynchronous event holds (doc 583/11637).
const maxEvent = 128 << 10

// read checks what is asked for.
func (s *Server) read(r *http.Request, body []byte) (Event, *refusal) {
	var p struct{ FunctionName, Namespace, Qualifier, InvocationType, ClientContext string }
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.DisallowUnknownFields()
	region := r.Header.Get("X-TC-Region")
	switch err := decoder.Decode(&p); {
	case r.Header.Get("X-TC-Version") != "2018-04-16":
		return Event{}, &refusal{"NoSuchVersion", "The version does not exist."}
	case r.Header.Get("X-TC-Action") != "Invoke":
		return Event{}, &refusal{"InvalidAction", "The action does not exist."}
	case err != nil:
		return Event{}, &refusal{"UnknownParameter", err.Error()}
	case region == "":
		return Event{}, &refusal{"MissingParameter", "Region is needed."}
	case s.config.Region != "" && region != s.config.Region, !s.exists(p.FunctionName):
		return Event{}, &refusal{"ResourceNotFound.Function", "The function does not exist."}
	case p.InvocationType != "Event":
		return Event{}, &refusal{"InvalidParameterValue.InvocationType", "Only Event is known here."}
	case len(p.ClientContext) > maxEvent:
		return Event{}, &refusal{"InvalidParameterValue.ClientContext", "An asynchronous event holds at most 128 KB."}
	case !json.Valid([]byte(p.ClientContext)):
		return Event{}, &refusal{"InvalidParameterValue.ClientContext", "The event is not JSON."}
	}
	return Event{Function: p.FunctionName, Namespace: p.Namespace, Qualifier: p.Qualifier, Payload: []byte(p.ClientContext)}, nil
}

func (s *Server) exists(function string) bool {
	for _, known := range s.config.Functions {
		if known == function {
			return true
		}
	}
	return len(s.config.Functions) == 0 && function != ""
}
