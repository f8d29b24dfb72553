package costest

import (
	"slices"
	"time"
)

// Call is one call that was answered. It holds no secret, token or signature.
type Call struct {
	N        int
	Time     time.Time // by the store's clock
	Method   string
	Action   string // the right that it needed, such as "cos:PutObject"
	Key      string // "" is the bucket itself
	SecretID string // whose signature it bore; "" when that could not be told
	Temp     bool   // with a session token
	Status   int    // HTTP; 0 when the connection broke without an answer
	Code     string // of a refusal
	Fault    bool   // AddFault answered, delayed or spoiled it
	Changed  bool   // it stored or removed an object, whatever the answer said

	Length          int64 // Content-Length; -1 is none
	ForbidOverwrite bool
	ContentMD5      bool
	MediaType       string
	StorageClass    string
	Encryption      string
	KMSKey          string
}

func newCall(q *request) Call {
	h := q.Header
	return Call{
		Time: q.now, Method: q.Method, Action: q.action, Key: q.key, Temp: h.Get("x-cos-security-token") != "",
		Length: q.ContentLength, ForbidOverwrite: h.Get("x-cos-forbid-overwrite") == "true", ContentMD5: h.Get("Content-MD5") != "",
		MediaType: h.Get("Content-Type"), StorageClass: h.Get("x-cos-storage-class"), Encryption: h.Get("x-cos-server-side-encryption"),
		KMSKey: h.Get("x-cos-server-side-encryption-cos-kms-key-id"),
	}
}

// history is the calls, oldest first. The Server's lock guards it.
type history struct {
	limit int
	total int
	calls []Call
}

func (s *Server) note(c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := &s.calls
	h.total++
	c.N = h.total
	h.calls = append(h.calls, c)
	if len(h.calls) > 2*h.limit { // now and then, so that a long run stays cheap
		h.calls = slices.Clone(h.calls[len(h.calls)-h.limit:])
	}
}

// History gives the last calls (Config.HistoryLen of them), oldest first. A call is in it before its answer is sent.
func (s *Server) History() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls.calls
	return slices.Clone(calls[max(0, len(calls)-s.calls.limit):])
}

// Count counts the calls in the history that match.
func (s *Server) Count(match func(Call) bool) int {
	n := 0
	for _, c := range s.History() {
		if match(c) {
			n++
		}
	}
	return n
}

// Keys gives the keys that are stored, sorted.
func (s *Server) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return within(s.store, "", "")
}
