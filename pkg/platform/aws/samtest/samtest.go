// Package samtest reads template.yaml as CloudFormation would, for tests: it puts parameters in, resolves the intrinsic
// functions that the template uses, gives each function's environment, and answers whether a function may make a call.
//
//	t, err := samtest.Load("../../template.yaml")
//	stack, err := t.Resolve(samtest.Options{Parameters: …, Secrets: …})
//	env, err := stack.Environment("PullFunction")
//	policies, err := stack.Policies()
//	forbidden, unseen := policies.Compare("PullFunction", calls) // calls: stack.S3Calls, stack.SQSCall
//
// What it does not understand is an error and never a guess: an unknown function, a condition of another kind, a managed
// policy. It is no part of what is shipped.
package samtest

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Template is a parsed template with its intrinsic functions in their long form, unresolved.
type Template struct{ root map[string]any }

// Load reads a template.
func Load(path string) (*Template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read template: %w", err)
	}
	t, err := Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	return t, nil
}

// Parse reads a template's text.
func Parse(text []byte) (*Template, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	v, err := plain(&doc)
	if err != nil {
		return nil, err
	}
	root, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("not a mapping")
	}
	return &Template{root: root}, nil
}

// plain makes Go values of YAML's: map[string]any, []any, string, int, float64, bool or nil.
func plain(n *yaml.Node) (any, error) {
	var v any
	var err error
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(n.Content[0])
	case yaml.MappingNode:
		v, err = mapping(n)
	case yaml.SequenceNode:
		v, err = sequence(n)
	case yaml.ScalarNode:
		v, err = scalar(n)
	default:
		err = errors.New("an alias, which CloudFormation does not take")
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", n.Line, err)
	}
	return longForm(n, v), nil
}

func mapping(n *yaml.Node) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if _, twice := m[key]; twice {
			return nil, fmt.Errorf("%s stands there twice", key)
		}
		v, err := plain(n.Content[i+1])
		if err != nil {
			return nil, err
		}
		m[key] = v
	}
	return m, nil
}

func sequence(n *yaml.Node) (any, error) {
	list := make([]any, len(n.Content))
	for i, item := range n.Content {
		var err error
		if list[i], err = plain(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func scalar(n *yaml.Node) (any, error) {
	if isFunction(n) {
		return n.Value, nil
	}
	var v any
	err := n.Decode(&v)
	return v, err
}

// isFunction tells a short form such as !Ref from YAML's own tags.
func isFunction(n *yaml.Node) bool {
	return strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!")
}

// longForm makes {"Fn::Sub": v} of !Sub v ("Intrinsic function reference").
func longForm(n *yaml.Node, v any) any {
	if !isFunction(n) {
		return v
	}
	name := strings.TrimPrefix(n.Tag, "!")
	switch name {
	case "Ref", "Condition":
		return map[string]any{name: v}
	case "GetAtt":
		if s, ok := v.(string); ok {
			resource, attribute, _ := strings.Cut(s, ".")
			v = []any{resource, attribute}
		}
	}
	return map[string]any{"Fn::" + name: v}
}
