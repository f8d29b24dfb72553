package faceidtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// accessToken answers GET /api/oauth2/access_token (PROTOCOL section 1).
func (s *Server) accessToken(r *http.Request, _ *Call) answer {
	v, ok := single(r.URL.RawQuery)
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !ok || v["grant_type"] != "client_credential":
		return s.refuse(codeBadRequest)
	case v["version"] != protocolVersion:
		return s.refuse(codeVersion)
	case appID(v) != s.config.AppID:
		return s.refuse(codeNoAccess)
	case v["secret"] != s.config.Secret.Reveal():
		return s.refuse(codeBadSecret)
	case !s.pairs.begin(now) && !s.config.AllowParallelRefresh:
		return s.refuse(codeBadRequest)
	}
	t := s.pairs.newToken(now, s.config.TokenLife)
	return s.granted(append(object{{"access_token", t.value.Reveal()}}, s.expiry(now, s.config.TokenLife)...))
}

// apiTicket answers GET /api/oauth2/api_ticket (PROTOCOL section 1). It ends the refresh that its token began.
func (s *Server) apiTicket(r *http.Request, _ *Call) answer {
	v, ok := single(r.URL.RawQuery)
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := s.pairs.newestToken()
	switch {
	case !ok || v["type"] != "SIGN" || v["access_token"] == "":
		return s.refuse(codeBadRequest)
	case v["version"] != protocolVersion:
		return s.refuse(codeVersion)
	case appID(v) != s.config.AppID:
		return s.refuse(codeNoAccess)
	case newest == nil || v["access_token"] != newest.value.Reveal():
		return s.refuse(codeDead)
	}
	s.pairs.over()
	if !newest.alive(now) {
		return s.refuse(codeDead)
	}
	t := s.pairs.newTicket(now, s.config.TicketLife)
	one := append(object{{"value", t.value.Reveal()}}, s.expiry(now, s.config.TicketLife)...)
	return s.granted(object{{"tickets", []any{one}}})
}

// granted wraps what was asked for as the recorded replies do (PROTOCOL section 3).
func (s *Server) granted(fields object) answer {
	o := object{{"code", codeOK}, {"msg", message(codeOK)}, {"bizSeqNo", s.nextSeq()},
		{"transactionTime", s.stamp()}, {"success", true}}
	return jsonAnswer(codeOK, append(o, fields...))
}

// expiry is unkind in two documented ways: expire_in is a number in one refresh and a string in the next, and
// expire_time, which must not be used, is eight hours off (PROTOCOL section 3).
func (s *Server) expiry(now time.Time, life time.Duration) object {
	seconds := strconv.FormatInt(int64(life/time.Second), 10)
	var in any = json.Number(seconds)
	if s.pairs.refreshes%2 == 0 {
		in = seconds
	}
	return object{{"expire_in", in}, {"expire_time", now.Add(life).UTC().Format(stampLayout)}}
}

// appID reads the app id, which newer pages of the documents spell differently (PROTOCOL section 1).
func appID(v map[string]string) string {
	if id, ok := v["app_id"]; ok {
		return id
	}
	return v["appId"]
}

// single flattens a query; false when it is malformed or a parameter is given twice.
func single(rawQuery string) (map[string]string, bool) {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, false
	}
	v := make(map[string]string, len(q))
	for key, values := range q {
		if len(values) != 1 {
			return nil, false
		}
		v[key] = values[0]
	}
	return v, true
}
