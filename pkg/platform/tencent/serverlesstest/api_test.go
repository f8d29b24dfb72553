package serverlesstest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// call is one call of the cloud's API: its parameters, flat, as in "Environment.Variables.0.Key".
type call map[string]string

// cloud answers as the API does (SCF 2018-04-16: CreateFunction, CreateTrigger, UpdateFunctionEventInvokeConfig, …; tag
// 2018-08-13: AttachResourcesTag, …), keeps what it is given, and remembers every call that changes something.
type cloud struct {
	*httptest.Server
	t *testing.T

	mu        sync.Mutex
	functions map[string]call
	triggers  map[string][]call // by function
	changes   []call
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{t: t, functions: map[string]call{}, triggers: map[string][]call{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// port is the number in the server's address.
func (c *cloud) port() string { return c.URL[strings.LastIndexByte(c.URL, ':')+1:] }

// hosts are the API's origins that a deploy may call.
var hosts = map[string]bool{"scf.tencentcloudapi.com": true, "tag.tencentcloudapi.com": true}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || !hosts[r.Host] || r.PostForm.Get("SecretId") != "id" || r.PostForm.Get("Signature") == "" {
		c.t.Errorf("%s %s for %s is no call of the API: %v", r.Method, r.URL.Path, r.Host, err)
		http.Error(w, "no", http.StatusBadRequest)
		return
	}
	answer := c.answer(parameters(r.PostForm))
	answer["RequestId"] = "r"
	_ = json.NewEncoder(w).Encode(map[string]any{"Response": answer})
}

// parameters drops what each call has: who calls, and how it is signed.
func parameters(form url.Values) call {
	p := call{}
	for name, values := range form {
		switch name {
		case "SecretId", "Signature", "SignatureMethod", "Nonce", "Timestamp", "Token", "RequestClient", "Version":
		default:
			p[name] = values[0]
		}
	}
	return p
}

type answer map[string]any

func refuse(code string) answer { return answer{"Error": answer{"Code": code, "Message": code}} }

func (c *cloud) answer(p call) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := p["FunctionName"]
	switch p["Action"] {
	case "GetFunction":
		return c.describe(name)
	case "ListTriggers":
		return c.list(name, p)
	case "GetAlias":
		return refuse("ResourceNotFound.Alias")
	case "DescribeResourceTagsByResourceIds":
		return answer{"Tags": []any{}, "TotalCount": 0}
	case "DescribeTags":
		return answer{"Tags": []any{}, "TotalCount": 0}
	case "CreateFunction":
		c.functions[name] = p
	case "CreateTrigger":
		c.triggers[name] = append(c.triggers[name], p)
		c.changes = append(c.changes, p)
		return answer{"TriggerInfo": described(p)}
	}
	c.changes = append(c.changes, p)
	return answer{}
}

func (c *cloud) describe(name string) answer {
	f, ok := c.functions[name]
	if !ok {
		return refuse("ResourceNotFound.FunctionName")
	}
	return answer{"FunctionName": name, "Namespace": f["Namespace"], "Status": "Active", "Handler": f["Handler"], "Qualifier": "$LATEST", "Tags": []any{}}
}

// list knows the filter by type and qualifier; an empty qualifier finds nothing.
func (c *cloud) list(name string, p call) answer {
	found := []any{}
	for _, trigger := range c.triggers[name] {
		if p["Filters.0.Name"] == "Type" && (p["Filters.0.Values.0"] != trigger["Type"] || p["Filters.1.Values.0"] != trigger["Qualifier"]) {
			continue
		}
		found = append(found, described(trigger))
	}
	return answer{"Triggers": found, "TotalCount": len(found)}
}

// described is a trigger as ListTriggers gives it: a timer's cron expression in JSON, 1 for enabled.
func described(p call) answer {
	desc := p["TriggerDesc"]
	if p["Type"] == "timer" {
		desc = `{"cron":"` + desc + `"}`
	}
	return answer{"Type": p["Type"], "TriggerName": p["TriggerName"], "TriggerDesc": desc, "Qualifier": p["Qualifier"],
		"CustomArgument": p["CustomArgument"], "Enable": 1}
}

// taken gives the changes since it was last called.
func (c *cloud) taken() []call {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() { c.changes = nil }()
	return c.changes
}

// of gives the calls of one action, by function.
func of(changes []call, action string) map[string]call {
	found := map[string]call{}
	for _, p := range changes {
		if p["Action"] == action {
			found[p["FunctionName"]] = p
		}
	}
	return found
}
