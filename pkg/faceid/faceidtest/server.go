package faceidtest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/mishap"
	"github.com/kycvault/kycvault/pkg/secret"
)

// Server is the fake service: an http.Handler for the four calls of PROTOCOL section 1, and for its own control calls
// below /_sim/. All its methods may be called at the same time.
type Server struct {
	cases caseTable
	mux   *http.ServeMux

	mu      sync.Mutex // guards everything below
	config  Config     // only Secret changes
	pairs   pairs
	nonces  nonces
	orders  map[string]*faceCheck
	faults  mishap.Faults[Fault]
	history history
	busy    bool
	seq     int
}

// New makes a service that knows one app id, and has no token and no ticket yet.
func New(c Config) *Server {
	c = c.withDefaults()
	s := &Server{
		cases:   table(),
		mux:     http.NewServeMux(),
		config:  c,
		pairs:   pairs{random: rand.NewChaCha8(seeded(c.Seed, "pairs"))},
		nonces:  nonces{generation: nonceGeneration},
		orders:  make(map[string]*faceCheck),
		faults:  mishap.Faults[Fault]{Seed: c.Seed},
		history: newHistory(c.HistoryLen),
	}
	s.mux.HandleFunc("GET "+AccessToken.path(), s.api(AccessToken, s.accessToken))
	s.mux.HandleFunc("GET "+APITicket.path(), s.api(APITicket, s.apiTicket))
	s.mux.HandleFunc("GET "+Sync.path(), s.api(Sync, s.query(parseSync)))
	s.mux.HandleFunc("POST "+FaceRecord.path(), s.api(FaceRecord, s.query(parseFaceRecord)))
	s.mux.Handle("/_sim/", s.control())
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat)) // the service's clock, also where a test sets it
	s.mux.ServeHTTP(w, r)
}

// api serves one of the service's calls: the fault that hits it, the call itself, the history, the answer.
func (s *Server) api(route Route, serve func(*http.Request, *Call) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		call := Call{Time: s.now(), Method: r.Method, Route: route, Order: orderInURL(r)}
		fault, hit := s.nextFault(route, call.Order)
		call.Fault = hit
		if pause(r.Context(), fault.Delay) != nil {
			panic(http.ErrAbortHandler) // the client has gone
		}
		var a answer
		if !fault.replaces() || fault.After {
			a = serve(r, &call)
		}
		if fault.replaces() {
			a = fault.answer(s)
		}
		s.record(call, a)
		a.send(w, r)
	}
}

// record writes the history. A token or ticket call that a fault answered ends the refresh it belonged to: its
// client knows that it failed, and may begin anew.
func (s *Server) record(call Call, a answer) {
	if !a.lost() {
		call.Status, call.Code = a.status, a.code
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.Fault && (call.Route == AccessToken || call.Route == APITicket) {
		s.pairs.over()
	}
	s.history.add(call)
}

// ChangeSecret gives the app id another secret, which kills all its tokens and tickets (PROTOCOL section 3).
func (s *Server) ChangeSecret(to secret.Text) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Secret = to
	s.pairs.killTokens(s.now())
}

// KillToken kills all tokens, and so all tickets.
func (s *Server) KillToken() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pairs.killTokens(s.now())
}

// KillTicket kills all tickets.
func (s *Server) KillTicket() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pairs.killTickets(s.now())
}

// OtherRefresh is what happens when somebody else refreshes too: a new pair, the one before is good for a minute more,
// older ones are dead.
func (s *Server) OtherRefresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pairs.newToken(s.now(), s.config.TokenLife)
	s.pairs.newTicket(s.now(), s.config.TicketLife)
}

// Busy makes every well-signed query answer "too many requests" (400501) until it is called with false.
func (s *Server) Busy(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = on
}

// Ticket is the newest ticket, false when none is alive.
func (s *Server) Ticket() (secret.Text, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.pairs.current(s.now()); t != nil {
		return t.value, true
	}
	return secret.Text{}, false
}

// Sensitive gives every value that must show up in no log, error or file of a client: the secret, the tokens and tickets of
// this run, and the name and ID number in the replies. For tests that grep.
func (s *Server) Sensitive() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	values := []string{s.config.Secret.Reveal(), Name, IDNo}
	for _, t := range s.pairs.tokens {
		values = append(values, t.value.Reveal())
	}
	for _, t := range s.pairs.tickets {
		values = append(values, t.value.Reveal())
	}
	return values
}

func (s *Server) now() time.Time { return s.config.Now() }

// nextSeq makes a bizSeqNo. The lock is held.
func (s *Server) nextSeq() string {
	s.seq++
	return fmt.Sprintf("18081020001%021d", s.seq)
}

// seeded derives a random generator's seed, so that two uses of one Config.Seed do not share a sequence.
func seeded(seed uint64, use string) [32]byte {
	return sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), use...))
}
