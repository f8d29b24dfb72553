package costest

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/mishap"
)

// Config says what bucket is played. Everything may be left zero.
type Config struct {
	Bucket string           // name-appid; "" is DefaultBucket
	Keys   []Key            // the credentials that are accepted; none is DefaultKey
	Now    func() time.Time // the store's clock; nil is time.Now
	Seed   uint64           // makes the choice of faults by rate: the same seed, the same run

	// A change shows in listings when both have passed: a new key is not listed before, a deleted one is until then
	// (COS "GET Bucket": eventual consistency).
	StaleFor   time.Duration
	StaleLists int // so many listings, counted in requests, after the change

	// Allow decides whether a key pair has a right, such as "cos:PutObject", on a key ("" is the bucket); nil allows all.
	Allow func(secretID, action, key string) bool
	// HistoryLen is how many calls the history keeps; 0 is 10,000.
	HistoryLen int
}

// DefaultBucket is the bucket of a zero Config.
const DefaultBucket = "vault-1250000000"

// DefaultKey is a permanent pair.
var DefaultKey = Key{SecretID: "AKIDtest", SecretKey: "test-secret-key"}

// Server is the bucket. It is an http.Handler.
type Server struct {
	config Config
	dir    string // where large objects lie
	mu     sync.Mutex
	keys   []Key
	state  Versioning
	ever   bool // versioning was enabled or suspended once
	gone   bool // there is no such bucket
	store  map[string]*object
	view   view
	faults mishap.Faults[Fault]
	calls  history
	served int
}

// New makes an empty bucket. Close removes its files.
func New(c Config) (*Server, error) {
	if c.Bucket == "" {
		c.Bucket = DefaultBucket
	}
	if len(c.Keys) == 0 {
		c.Keys = []Key{DefaultKey}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.HistoryLen <= 0 {
		c.HistoryLen = 10_000
	}
	dir, err := os.MkdirTemp("", "costest-")
	if err != nil {
		return nil, fmt.Errorf("make folder for objects: %w", err)
	}
	return &Server{
		config: c, dir: dir, keys: c.Keys, store: make(map[string]*object),
		view: newView(c), faults: mishap.Faults[Fault]{Seed: c.Seed}, calls: history{limit: c.HistoryLen},
	}, nil
}

// Close removes what lies on disk.
func (s *Server) Close() error { return os.RemoveAll(s.dir) }

// Accept replaces the credentials that are accepted: a rotation.
func (s *Server) Accept(keys ...Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = keys
}

// DropBucket makes every call answer that there is no such bucket.
func (s *Server) DropBucket() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone = true
}

// request is one call under way.
type request struct {
	*http.Request
	action string // the right that it needs (CAM "Actions for COS")
	key    string // decoded; "" is the bucket
	id     string // x-cos-request-id
	now    time.Time
	call   Call
	fault  Fault
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := s.begin(r)
	fault, hit := s.hit(&q.call)
	q.fault = fault
	if !wait(r.Context(), fault.Delay) {
		panic(http.ErrAbortHandler)
	}
	var a answer
	switch {
	case hit && fault.replaces() && !fault.After:
		a = fault.answer()
	default:
		a = s.handle(q)
		if hit && fault.replaces() && fault.After {
			a = fault.answer()
		}
	}
	q.call.Status, q.call.Code, q.call.Fault = a.status, a.code, hit
	s.note(q.call)
	s.write(w, q, a)
}

func (s *Server) begin(r *http.Request) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.served++
	q := &request{Request: r, now: s.config.Now(), key: strings.TrimPrefix(r.URL.Path, "/"), id: requestID(s.config.Seed, s.served)}
	q.action = actionOf(r.Method, q.key, r.URL.Query())
	q.call = newCall(q)
	return q
}

// handle checks in the order of a 403's causes (COS "403 Error for COS Access"): signature first, rights after.
func (s *Server) handle(q *request) answer {
	if q.action == "" {
		return refuse(http.StatusNotImplemented, "NotImplemented", "not played by this test server")
	}
	if s.absentBucket(q) {
		return refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist.")
	}
	who, refused := s.authenticate(q)
	q.call.SecretID = who.SecretID
	if refused != nil {
		return *refused
	}
	if s.config.Allow != nil && !s.config.Allow(who.SecretID, q.action, q.key) {
		return refuse(http.StatusForbidden, "AccessDenied", "Access Denied.")
	}
	return s.act(q)
}

func (s *Server) act(q *request) answer {
	switch q.action {
	case PutObject:
		return s.put(q)
	case GetObject, HeadObject:
		return s.get(q)
	case DeleteObject:
		return s.delete(q)
	case GetBucket:
		return s.list(q)
	case GetBucketVersioning:
		return s.versioning()
	default: // HeadBucket
		return answer{status: http.StatusOK}
	}
}

// absentBucket also tells of a host that names another bucket: on COS the host is the bucket (COS "Regions and Access
// Endpoints").
func (s *Server) absentBucket(q *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, domain, found := strings.Cut(q.Host, ".")
	other := found && strings.HasPrefix(domain, "cos") && name != s.config.Bucket
	return s.gone || other
}

// The rights, by name (CAM "Actions for COS").
const (
	PutObject           = "cos:PutObject"
	GetObject           = "cos:GetObject"
	HeadObject          = "cos:HeadObject"
	DeleteObject        = "cos:DeleteObject"
	GetBucket           = "cos:GetBucket" // list
	HeadBucket          = "cos:HeadBucket"
	GetBucketVersioning = "cos:GetBucketVersioning"
)

// actionOf gives the right that a request needs; "" for what is not played.
func actionOf(method, key string, query map[string][]string) string {
	for name := range query {
		if !known(name) {
			return ""
		}
	}
	if key != "" {
		return map[string]string{
			http.MethodPut: PutObject, http.MethodGet: GetObject, http.MethodHead: HeadObject, http.MethodDelete: DeleteObject,
		}[method]
	}
	_, versioning := query["versioning"]
	switch {
	case method == http.MethodGet && versioning:
		return GetBucketVersioning
	case method == http.MethodGet:
		return GetBucket
	case method == http.MethodHead:
		return HeadBucket
	}
	return ""
}

func known(parameter string) bool {
	switch parameter {
	case "prefix", "marker", "max-keys", "encoding-type", "versioning", "x-cos-security-token":
		return true
	}
	return strings.HasPrefix(parameter, "q-")
}
