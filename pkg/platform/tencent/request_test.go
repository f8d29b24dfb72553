package tencent

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/webhook"
)

// TestParseRequest: function URLs and gateways, and what each may leave out or write another way.
func TestParseRequest(t *testing.T) {
	for name, c := range map[string]struct {
		event   string
		want    webhook.Call
		gateway bool
	}{
		"function URL": {
			event: `{"body":"{\"orderNo\":\"ok1\"}","headers":{"content-type":"application/json","x-scf-remote-addr":"203.0.113.7"},
				"httpMethod":"POST","path":"/v1/completions","queryString":{}}`,
			want: webhook.Call{Method: "POST", Path: "/v1/completions", RemoteAddr: "203.0.113.7", Body: []byte(`{"orderNo":"ok1"}`),
				Header: http.Header{"Content-Type": {"application/json"}, "X-Scf-Remote-Addr": {"203.0.113.7"}}},
		},
		"function URL without a body": {
			event: `{"headers":{"host":"h"},"httpMethod":"GET","path":"/v1/completions","queryString":{"orderNo":"ok1","code":"0"}}`,
			want:  webhook.Call{Method: "GET", Path: "/v1/completions", RawQuery: "code=0&orderNo=ok1", Header: http.Header{"Host": {"h"}}},
		},
		"gateway": {
			event: `{"requestContext":{"serviceId":"service-1","path":"/kyc","httpMethod":"POST","requestId":"r","identity":{},"sourceIp":"203.0.113.8","stage":"release"},
				"headers":{"Content-Type":"application/json","AUTHORIZATION":"Bearer x"},"body":"eyJvcmRlck5vIjoib2sxIn0=","isBase64Encoded":true,
				"pathParameters":{},"queryStringParameters":{},"headerParameters":{},"stageVariables":{},
				"path":"/kyc/v1/completions","queryString":{},"httpMethod":"POST"}`,
			want: webhook.Call{Method: "POST", Path: "/v1/completions", RemoteAddr: "203.0.113.8", Body: []byte(`{"orderNo":"ok1"}`),
				Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer x"}}},
			gateway: true,
		},
		"only parameters": {
			event:   `{"requestContext":{"httpMethod":"GET"},"path":"/release/v1/completions","queryStringParameters":{"code":"0"},"isBase64Encoded":"false"}`,
			want:    webhook.Call{Method: "GET", Path: "/v1/completions", RawQuery: "code=0", Header: http.Header{}},
			gateway: true,
		},
		"several values": {
			event: `{"httpMethod":"GET","path":"/","headers":{"a":["1","2"],"A":"3","n":7},"queryString":{"x":["1","2"],"y":true,"z":null,"n":1}}`,
			want:  webhook.Call{Method: "GET", Path: "/", RawQuery: "n=1&x=1&x=2&y=&z=", Header: http.Header{"A": {"3", "1", "2"}, "N": {"7"}}},
		},
		"a query as it stood": {
			event: `{"httpMethod":"GET","path":"/","queryString":"?a=b%20c&d"}`,
			want:  webhook.Call{Method: "GET", Path: "/", RawQuery: "a=b+c&d=", Header: http.Header{}},
		},
		"a body that is a document": {
			event: `{"httpMethod":"POST","path":"/v1/completions","body":{"orderNo":"ok1"}}`,
			want:  webhook.Call{Method: "POST", Path: "/v1/completions", Body: []byte(`{"orderNo":"ok1"}`), Header: http.Header{}},
		},
		"paths": {
			event: `{"httpMethod":"GET","path":"/v1/orders/a b?x"}`,
			want:  webhook.Call{Method: "GET", Path: "/v1/orders/a%20b%3Fx", Header: http.Header{}},
		},
		"encoded paths": {
			event: `{"httpMethod":"GET","path":"/v1/orders/a%2Fb"}`,
			want:  webhook.Call{Method: "GET", Path: "/v1/orders/a%2Fb", Header: http.Header{}},
		},
		"no path": {
			event: `{"httpMethod":"GET"}`,
			want:  webhook.Call{Method: "GET", Path: "/", Header: http.Header{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := parseRequest([]byte(c.event))
			if err != nil || r.gateway() != c.gateway {
				t.Errorf("%v; gateway: %t", err, r.gateway())
			}
			r.call.Header = http.Header(r.call.Header)
			c.want.Header = http.Header(c.want.Header)
			if diff := cmp.Diff(c.want, r.call); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestEventsThatHoldNoRequest are a 400, and say nothing of what they hold.
func TestEventsThatHoldNoRequest(t *testing.T) {
	live(t, nil, func(h *house) {
		for _, event := range []string{
			`{"httpMethod":"POST","path":7}`, `{"httpMethod":"POST","headers":"planted"}`, `{"httpMethod":"POST","headers":{"a":{"planted":1}}}`,
			`{"httpMethod":"POST","path":"/v1/completions","body":"planted!","isBase64Encoded":true}`, `{"httpMethod":"POST","queryString":["planted"]}`,
			`{"httpMethod":"P O S T","path":"/"}`, `{"httpMethod":"GET","path":"planted"}`, `{"httpMethod":null,"requestContext":{},"path":"/"}`,
		} {
			answer, err := h.invoke(h.webhook, []byte(event), timeLimit)
			if err != nil || !strings.Contains(string(answer), `"statusCode":400`) || !strings.Contains(string(answer), "problem+json") || strings.Contains(string(answer), "planted") {
				t.Errorf("%s: %s, %v", event, answer, err)
			}
		}
	})
}

// FuzzParseRequest: no event makes it fall over, and what is a request has a method's place and a path.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte(`{"httpMethod":"GET","path":"/v1/completions","headers":{"a":["b"]},"queryString":{"a":true},"body":"x","isBase64Encoded":"true"}`))
	f.Add([]byte(`{"requestContext":{},"queryString":"a=b","body":{"a":1}}`))
	f.Fuzz(func(t *testing.T, event []byte) {
		if r, err := parseRequest(event); err == nil && r.call.Path == "" {
			t.Error("no path")
		}
	})
}
