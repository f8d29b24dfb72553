package tencent

import (
	"bytes"
	"encoding/json"
)

// kind is what sent an event, as far as its content tells. SCF says it nowhere else.
type kind string

// The kinds, as errors name them.
const (
	httpEvent    kind = "an HTTP event (function URL or API gateway)"
	timerEvent   kind = "a timer event"
	recordsEvent kind = "an event with Records (COS, CMQ or CKafka trigger)"
	stepEvent    kind = "a step message or an array of them"
	otherEvent   kind = "an event of no known shape"
)

// shape is what tells events apart.
type shape struct {
	Type           json.RawMessage // timer (doc 583/9708)
	TriggerName    json.RawMessage
	HTTPMethod     json.RawMessage `json:"httpMethod"` // function URL (doc 583/96099), API gateway (doc 583/12513)
	RequestContext json.RawMessage `json:"requestContext"`
	Records        json.RawMessage // COS, CMQ, CKafka
	Order          json.RawMessage `json:"orderNo"` // a step message
	Opening        json.RawMessage `json:"opening"`
}

// kindOf tells what an event is. What is no JSON object with a telling member is otherEvent.
func kindOf(event []byte) kind {
	if bytes.HasPrefix(bytes.TrimLeft(event, " \t\r\n"), []byte("[")) {
		return stepEvent
	}
	var s shape
	if json.Unmarshal(event, &s) != nil {
		return otherEvent
	}
	switch {
	case s.HTTPMethod != nil, s.RequestContext != nil:
		return httpEvent
	case s.TriggerName != nil, string(s.Type) == `"Timer"`:
		return timerEvent
	case s.Records != nil:
		return recordsEvent
	case s.Order != nil, s.Opening != nil:
		return stepEvent
	}
	return otherEvent
}
