package costest

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Key is a key pair that is accepted. With a Token it is a temporary one (STS), which must come with that token.
type Key struct {
	SecretID, SecretKey, Token string
	Expires                    time.Time // by the store's clock; zero is never
}

// signature is what an Authorization header, or the query, holds (COS "Request Signature").
type signature struct {
	url.Values
}

// maxSkew is from when on a signature that has ended is put down to the clocks: the documents only say that the code is then
// "RequestTimeTooSkewed" or the message "Request has expired".
const maxSkew = 15 * time.Minute

// authenticate checks who calls. The codes are those of COS "403 Error for COS Access"; for tokens no document was found
// that names one.
func (s *Server) authenticate(q *request) (Key, *answer) {
	sig, ok := parseSignature(q.Request)
	if !ok { // the bucket is private: "For unsigned requests … COS will return Access Denied"
		return Key{}, refusal(http.StatusForbidden, "AccessDenied", "Access Denied.")
	}
	if sig.Get("q-sign-algorithm") != "sha1" {
		return Key{}, refusal(http.StatusBadRequest, "InvalidArgument", "q-sign-algorithm must be sha1")
	}
	key, found := s.keyOf(sig.Get("q-ak"))
	if !found {
		return Key{}, refusal(http.StatusForbidden, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records")
	}
	if refused := sig.checkTime(q.now); refused != nil {
		return key, refused
	}
	if !sig.complete(q.Request) || !hmac.Equal([]byte(sig.of(q.Request, key)), []byte(sig.Get("q-signature"))) {
		return key, refusal(http.StatusForbidden, "SignatureDoesNotMatch", "The Signature you specified is invalid.")
	}
	return key, s.checkToken(q, key)
}

func refusal(status int, code, message string) *answer {
	a := refuse(status, code, message)
	return &a
}

func (s *Server) keyOf(id string) (Key, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.keys, func(k Key) bool { return k.SecretID == id })
	if i < 0 {
		return Key{}, false
	}
	return s.keys[i], true
}

// checkToken: "if you use a temporary key, the request header x-cos-security-token must be passed" (COS "Common Request
// Headers").
func (s *Server) checkToken(q *request, key Key) *answer {
	token := q.Header.Get("x-cos-security-token")
	if token == "" {
		token = q.URL.Query().Get("x-cos-security-token")
	}
	switch {
	case token != key.Token:
		return refusal(http.StatusForbidden, "InvalidToken", "The security token does not belong to this key.")
	case !key.Expires.IsZero() && !q.now.Before(key.Expires):
		return refusal(http.StatusForbidden, "ExpiredToken", "The security token has expired.")
	}
	return nil
}

// parseSignature reads the Authorization header, or else the query.
func parseSignature(r *http.Request) (signature, bool) {
	values := url.Values{}
	if header := r.Header.Get("Authorization"); header != "" {
		for pair := range strings.SplitSeq(header, "&") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			values.Add(name, value)
		}
	} else {
		for name, all := range r.URL.Query() {
			if strings.HasPrefix(name, "q-") {
				values[name] = all
			}
		}
	}
	for _, name := range []string{"q-sign-algorithm", "q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature"} {
		if len(values[name]) != 1 {
			return signature{}, false
		}
	}
	return signature{values}, true
}

// checkTime wants now to lie within both windows (COS "Request Signature": KeyTime and SignTime are
// StartTimestamp;EndTimestamp).
func (s signature) checkTime(now time.Time) *answer {
	for _, name := range []string{"q-sign-time", "q-key-time"} {
		from, until, ok := window(s.Get(name))
		switch {
		case !ok:
			return refusal(http.StatusBadRequest, "InvalidArgument", name+" must be start;end")
		case now.Before(from) || until.Before(now.Add(-maxSkew)):
			return refusal(http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the server's time is too large.")
		case now.After(until):
			return refusal(http.StatusForbidden, "AccessDenied", "Request has expired")
		}
	}
	return nil
}

func window(s string) (from, until time.Time, ok bool) {
	a, b, found := strings.Cut(s, ";")
	start, err1 := strconv.ParseInt(a, 10, 64)
	end, err2 := strconv.ParseInt(b, 10, 64)
	return time.Unix(start, 0), time.Unix(end, 0), found && err1 == nil && err2 == nil && start < end
}

// complete wants the lists to be sorted and to name all that matters. COS is laxer: it signs what is listed. A client that
// leaves out the host, a header of COS, the digest or a parameter lets others change them.
func (s signature) complete(r *http.Request) bool {
	headers, parameters := s.names("q-header-list"), s.names("q-url-param-list")
	if !slices.IsSorted(headers) || !slices.IsSorted(parameters) || !slices.Contains(headers, "host") {
		return false
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if (strings.HasPrefix(name, "x-cos-") || name == "content-md5" || name == "content-type") && !slices.Contains(headers, name) {
			return false
		}
	}
	for name := range r.URL.Query() {
		if !strings.HasPrefix(name, "q-") && !slices.Contains(parameters, strings.ToLower(encode(name))) {
			return false
		}
	}
	return true
}

func (s signature) names(list string) []string {
	if s.Get(list) == "" {
		return nil
	}
	return strings.Split(s.Get(list), ";")
}

// of calculates the signature that a request with these lists must have (COS "Request Signature", steps 2 to 7).
func (s signature) of(r *http.Request, key Key) string {
	signKey := hmacHex(key.SecretKey, s.Get("q-key-time"))
	headers := pairs(s.names("q-header-list"), func(name string) []string {
		if name == "host" {
			return []string{r.Host}
		}
		return r.Header.Values(name)
	})
	query := lowered(r.URL.Query())
	parameters := pairs(s.names("q-url-param-list"), func(name string) []string { return query[name] })
	text := strings.ToLower(r.Method) + "\n" + r.URL.Path + "\n" + parameters + "\n" + headers + "\n"
	digest := sha1.Sum([]byte(text))
	return hmacHex(signKey, "sha1\n"+s.Get("q-key-time")+"\n"+hex.EncodeToString(digest[:])+"\n")
}

func lowered(query url.Values) url.Values {
	low := url.Values{}
	for name, values := range query {
		low[strings.ToLower(encode(name))] = values
	}
	return low
}

// pairs are key1=value1&key2=value2, in the order of the list; values are encoded.
func pairs(names []string, values func(string) []string) string {
	var all []string
	for _, name := range names {
		found := values(name)
		if len(found) == 0 {
			found = []string{""} // listed, and not there: the signature can not match
		}
		all = append(all, name+"="+encode(found[0]))
	}
	return strings.Join(all, "&")
}

// encode is UrlEncode of that document: all but letters, digits, '-', '_', '.' and '~', with upper-case digits.
func encode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func hmacHex(key, text string) string {
	h := hmac.New(sha1.New, []byte(key))
	_, _ = h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}
