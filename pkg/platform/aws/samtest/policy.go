package samtest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Policies are what the stack allows and forbids: the inline policies of each function's role, and the statements of the
// bucket's and the queues' own policies.
type Policies struct {
	stack  *Stack
	allows map[string][]statement // by the function's logical id
	denies []statement            // for everybody
}

// statement is one action on one resource; a statement of a policy is taken apart into such ones.
type statement struct {
	action, resource string // with * and ?
	conditions       []condition
}

// condition is one key of one operator. All of a statement's must hold.
type condition struct {
	operator, key string
	values        []string // one of them must fit
}

// Policies reads the stack's policies.
func (s *Stack) Policies() (*Policies, error) {
	p := &Policies{stack: s, allows: map[string][]statement{}}
	for _, id := range s.Functions() {
		var err error
		if p.allows[id], err = s.roleOf(id); err != nil {
			return nil, fmt.Errorf("role of %s: %w", id, err)
		}
	}
	for _, kind := range []string{"AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy"} {
		for _, id := range s.ofType(kind) {
			denies, err := statements(At(s.Resources[id].Properties, "PolicyDocument"), "Deny")
			if err != nil {
				return nil, fmt.Errorf("%s: %w", id, err)
			}
			p.denies = append(p.denies, denies...)
		}
	}
	return p, nil
}

// roleOf gives what the role of a function allows. Rights that come from elsewhere than its inline policies are refused:
// they would not be seen here.
func (s *Stack) roleOf(id string) ([]statement, error) {
	properties := s.Resources[id].Properties
	if properties["Policies"] != nil {
		return nil, fmt.Errorf("the function has policies of its own beside the role's")
	}
	role := slices.IndexFunc(s.ofType("AWS::IAM::Role"), func(role string) bool { return s.arns[role] == text(properties["Role"]) })
	if role < 0 {
		return nil, fmt.Errorf("it is none of the template's")
	}
	of := s.Resources[s.ofType("AWS::IAM::Role")[role]].Properties
	if of["ManagedPolicyArns"] != nil || of["PermissionsBoundary"] != nil {
		return nil, fmt.Errorf("it has policies that do not stand in the template")
	}
	var all []statement
	for _, policy := range list(of["Policies"]) {
		part, err := statements(At(policy, "PolicyDocument"), "Allow")
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return all, nil
}

// statements takes a policy apart. Each of its statements must have the given effect.
func statements(document any, effect string) ([]statement, error) {
	var all []statement
	for _, v := range list(At(document, "Statement")) {
		m, _ := v.(map[string]any)
		sid := cmp.Or(text(m["Sid"]), "a statement")
		for key, value := range m {
			switch {
			case key == "Effect" && value != effect, key == "Principal" && value != "*":
				return nil, fmt.Errorf("%s: %s %v is not understood here", sid, key, value)
			case !slices.Contains([]string{"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}, key):
				return nil, fmt.Errorf("%s: %s is not understood here", sid, key)
			}
		}
		conditions, err := conditionsOf(m["Condition"])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", sid, err)
		}
		for _, action := range texts(m["Action"]) {
			for _, resource := range texts(m["Resource"]) {
				all = append(all, apart(statement{action, resource, conditions})...)
			}
		}
	}
	return all, nil
}

// apart makes a statement of its own for each prefix that may be listed.
func apart(s statement) []statement {
	i := slices.IndexFunc(s.conditions, func(c condition) bool { return c.key == prefixKey && c.operator != "Null" })
	if i < 0 {
		return []statement{s}
	}
	var all []statement
	for _, prefix := range s.conditions[i].values {
		one := s
		one.conditions = slices.Clone(s.conditions)
		one.conditions[i].values = []string{prefix}
		all = append(all, one)
	}
	return all
}

func conditionsOf(v any) ([]condition, error) {
	var all []condition
	operators, _ := v.(map[string]any)
	for operator, keys := range operators {
		if !slices.Contains([]string{"StringEquals", "StringLike", "Null", "Bool"}, operator) {
			return nil, fmt.Errorf("condition %s is not understood here", operator)
		}
		for key, values := range keys.(map[string]any) {
			all = append(all, condition{operator, key, texts(values)})
		}
	}
	return all, nil
}

// Allowed tells whether a function may make a call: a statement of its role allows it, and none forbids it.
func (p *Policies) Allowed(function string, c Call) bool {
	fits := func(s statement) bool { return s.fits(c) }
	return slices.ContainsFunc(p.allows[function], fits) && !slices.ContainsFunc(p.denies, fits)
}

func (s statement) fits(c Call) bool {
	if !like(strings.ToLower(s.action), strings.ToLower(c.Action)) || !like(s.resource, c.Resource) {
		return false
	}
	return !slices.ContainsFunc(s.conditions, func(cond condition) bool { return !cond.holds(c) })
}

// holds evaluates a condition ("IAM JSON policy elements: Condition operators"): of a key that the request does not have
// only Null can hold.
func (cond condition) holds(c Call) bool {
	got, there := c.key(cond.key)
	return slices.ContainsFunc(cond.values, func(want string) bool {
		switch cond.operator {
		case "Null":
			return want == fmt.Sprint(!there)
		case "StringLike":
			return there && like(want, got)
		default:
			return there && want == got
		}
	})
}

// like matches a text against a pattern in which * is any text, also one with slashes, and ? any character.
func like(pattern, s string) bool {
	form := regexp.QuoteMeta(pattern)
	form = strings.ReplaceAll(strings.ReplaceAll(form, `\*`, `.*`), `\?`, `.`)
	return regexp.MustCompile(`(?s)^` + form + `$`).MatchString(s)
}
