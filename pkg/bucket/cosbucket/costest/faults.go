package costest

import (
	"errors"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/mishap"
)

// Fault breaks calls on their way. Which calls: those of Action whose key begins with Key and that Match, after Skip of
// them, Times of them, or a share of them. What happens: first Delay, then one of Status and Reset; with neither the call
// goes on, and what is said of its answer is done to it.
type Fault struct {
	Action string          // such as "cos:PutObject"; "" is every call
	Key    string          // "" is every key
	Match  func(Call) bool // nil is every call; Status, Code and SecretID are not known yet. It is called under a lock: it must not call the server
	Skip   int             // so many matching calls pass first
	Times  int             // so many are hit then; 0 is one, or with a Rate all; negative is all
	Rate   float64         // above 0: each call is hit with this chance, drawn from Config.Seed, action, key and the how-manieth it is of them

	Delay  time.Duration
	Status int    // answer with this HTTP status, such as 503
	Code   string // and this code, such as "SlowDown"; "" is an answer without a body, as a proxy's
	Reset  bool   // break the connection, without an answer
	After  bool   // the call has its effect first; only its answer is lost

	Cut    int64  // send so many bytes of the answer's body, then break the connection
	CRC    string // x-cos-hash-crc64ecma of the answer: this instead; "-" is none
	Header map[string]string
}

var errFault = errors.New("fault needs an effect: delay, status (200 to 599), reset, cut, crc or header; rate is 0 to 1")

func (f Fault) check() error {
	effect := f.replaces() || f.Delay > 0 || f.Cut > 0 || f.CRC != "" || len(f.Header) > 0
	status := f.Status == 0 || f.Status >= 200 && f.Status <= 599
	if !effect || !status || f.Rate < 0 || f.Rate > 1 || math.IsNaN(f.Rate) {
		return errFault
	}
	return nil
}

// replaces tells whether the call is answered by the fault.
func (f Fault) replaces() bool { return f.Status != 0 || f.Reset }

func (f Fault) answer() answer {
	if f.Reset {
		return answer{}
	}
	return answer{status: f.Status, code: f.Code, text: "a fault that a test asked for"}
}

// spoil changes an answer's header.
func (f Fault) spoil(h http.Header) {
	switch f.CRC {
	case "":
	case "-":
		h.Del("x-cos-hash-crc64ecma")
	default:
		h.Set("x-cos-hash-crc64ecma", f.CRC)
	}
	for name, value := range f.Header {
		h.Set(name, value)
	}
}

func (f Fault) matches(c Call) bool {
	return (f.Action == "" || f.Action == c.Action) && strings.HasPrefix(c.Key, f.Key) && (f.Match == nil || f.Match(c))
}

// hit gives the fault that hits this call, if any.
func (s *Server) hit(c *Call) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.Next(c.Action+" "+c.Key+" ", func(f Fault) bool { return f.matches(*c) })
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

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.Clear()
}
