package faceidtest

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"
	"net/http"
	"time"
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

// activeFault is a Fault and what it has met.
type activeFault struct {
	Fault
	matched, hit int
	calls        map[callKey]int // matched calls, by route and order
}

type callKey struct {
	route Route
	order string
}

// faults are the faults in force, oldest first. The Server's lock guards them.
type faults struct {
	seed uint64
	list []*activeFault
}

// next gives the fault that hits this call, if any. All that match count the call; the first that is due hits.
func (fs *faults) next(route Route, order string) (Fault, bool) {
	var hit *activeFault
	for _, f := range fs.list {
		if !f.matches(route, order) {
			continue
		}
		f.matched++
		f.calls[callKey{route, order}]++
		if hit == nil && f.due(fs.seed, callKey{route, order}) {
			hit = f
			f.hit++
		}
	}
	if hit == nil {
		return Fault{}, false
	}
	return hit.Fault, true
}

func (f *activeFault) due(seed uint64, key callKey) bool {
	if f.matched <= f.Skip || f.hit >= f.limit() {
		return false
	}
	return f.Rate == 0 || chance(seed, key, f.calls[key]) < f.Rate
}

// limit is how many calls the fault may hit.
func (f *activeFault) limit() int {
	switch {
	case f.Times > 0:
		return f.Times
	case f.Times == 0 && f.Rate == 0:
		return 1
	default:
		return math.MaxInt
	}
}

// chance draws a number from 0 to 1 that depends on nothing but its arguments, so that a run can be repeated.
func chance(seed uint64, key callKey, n int) float64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, seed))
	_, _ = h.Write([]byte(string(key.route) + "/" + key.order + "/"))
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
	x := h.Sum64()
	x ^= x >> 31 // FNV's high bits hardly change with its last byte: mix them (the finalizer of splitmix64)
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	return float64(x>>11) / (1 << 53)
}

// AddFault puts a fault in force, behind those that are.
func (s *Server) AddFault(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.list = append(s.faults.list, &activeFault{Fault: f, calls: make(map[callKey]int)})
	return nil
}

// ClearFaults ends all faults that AddFault put in force.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.list = nil
}
