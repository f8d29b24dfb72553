package policytest_test

import (
	"testing"

	"github.com/kycvault/kycvault/pkg/platform/policytest"
)

func TestAllows(t *testing.T) {
	p, err := policytest.Parse([]byte(`{"version": "2.0", "statement": [
		{"effect": "allow", "action": ["cos:Get*", "cos:PutObject"], "resource": ["bucket/a/*", "bucket/b"]},
		{"effect": "Deny", "action": ["*"], "resource": ["bucket/a/secret*"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		action, resource string
		want             bool
	}{
		{"cos:GetObject", "bucket/a/x", true},
		{"cos:PutObject", "bucket/b", true},
		{"cos:PutObject", "bucket/a/", true},
		{"cos:PutObject", "bucket/bb", false},
		{"cos:PutObject", "bucket/a", false},
		{"cos:PutObjectACL", "bucket/b", false},
		{"cos:DeleteObject", "bucket/a/x", false},
		{"cos:GetObject", "other/bucket/a/x", false},
		{"cos:GetObject", "bucket/a/secret/x", false},
	} {
		if got := p.Allows(test.action, test.resource); got != test.want {
			t.Errorf("%s on %s is allowed: %t, want %t", test.action, test.resource, got, test.want)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "a/b", true}, {"a*c", "abc", true}, {"a*c", "acb", false},
		{"*b*", "abc", true}, {"*.json", "a.json", true}, {"*.json", "a.json.x", false}, {"a*b*b", "ab", false},
	} {
		if got := policytest.Match(test.pattern, test.s); got != test.want {
			t.Errorf("Match(%q, %q) = %t", test.pattern, test.s, got)
		}
	}
}

// TestParseRefuses: what it would not judge, it does not read.
func TestParseRefuses(t *testing.T) {
	for _, document := range []string{
		`{"statement": [{"effect": "allow", "action": ["a"], "resource": ["b"], "condition": {}}]}`,
		`{"statement": [{"effect": "allow", "notAction": ["a"], "resource": ["b"]}]}`,
		`{"statement": [{"effect": "maybe", "action": ["a"], "resource": ["b"]}]}`,
		`{"statement": [{"effect": "allow", "action": [], "resource": ["b"]}]}`,
		`{"statement": `,
	} {
		if _, err := policytest.Parse([]byte(document)); err == nil {
			t.Errorf("%s was read", document)
		}
	}
}
