package scftest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// authorization is the form of TC3's header ("Signature v3", doc 213/30654).
var authorization = regexp.MustCompile(`^TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d{2}-\d{2})/([a-z]+)/tc3_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$`)

// maxAge is how far the time of a signature may be from the server's.
const maxAge = 5 * time.Minute

// checkSign verifies a request as "Signature v3" says, from the document alone. It gives who signed.
func (s *Server) checkSign(r *http.Request, body []byte) (id string, bad *refusal) {
	m := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if m == nil {
		return "", &refusal{"AuthFailure.InvalidAuthorization", "The Authorization header is not of its form."}
	}
	id, date, service, signed, signature := m[1], m[2], m[3], strings.Split(m[4], ";"), m[5]
	seconds, err := strconv.ParseInt(r.Header.Get("X-TC-Timestamp"), 10, 64)
	at := time.Unix(seconds, 0).UTC()
	switch {
	case err != nil || at.Format(time.DateOnly) != date:
		return id, &refusal{"AuthFailure.SignatureFailure", "Date and timestamp differ."}
	case s.config.Now().Sub(at).Abs() > maxAge:
		return id, &refusal{"AuthFailure.SignatureExpire", "The signature is of another time."}
	case service != "scf" || !slices.Contains(signed, "content-type") || !slices.Contains(signed, "host"):
		return id, &refusal{"AuthFailure.SignatureFailure", "The service, or a header that has to be signed, is missing."}
	}
	key, known := s.config.Keys(id)
	switch {
	case !known:
		return id, &refusal{"AuthFailure.SecretIdNotFound", "The secret id does not exist."}
	case r.Header.Get("X-TC-Token") != key.Token:
		return id, &refusal{"AuthFailure.TokenFailure", "The token does not belong to the secret id."}
	}
	want := sign(key.Secret, date, service, seconds, canonical(r, signed, body))
	if !hmac.Equal([]byte(want), []byte(signature)) {
		return id, &refusal{"AuthFailure.SignatureFailure", "The signature is not the request's."}
	}
	return id, nil
}

// canonical is the request as it is signed.
func canonical(r *http.Request, signed []string, body []byte) string {
	var headers strings.Builder
	for _, name := range signed {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		fmt.Fprintf(&headers, "%s:%s\n", name, strings.TrimSpace(value))
	}
	return strings.Join([]string{r.Method, "/", r.URL.RawQuery, headers.String(), strings.Join(signed, ";"), hash(body)}, "\n")
}

func sign(secret, date, service string, seconds int64, canonical string) string {
	scope := date + "/" + service + "/tc3_request"
	text := fmt.Sprintf("TC3-HMAC-SHA256\n%d\n%s\n%s", seconds, scope, hash([]byte(canonical)))
	key := []byte("TC3" + secret)
	for _, part := range []string{date, service, "tc3_request"} {
		key = mac(key, part)
	}
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
