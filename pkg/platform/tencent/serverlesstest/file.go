package serverlesstest

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/kycvault/kycvault/pkg/platform"
)

// File is serverless.yml, with its references resolved.
type File struct {
	App       string `json:"app"`
	Stage     string `json:"stage"`
	Component string `json:"component"`
	Name      string `json:"name"`
	Inputs    Inputs `json:"inputs"`

	resolved []byte // the whole of it, as JSON
}

// Inputs are what the component multi-scf is given (document 1154/129052).
type Inputs struct {
	Src struct {
		Src string `json:"src"`
	} `json:"src"`
	Region      string              `json:"region"`
	Type        string              `json:"type"`
	Runtime     string              `json:"runtime"`
	Description string              `json:"description"`
	Functions   map[string]Function `json:"functions"`
	Triggers    []Trigger           `json:"triggers"`
}

// Function is one function, by the names that the deploy library has for its settings.
type Function struct {
	Name        string            `json:"name"`
	Handler     string            `json:"handler"`
	Role        string            `json:"role"`
	MemorySize  int               `json:"memorySize"` // MB
	Timeout     int               `json:"timeout"`    // seconds
	DiskSize    int               `json:"diskSize"`   // MB of /tmp
	Async       bool              `json:"asyncRunEnable"`
	RetryNum    *int              `json:"retryNum"`
	MsgTTL      int               `json:"msgTTL"` // seconds
	Eip         bool              `json:"eip"`
	CLS         map[string]string `json:"cls"`
	Tags        map[string]string `json:"tags"`
	Environment struct {
		Variables map[string]string `json:"variables"`
	} `json:"environment"`
}

// Trigger is one trigger.
type Trigger struct {
	Type       string            `json:"type"`
	Function   string            `json:"function"` // a key of Functions
	Parameters TriggerParameters `json:"parameters"`
}

// TriggerParameters are those of both types of triggers that the file has.
type TriggerParameters struct {
	Name           string `json:"name"`
	Qualifier      string `json:"qualifier"`
	Enable         bool   `json:"enable"`
	CronExpression string `json:"cronExpression"` // timer
	Argument       string `json:"argument"`       // timer
	AuthType       string `json:"authType"`       // http
	NetConfig      struct {
		EnableIntranet bool `json:"enableIntranet"`
		EnableExtranet bool `json:"enableExtranet"`
	} `json:"netConfig"` // http
}

// Load reads serverless.yml with values for ${env:…}. A setting that File does not have is a failure: what it does would
// be checked by nothing.
func Load(t testing.TB, environ map[string]string) *File {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal(read(t, "serverless.yml"), &tree); err != nil {
		t.Fatalf("read serverless.yml: %v", err)
	}
	names := map[string]string{}
	for _, key := range []string{"app", "stage", "name"} {
		names[key], _ = tree[key].(string)
	}
	resolved, err := json.Marshal(resolve(tree, environ, names))
	if err != nil {
		t.Fatalf("resolve serverless.yml: %v", err)
	}
	f := &File{resolved: resolved}
	dec := json.NewDecoder(bytes.NewReader(resolved))
	dec.DisallowUnknownFields()
	if err := dec.Decode(f); err != nil {
		t.Fatalf("read serverless.yml: %v", err)
	}
	return f
}

// JSON is the file as the component gets it.
func (f *File) JSON() []byte { return bytes.Clone(f.resolved) }

// Environment is what a function gets to see of the file: KYC_ variables and nothing else.
func (f *File) Environment(function string) map[string]string {
	return f.Inputs.Functions[function].Environment.Variables
}

// Config is a function's configuration, as the function loads it.
func (f *File) Config(function string, needs platform.Needs) (platform.Config, error) {
	variables := f.Environment(function)
	return platform.Load(func(name string) (string, bool) { v, ok := variables[name]; return v, ok }, needs)
}

// Limit is a function's time-out.
func (f *File) Limit(function string) time.Duration {
	return time.Duration(f.Inputs.Functions[function].Timeout) * time.Second
}

// reference is one as the framework finds them (@serverless/components 3.18, src/cli/utils.js: the command line tool's core).
var reference = regexp.MustCompile(`\$\{(\w*:?[\w.-]+)\}`)

// resolve does what the framework does: ${env:X} becomes the environment's value, and a field that is such a reference and
// nothing else goes when there is none; within a longer text it becomes "undefined". ${app}, ${stage} and ${name} are the file's.
func resolve(node any, environ, names map[string]string) any {
	switch node := node.(type) {
	case map[string]any:
		all := map[string]any{}
		for key, value := range node {
			if value = resolve(value, environ, names); value != nil {
				all[key] = value
			}
		}
		return all
	case []any:
		all := make([]any, len(node))
		for i, value := range node {
			all[i] = resolve(value, environ, names)
		}
		return all
	case string:
		return resolveText(node, environ, names)
	}
	return node
}

func resolveText(text string, environ, names map[string]string) any {
	missing := false
	result := reference.ReplaceAllStringFunc(text, func(match string) string {
		name := strings.Trim(match, "${}")
		value, ok := names[name]
		if variable, is := strings.CutPrefix(name, "env:"); is {
			value, ok = environ[variable]
		}
		if !ok {
			missing = missing || match == text
			return "undefined"
		}
		return value
	})
	if missing {
		return nil
	}
	return result
}
