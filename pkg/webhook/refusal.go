package webhook

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// kind is why a request was refused: the closed list behind every answer that is not a success, and a word in the log.
type kind string

const (
	badRequest kind = "malformed"
	badHeader  kind = "header"
	badRoute   kind = "no-such-route"
	badMethod  kind = "method"
	badType    kind = "media-type"
	badSize    kind = "too-large"
	badBody    kind = "body"
	badQuery   kind = "query"
	badOrder   kind = "order-number"
	noProof    kind = "proof"
	noOrder    kind = "unknown-order"
	noArchive  kind = "archive"
	noTicket   kind = "no-ticket"
	ourMistake kind = "internal"
)

// statuses maps every kind to its answer.
var statuses = map[kind]int{
	badRequest: http.StatusBadRequest,
	badHeader:  http.StatusRequestHeaderFieldsTooLarge,
	badRoute:   http.StatusNotFound,
	badMethod:  http.StatusMethodNotAllowed,
	badType:    http.StatusUnsupportedMediaType,
	badSize:    http.StatusRequestEntityTooLarge,
	badBody:    http.StatusBadRequest,
	badQuery:   http.StatusBadRequest,
	badOrder:   http.StatusBadRequest,
	noProof:    http.StatusUnauthorized,
	noOrder:    http.StatusNotFound,
	noArchive:  http.StatusServiceUnavailable,
	noTicket:   http.StatusServiceUnavailable,
	ourMistake: http.StatusInternalServerError,
}

// retries says after how long a 503 of a kind is worth another try.
var retries = map[kind]time.Duration{
	noArchive: 5 * time.Second,
	noTicket:  30 * time.Second, // a refresh lease lasts as long (DESIGN section 5)
}

// refusal is a failed request. Only kind and detail leave the process; cause is for the log.
type refusal struct {
	kind   kind
	detail string
	allow  string // badMethod: the methods that are allowed
	cause  error
}

// Error implements error.
func (r *refusal) Error() string {
	if r.cause != nil {
		return string(r.kind) + ": " + r.cause.Error()
	}
	return string(r.kind) + ": " + r.detail
}

// Unwrap gives the cause.
func (r *refusal) Unwrap() error { return r.cause }

func refuse(k kind, detail string, cause error) error {
	return &refusal{kind: k, detail: detail, cause: cause}
}

// unproven makes a 401 of why there is no proof; nil stays nil. The causes are our own sentences, without anything from the
// request, and never depend on whether the order exists, so the caller may read them.
func unproven(cause error) error {
	if cause == nil {
		return nil
	}
	return refuse(noProof, "Not proven: "+cause.Error()+".", cause)
}

// asRefusal makes a refusal of any error; one that nobody thought of is ours to mend.
func asRefusal(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	return &refusal{kind: ourMistake, detail: "Something went wrong here.", cause: err}
}

// problem is the RFC 9457 document. Its type is "about:blank", so its title is the status's phrase.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// reply makes the answer to a refused request.
func (r *refusal) reply() reply {
	status := statuses[r.kind]
	rep := reply{
		status:    status,
		mediaType: "application/problem+json",
		body:      problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: r.detail},
		header:    map[string]string{},
	}
	switch {
	case status == http.StatusUnauthorized:
		rep.header["WWW-Authenticate"] = `Bearer realm="kycvault"`
	case r.kind == badMethod:
		rep.header["Allow"] = r.allow
	}
	if after, ok := retries[r.kind]; ok {
		rep.header["Retry-After"] = strconv.Itoa(int(after.Seconds()))
	}
	return rep
}
