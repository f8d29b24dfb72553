package faceidtest

import (
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/kycvault/kycvault/pkg/mishap"
)

// Fault breaks calls on their way. Which calls: those of Route and Order, after Skip of them, Times of them, or a share
// of them. What happens: first Delay, then one of Code, Status or Reset; with none of them the call goes on as usual.
type Fault struct {
	Route Route   // "" is every route, Query both query dialects
	Order string  // "" is every order
	Skip  int     // so many matching calls pass first
	Times int     // so many are hit then; 0 is one, or with a Rate all; negative is all
	Rate  float64 // above 0: each call is hit with this chance, drawn from Config.Seed, route, order and the how-manieth it is of them

	Delay  time.Duration
	Code   string // answer as the service does with this code
	Status int    // answer with this HTTP status and Body
	Body   string
	Reset  bool // break the connection, without an answer
	After  bool // the call has its effect first; only its answer is lost
}

// errFault says that a Fault can have no effect.
var errFault = errors.New("fault needs a known route and one of delay, code, status (200 to 599), reset; rate is 0 to 1")

func (f Fault) check() error {
	known := f.Route == "" || f.Route == Query || f.Route.path() != ""
	effect := f.replaces() || f.Delay > 0
	status := f.Status == 0 || f.Status >= 200 && f.Status <= 599
	if !known || !effect || !status || f.Rate < 0 || f.Rate > 1 || math.IsNaN(f.Rate) {
		return errFault
	}
	return nil
}

// replaces tells whether the call is answered by the fault.
func (f Fault) replaces() bool { return f.Code != "" || f.Status != 0 || f.Reset }

func (f Fault) matches(route Route, order string) bool {
	routed := f.Route == "" || f.Route == route || f.Route == Query && (route == Sync || route == FaceRecord)
	return routed && (f.Order == "" || f.Order == order)
}

func (f Fault) answer(s *Server) answer {
	switch {
	case f.Reset:
		return answer{body: new(body), manner: manner{then: breakOff}}
	case f.Code != "":
		return s.refuse(f.Code)
	default:
		a := htmlAnswer(f.Status, f.Body)
		a.contentType = http.DetectContentType([]byte(f.Body))
		return a
	}
}

// nextFault gives the fault that hits this call, if any.
func (s *Server) nextFault(route Route, order string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.Next(string(route)+"/"+order+"/", func(f Fault) bool { return f.matches(route, order) })
}

// AddFault puts a fault in force, behind those that are.
func (s *Server) AddFault(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Add(f, mishap.Share{Skip: f.Skip, Times: f.Times, Rate: f.Rate})
	return nil
}

// ClearFaults ends all faults that AddFault put in force.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Clear()
}
