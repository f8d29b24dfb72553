package tencent

import (
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	for event, want := range map[string]kind{
		`{"httpMethod":"GET","path":"/","headers":{},"queryString":{}}`:                 httpEvent,
		`{"requestContext":{"stage":"release"},"path":"/"}`:                             httpEvent,
		`{"Type":"Timer","TriggerName":"t","Time":"2026-11-25T00:00:00Z","Message":""}`: timerEvent,
		`{"TriggerName":"t"}`:                               timerEvent,
		`{"Records":[{"cos":{},"event":{}}]}`:               recordsEvent,
		`{"v":1,"orderNo":"ok1","opening":"a","attempt":1}`: stepEvent,
		` [{"v":1}]`: stepEvent,
		`[`:          stepEvent,
		`{"key1":"test value 1","key2":"test value 2"}`: otherEvent,
		``:                 otherEvent,
		`null`:             otherEvent,
		`"Timer"`:          otherEvent,
		`{"Type":"Cloud"}`: otherEvent,
		`{"httpMethod":"POST","body":"{\"orderNo\":\"ok1\"}","orderNo":"x","Type":"Timer"}`: httpEvent,
	} {
		if got := kindOf([]byte(event)); got != want {
			t.Errorf("%s is %s, want %s", event, got, want)
		}
	}
}

// TestWrongKindsAreRefused: the error says what came and what was expected, at each function.
func TestWrongKindsAreRefused(t *testing.T) {
	events := map[kind]string{
		httpEvent:    string(httpCall("/healthz", "")),
		timerEvent:   string(timer),
		recordsEvent: `{"Records":[{"planted":"planted"}]}`,
		stepEvent:    `{"v":1,"orderNo":"ok1","opening":"a","attempt":1}`,
		otherEvent:   `{"key1":"planted"}`,
	}
	live(t, nil, func(h *house) {
		for _, c := range []struct {
			f      *Function
			wants  kind
			others []kind
		}{
			{h.webhook, httpEvent, []kind{timerEvent, recordsEvent, stepEvent, otherEvent}},
			{h.pull, stepEvent, []kind{httpEvent, timerEvent, recordsEvent}},
			{h.refetch, timerEvent, []kind{httpEvent, recordsEvent, stepEvent, otherEvent}},
		} {
			for _, came := range c.others {
				answer, err := h.invoke(c.f, []byte(events[came]), timeLimit)
				if err == nil || answer != nil || !strings.Contains(err.Error(), string(came)+" came, expected "+string(c.wants)) || strings.Contains(err.Error(), "planted") {
					t.Errorf("%s, where %s is wanted: %s, %v", came, c.wants, answer, err)
				}
			}
			if _, err := h.invoke(c.f, []byte(events[c.wants]), timeLimit); err != nil {
				t.Errorf("%s was refused: %v", c.wants, err)
			}
		}
	})
}
