// Package policytest decides what an access policy allows, for tests: the clouds' policies are the same in what matters here.
// A call is allowed when a statement allows it and none denies it. It judges actions and resources only; a document that says
// more, such as conditions, is refused, so that nothing is passed over in silence.
package policytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Policy is a policy document, of CAM (document 598/10603, "policy syntax") or IAM.
type Policy struct {
	Version   string      `json:"version"`
	Statement []Statement `json:"statement"`
}

// Statement allows or denies each of its actions on each of its resources. Both are patterns: * stands for any characters.
type Statement struct {
	Effect   string   `json:"effect"` // allow or deny, in any case
	Action   []string `json:"action"`
	Resource []string `json:"resource"`
}

// Parse reads a policy.
func Parse(data []byte) (Policy, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var p Policy
	if err := dec.Decode(&p); err != nil {
		return Policy{}, fmt.Errorf("read policy: %w", err)
	}
	for i, s := range p.Statement {
		if effect := strings.ToLower(s.Effect); effect != "allow" && effect != "deny" {
			return Policy{}, fmt.Errorf("read policy: statement %d has the effect %q", i+1, s.Effect)
		}
		if len(s.Action) == 0 || len(s.Resource) == 0 {
			return Policy{}, fmt.Errorf("read policy: statement %d is about nothing", i+1)
		}
	}
	return p, nil
}

// Allows tells whether the policy lets its holder do something with a resource.
func (p Policy) Allows(action, resource string) bool {
	allowed := false
	for _, s := range p.Statement {
		if !s.about(action, resource) {
			continue
		}
		if strings.EqualFold(s.Effect, "deny") {
			return false
		}
		allowed = true
	}
	return allowed
}

func (s Statement) about(action, resource string) bool {
	return slices.ContainsFunc(s.Action, func(pattern string) bool { return Match(pattern, action) }) &&
		slices.ContainsFunc(s.Resource, func(pattern string) bool { return Match(pattern, resource) })
}

// Match tells whether a pattern is about s.
func Match(pattern, s string) bool {
	first, rest, starred := strings.Cut(pattern, "*")
	s, ok := strings.CutPrefix(s, first)
	if !ok || !starred {
		return ok && s == ""
	}
	for i := range len(s) + 1 {
		if Match(rest, s[i:]) {
			return true
		}
	}
	return false
}
