package tencent

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kycvault/kycvault/pkg/webhook"
)

// request is an HTTP event. A function URL sends method, path, query, headers in lower case and the body (doc 583/96099); an API
// gateway sends more, and header names as the client wrote them (doc 583/12513). What both may send is read the same way, so
// that it does not matter which of them it is.
type request struct {
	Method     string          `json:"httpMethod"`
	Path       string          `json:"path"`
	Query      query           `json:"queryString"`
	Parameters query           `json:"queryStringParameters"` // those that the gateway's API names; Query has all
	Headers    values          `json:"headers"`
	Body       json.RawMessage `json:"body"`
	Base64     *flag           `json:"isBase64Encoded"`
	Context    *struct {
		Method   string `json:"httpMethod"`
		SourceIP string `json:"sourceIp"`
	} `json:"requestContext"` // of a gateway

	call webhook.Call
}

// errEvent says that an HTTP event holds no request. Its text is fit for strangers.
var errEvent = errors.New("the event holds no request")

// parseRequest reads an HTTP event.
func parseRequest(event []byte) (request, error) {
	var r request
	if err := json.Unmarshal(event, &r); err != nil {
		return r, fmt.Errorf("%w: a member is not of its type", errEvent)
	}
	body, err := r.body()
	if err != nil {
		return r, err
	}
	r.call = webhook.Call{
		Method: r.Method, Path: webhook.WithoutMount(rawPath(r.Path)), RawQuery: r.query(), Header: r.header(), Body: body,
	}
	r.call.RemoteAddr = http.Header(r.call.Header).Get("X-Scf-Remote-Addr")
	if r.Context != nil {
		r.call.Method = cmp.Or(r.Method, r.Context.Method)
		r.call.RemoteAddr = cmp.Or(r.call.RemoteAddr, r.Context.SourceIP)
	}
	return r, nil
}

// gateway tells whether an API gateway sent the event.
func (r request) gateway() bool { return r.Context != nil || r.Base64 != nil }

// rawPath is a path as it stands in a request's line. That an event's path is encoded is nowhere said; what could not stand
// there is.
func rawPath(path string) string {
	if _, err := url.PathUnescape(path); err != nil || strings.ContainsAny(path, "?# ") {
		path = (&url.URL{Path: path}).EscapedPath()
	}
	return cmp.Or(path, "/")
}

// body gives the body's bytes. A console's test event may have a JSON document in the place of its text.
func (r request) body() ([]byte, error) {
	if r.Body == nil || string(r.Body) == "null" {
		return nil, nil
	}
	var text string
	if json.Unmarshal(r.Body, &text) != nil {
		return r.Body, nil
	}
	if r.Base64 == nil || !*r.Base64 {
		return []byte(text), nil
	}
	body, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("%w: its body is not Base64", errEvent)
	}
	return body, nil
}

func (r request) query() string {
	if len(r.Query) == 0 {
		return url.Values(r.Parameters).Encode()
	}
	return url.Values(r.Query).Encode()
}

// header gives the headers with canonical names. A name that comes in two cases has the values of both, in one order.
func (r request) header() http.Header {
	names := make([]string, 0, len(r.Headers))
	for name := range r.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	h := make(http.Header, len(names))
	for _, name := range names {
		for _, value := range r.Headers[name] {
			h.Add(name, value)
		}
	}
	return h
}

// values are names with one value or several, as a string, a number, a boolean or a list of them.
type values map[string][]string

// UnmarshalJSON implements json.Unmarshaler.
func (v *values) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	*v = make(values, len(raw))
	for name, value := range raw {
		list := []json.RawMessage{value}
		if bytes.HasPrefix(value, []byte("[")) {
			if err := json.Unmarshal(value, &list); err != nil {
				return err
			}
		}
		for _, one := range list {
			text, ok := scalar(one)
			if !ok {
				return errEvent
			}
			(*v)[name] = append((*v)[name], text)
		}
	}
	return nil
}

// scalar gives a value's text. A name without a value comes as true, or as null.
func scalar(value json.RawMessage) (string, bool) {
	var text string
	switch {
	case json.Unmarshal(value, &text) == nil: // null leaves it empty
		return text, true
	case string(value) == "true":
		return "", true
	}
	return string(value), !bytes.ContainsAny(value[:1], "{[")
}

// query is a query as an object, or as it stood in the URL.
type query url.Values

// UnmarshalJSON implements json.Unmarshaler.
func (q *query) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil { // null leaves it empty
		parsed, err := url.ParseQuery(strings.TrimPrefix(text, "?"))
		*q = query(parsed)
		return err
	}
	return json.Unmarshal(data, (*values)(q))
}

// flag is a boolean, which some gateways write as a string.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(data []byte) error {
	*f = flag(strings.Trim(string(data), `"`) == "true")
	return nil
}
