package faceidtest

import (
	"maps"
	"slices"
	"time"
)

// Call is one call that the fake answered. It holds no secret, token, ticket, sign or nonce.
type Call struct {
	N      int       `json:"n"` // counts from 1 over the whole run
	Time   time.Time `json:"time"`
	Method string    `json:"method"`
	Route  Route     `json:"route"`
	Order  string    `json:"orderNo,omitempty"` // as asked for; "" when it is not an order number
	Want   string    `json:"want,omitempty"`    // get_file or getFile, when it is 1, 2 or 3
	Signed bool      `json:"signed,omitempty"`  // a query whose sign was good, with a living ticket
	Code   string    `json:"code,omitempty"`    // the service's code; "" when the reply had none
	Status int       `json:"status"`            // HTTP; 0 when the connection broke without an answer
	Fault  bool      `json:"fault,omitempty"`   // AddFault answered, delayed or broke it
}

// Route is one of the four calls of PROTOCOL section 1.
type Route string

// The routes, as the history and faults name them.
const (
	AccessToken Route = "access_token"
	APITicket   Route = "api_ticket"
	Sync        Route = "sync"
	FaceRecord  Route = "facerecord"
	Query       Route = "query" // in a Fault only: both query dialects
)

// path is where a route is served.
func (r Route) path() string {
	return map[Route]string{
		AccessToken: "/api/oauth2/access_token",
		APITicket:   "/api/oauth2/api_ticket",
		Sync:        "/api/server/sync",
		FaceRecord:  "/api/v2/base/queryfacerecord",
	}[r]
}

// Stats counts what happened since the start.
type Stats struct {
	Calls             map[Route]int  `json:"calls"`
	Codes             map[string]int `json:"codes"`
	Orders            int            `json:"orders"`            // order numbers heard of
	Refreshes         int            `json:"refreshes"`         // tickets given out, those of OtherRefresh too
	ParallelRefreshes int            `json:"parallelRefreshes"` // access_token calls while another refresh was under way: never allowed
	Replays           int            `json:"replays"`           // nonces used twice: never allowed
	Unsigned          int            `json:"unsigned"`          // queries without a good sign and a living ticket
	Faults            int            `json:"faults"`            // calls that AddFault touched
}

// history is the calls, newest last, and their sums. The Server's lock guards it.
type history struct {
	calls  []Call // a ring
	next   int    // where the next call goes
	total  int
	routes map[Route]int
	codes  map[string]int
	stats  Stats // the plain numbers
}

func newHistory(length int) history {
	return history{calls: make([]Call, 0, length), routes: make(map[Route]int), codes: make(map[string]int)}
}

func (h *history) add(c Call) {
	h.total++
	c.N = h.total
	h.routes[c.Route]++
	if c.Code != "" {
		h.codes[c.Code]++
	}
	if c.Fault {
		h.stats.Faults++
	}
	if (c.Route == Sync || c.Route == FaceRecord) && !c.Signed && !c.Fault {
		h.stats.Unsigned++
	}
	if len(h.calls) < cap(h.calls) {
		h.calls = append(h.calls, c)
		return
	}
	h.calls[h.next] = c
	h.next = (h.next + 1) % len(h.calls)
}

// list gives the calls in order.
func (h *history) list() []Call { return slices.Concat(h.calls[h.next:], h.calls[:h.next]) }

// History gives the last calls (Config.HistoryLen of them), oldest first. A call is in it before its answer is sent.
func (s *Server) History() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.history.list()
}

// Stats gives the counts since the start.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.history.stats
	st.Calls, st.Codes = maps.Clone(s.history.routes), maps.Clone(s.history.codes)
	st.Orders = len(s.orders)
	st.Refreshes, st.ParallelRefreshes = s.pairs.refreshes, s.pairs.parallel
	return st
}
