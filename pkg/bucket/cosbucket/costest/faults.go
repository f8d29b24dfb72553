package costest

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"math"
	"net/http"
	"strings"
	"time"
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

// activeFault is a Fault and what it has met.
type activeFault struct {
	Fault
	matched, hit int
	calls        map[callKey]int
}

type callKey struct{ action, key string }

// faults are the faults in force, oldest first. The Server's lock guards them.
type faults struct {
	seed uint64
	list []*activeFault
}

// hit gives the fault that hits this call, if any. All that match count the call; the first that is due hits.
func (s *Server) hit(c *Call) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var hit *activeFault
	key := callKey{c.Action, c.Key}
	for _, f := range s.faults.list {
		if !f.matches(*c) {
			continue
		}
		f.matched++
		f.calls[key]++
		if hit == nil && f.due(s.faults.seed, key) {
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
	_, _ = h.Write([]byte(key.action + " " + key.key + " "))
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) //nolint:gosec // a count
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

// ClearFaults ends all faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.list = nil
}
