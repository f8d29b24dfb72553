package faceidtest

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// request is a query in either dialect.
type request struct{ appID, order, version, nonce, sign, want string }

// maxRequest bounds a facerecord body.
const maxRequest = 64 << 10

// parseSync reads GET /api/server/sync (PROTOCOL section 1).
func parseSync(r *http.Request) (request, bool) {
	v, ok := single(r.URL.RawQuery)
	return request{v["app_id"], v["order_no"], v["version"], v["nonce"], v["sign"], v["get_file"]}, ok
}

// parseFaceRecord reads POST /api/v2/base/queryfacerecord: JSON whose fields are all strings, and the order number in
// the URL too (PROTOCOL section 1).
func parseFaceRecord(r *http.Request) (request, bool) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	text, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	inURL, ok := single(r.URL.RawQuery)
	if !ok || err != nil || len(text) > maxRequest || mediaType != "application/json" {
		return request{}, false
	}
	v, ok := stringFields(text)
	version, given := v["queryVersion"]
	ok = ok && inURL["orderNo"] == v["orderNo"] && (!given || version == "1.0")
	return request{v["appId"], v["orderNo"], v["version"], v["nonce"], v["sign"], v["getFile"]}, ok
}

// stringFields reads a JSON object of strings; false when a field is anything else. A getFile that is a number is the
// mistake that is made most often.
func stringFields(text []byte) (map[string]string, bool) {
	var fields map[string]*string
	if json.Unmarshal(text, &fields) != nil {
		return nil, false
	}
	v := make(map[string]string, len(fields))
	for key, value := range fields {
		if value == nil {
			return nil, false
		}
		v[key] = *value
	}
	return v, true
}

// orderInURL is the order number of a query, "" when there is none or it is not one.
func orderInURL(r *http.Request) string {
	q := r.URL.Query()
	if o := q.Get("order_no") + q.Get("orderNo"); isOrder(o) {
		return o
	}
	return ""
}

// query answers a query: it checks, and then replies about the order.
func (s *Server) query(parse func(*http.Request) (request, bool)) func(*http.Request, *Call) answer {
	return func(r *http.Request, call *Call) answer {
		q, ok := parse(r)
		if want := q.want; want == "1" || want == "2" || want == "3" {
			call.Want = want
		}
		now := s.now()
		s.mu.Lock()
		defer s.mu.Unlock()
		if code := s.check(q, ok, now); code != "" {
			return s.refuse(code)
		}
		call.Signed = true
		if s.busy {
			return s.refuse(codeTooMany)
		}
		return s.reply(call.Route, q, now)
	}
}

// check gives the code that a query is refused with, or "". A nonce counts as used once its sign was good.
func (s *Server) check(q request, parsed bool, now time.Time) string {
	switch {
	case !parsed || !isOrder(q.order) || !isNonce(q.nonce):
		return codeBadRequest
	case q.appID != s.config.AppID:
		return codeNoAccess
	case q.version != protocolVersion:
		return codeVersion
	case !isSign(q.sign):
		return codeBadSign
	}
	t := s.signer(q)
	switch {
	case t == nil:
		return codeBadSign
	case !t.alive(now):
		return codeDead
	case !s.nonces.use(q.nonce):
		s.history.stats.Replays++
		return codeBadSign
	}
	return ""
}

// signer is the ticket, dead or alive, that a query was signed with.
func (s *Server) signer(q request) *ticket {
	for _, t := range slices.Backward(s.pairs.tickets) {
		if strings.EqualFold(q.sign, sign(q.appID, q.order, q.version, t.value.Reveal(), q.nonce)) {
			return t
		}
	}
	return nil
}

// errorReply has no result (PROTOCOL section 4).
func (s *Server) errorReply(code string) object {
	return object{{"code", code}, {"msg", message(code)}, {"transactionTime", s.stamp()}, {"success", false}}
}

func (s *Server) refuse(code string) answer { return jsonAnswer(code, s.errorReply(code)) }

// The field limits of PROTOCOL section 1.
const (
	maxOrderLen = 32
	nonceLen    = 32
	signLen     = 40
)

func isOrder(s string) bool {
	return len(s) >= 1 && len(s) <= maxOrderLen && strings.Trim(s, alphanumerics) == ""
}

func isNonce(s string) bool { return len(s) == nonceLen && strings.Trim(s, alphanumerics) == "" }

func isSign(s string) bool {
	_, err := hex.DecodeString(s)
	return len(s) == signLen && err == nil
}

// stampLayout is yyyyMMddHHmmss, without a zone.
const stampLayout = "20060102150405"

// stamp is a time as the service writes it: in Beijing (PROTOCOL section 4).
func (s *Server) stamp() string { return beijing(s.now()) }

func beijing(t time.Time) string {
	const offset = 8 * 60 * 60
	return t.In(time.FixedZone("CST", offset)).Format(stampLayout)
}
