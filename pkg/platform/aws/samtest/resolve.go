package samtest

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Options are what a stack is made with.
type Options struct {
	Parameters map[string]string
	Secrets    map[string]string // the secret's JSON object in Secrets Manager
}

// The stack that Resolve makes.
const (
	StackName = "kycvault"
	Region    = "us-east-1"
	Account   = "111122223333"
	Partition = "aws"
)

// Stack is a template with everything put in. Resources and outputs whose condition does not hold are not there.
type Stack struct {
	Resources  map[string]Resource
	Outputs    map[string]string
	Parameters map[string]string
	secrets    map[string]string
	arns       map[string]string // of resources, by logical id
}

// Resource is one resource. A function has the template's Globals in it.
type Resource struct {
	Type       string
	Properties map[string]any
	Deletion   string // its DeletionPolicy
	Build      string // a function's BuildMethod
}

// Resolve makes the stack.
func (t *Template) Resolve(o Options) (*Stack, error) {
	values, err := t.values(o.Parameters)
	if err != nil {
		return nil, err
	}
	r := &resolver{root: t.root, parameters: values}
	s := &Stack{Resources: map[string]Resource{}, Outputs: map[string]string{}, Parameters: values, secrets: o.Secrets, arns: map[string]string{}}
	resources, _ := t.root["Resources"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		if err := s.add(r, id, resources[id]); err != nil {
			return nil, fmt.Errorf("resource %s: %w", id, err)
		}
	}
	outputs, _ := t.root["Outputs"].(map[string]any)
	for id, v := range outputs {
		value, err := r.value(At(v, "Value"))
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", id, err)
		}
		s.Outputs[id] = text(value)
	}
	return s, nil
}

func (s *Stack) add(r *resolver, id string, v any) error {
	if condition := text(At(v, "Condition")); condition != "" {
		if holds, err := r.condition(condition); err != nil || !holds {
			return err
		}
	}
	res := Resource{Type: text(At(v, "Type")), Deletion: text(At(v, "DeletionPolicy")), Build: text(At(v, "Metadata", "BuildMethod"))}
	properties := At(v, "Properties")
	if res.Type == function {
		properties = merge(At(r.root, "Globals", "Function"), properties)
	}
	resolved, err := r.value(properties)
	if err != nil {
		return err
	}
	res.Properties, _ = resolved.(map[string]any)
	s.Resources[id] = res
	s.arns[id], err = r.attribute(id, "Arn")
	if err != nil {
		s.arns[id] = "" // of its kind nothing here asks for one
	}
	return nil
}

// merge puts the mappings of over into those of under, as SAM does with Globals.
func merge(under, over any) any {
	u, ok := under.(map[string]any)
	o, ok2 := over.(map[string]any)
	if !ok || !ok2 {
		return over
	}
	m := maps.Clone(u)
	for key, v := range o {
		m[key] = merge(u[key], v)
	}
	return m
}

// resolver resolves intrinsic functions.
type resolver struct {
	root       map[string]any
	parameters map[string]string
}

// noValue is what AWS::NoValue leaves: nothing.
type noValue struct{}

func (r *resolver) value(v any) (any, error) {
	switch in := v.(type) {
	case map[string]any:
		for name, argument := range in {
			if len(in) == 1 && (name == "Ref" || strings.HasPrefix(name, "Fn::")) {
				return r.call(name, argument)
			}
		}
		return r.mapping(in)
	case []any:
		out := make([]any, 0, len(in))
		for _, item := range in {
			v, err := r.value(item)
			if err != nil {
				return nil, err
			}
			if v != (noValue{}) {
				out = append(out, v)
			}
		}
		return out, nil
	}
	return v, nil
}

func (r *resolver) mapping(in map[string]any) (any, error) {
	out := make(map[string]any, len(in))
	for key, item := range in {
		v, err := r.value(item)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if v != (noValue{}) {
			out[key] = v
		}
	}
	return out, nil
}

func (r *resolver) call(name string, argument any) (any, error) {
	switch name {
	case "Ref":
		return r.ref(text(argument))
	case "Fn::GetAtt":
		return r.attribute(text(At(argument, "0")), text(At(argument, "1")))
	case "Fn::Sub":
		return r.sub(argument)
	case "Fn::If":
		holds, err := r.condition(text(At(argument, "0")))
		if err != nil {
			return nil, err
		}
		if holds {
			return r.value(At(argument, "1"))
		}
		return r.value(At(argument, "2"))
	}
	return nil, fmt.Errorf("%s is not understood here", name)
}

var placeholder = regexp.MustCompile(`\$\{([A-Za-z0-9:.]+)\}`)

// sub is Fn::Sub, with or without names of its own.
func (r *resolver) sub(argument any) (any, error) {
	form, own := argument, map[string]any{}
	if parts, ok := argument.([]any); ok {
		form = At(parts, "0")
		own, _ = At(parts, "1").(map[string]any)
	}
	var errs []error
	out := placeholder.ReplaceAllStringFunc(text(form), func(found string) string {
		name := found[2 : len(found)-1]
		var v any
		var err error
		if mine, ok := own[name]; ok {
			v, err = r.value(mine)
		} else if resource, attribute, ok := strings.Cut(name, "."); ok {
			v, err = r.attribute(resource, attribute)
		} else {
			v, err = r.ref(name)
		}
		errs = append(errs, err)
		return text(v)
	})
	return out, errors.Join(errs...)
}

// condition evaluates one of the template's conditions.
func (r *resolver) condition(name string) (bool, error) {
	v := At(r.root, "Conditions", name)
	if v == nil {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	return r.holds(v)
}

func (r *resolver) holds(v any) (bool, error) {
	if arguments := At(v, "Fn::Equals"); arguments != nil {
		a, err := r.value(At(arguments, "0"))
		b, err2 := r.value(At(arguments, "1"))
		return text(a) == text(b), errors.Join(err, err2)
	}
	if arguments := At(v, "Fn::Not"); arguments != nil {
		holds, err := r.holds(At(arguments, "0"))
		return !holds, err
	}
	if arguments := At(v, "Fn::And"); arguments != nil {
		all := true
		for _, a := range list(arguments) {
			holds, err := r.holds(a)
			if err != nil {
				return false, err
			}
			all = all && holds
		}
		return all, nil
	}
	if name := text(At(v, "Condition")); name != "" {
		return r.condition(name)
	}
	return false, errors.New("a condition that is not understood here")
}
