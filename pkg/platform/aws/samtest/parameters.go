package samtest

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
)

// Parameter is one parameter of the template, as a person sees it who deploys.
type Parameter struct {
	Name        string
	Description string
	Default     string
	Required    bool     // it has no default
	Values      []string // the only ones it takes; none is any
	Number      bool
	pattern     *regexp.Regexp
	least, most *int
	length      *int
}

// Parameters lists the parameters, in the order and groups that the template's interface shows them in.
func (t *Template) Parameters() ([]Group, error) {
	declared, err := t.declared()
	if err != nil {
		return nil, err
	}
	var groups []Group
	var shown []string
	for _, g := range list(At(t.root, "Metadata", "AWS::CloudFormation::Interface", "ParameterGroups")) {
		group := Group{Label: text(At(g, "Label", "default"))}
		for _, name := range texts(At(g, "Parameters")) {
			p, ok := declared[name]
			if !ok {
				return nil, fmt.Errorf("group %s: there is no parameter %s", group.Label, name)
			}
			group.Parameters = append(group.Parameters, p)
			shown = append(shown, name)
		}
		groups = append(groups, group)
	}
	slices.Sort(shown)
	if all := slices.Sorted(maps.Keys(declared)); !slices.Equal(all, shown) {
		return nil, fmt.Errorf("parameters are %q, in groups are %q", all, shown)
	}
	return groups, nil
}

// Group is a group of parameters.
type Group struct {
	Label      string
	Parameters []Parameter
}

func (t *Template) declared() (map[string]Parameter, error) {
	all := map[string]Parameter{}
	declared, _ := t.root["Parameters"].(map[string]any)
	for name, v := range declared {
		p := Parameter{
			Name: name, Description: text(At(v, "Description")), Values: texts(At(v, "AllowedValues")),
			Number: At(v, "Type") == "Number", least: number(At(v, "MinValue")), most: number(At(v, "MaxValue")),
			length: number(At(v, "MaxLength")),
		}
		p.Required = At(v, "Default") == nil
		p.Default = text(At(v, "Default"))
		if pattern := text(At(v, "AllowedPattern")); pattern != "" {
			var err error
			if p.pattern, err = regexp.Compile(pattern); err != nil {
				return nil, fmt.Errorf("parameter %s: %w", name, err)
			}
		}
		all[name] = p
	}
	return all, nil
}

// Check tells whether CloudFormation would take a value.
func (p Parameter) Check(value string) error {
	switch n, err := strconv.Atoi(value); {
	case len(p.Values) > 0 && !slices.Contains(p.Values, value):
		return fmt.Errorf("parameter %s: not one of %q", p.Name, p.Values)
	case p.pattern != nil && !p.pattern.MatchString(value):
		return fmt.Errorf("parameter %s: does not match %s", p.Name, p.pattern)
	case p.length != nil && len(value) > *p.length:
		return fmt.Errorf("parameter %s: longer than %d characters", p.Name, *p.length)
	case p.Number && err != nil:
		return fmt.Errorf("parameter %s: not a number", p.Name)
	case p.least != nil && n < *p.least, p.most != nil && n > *p.most:
		return fmt.Errorf("parameter %s: out of range", p.Name)
	}
	return nil
}

// values puts given values and defaults together.
func (t *Template) values(given map[string]string) (map[string]string, error) {
	declared, err := t.declared()
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		p := declared[name]
		value, ok := given[name]
		if !ok {
			if p.Required {
				errs = append(errs, fmt.Errorf("parameter %s: no value and no default", name))
				continue
			}
			value = p.Default
		}
		errs = append(errs, p.Check(value))
		values[name] = value
	}
	for name := range given {
		if _, ok := declared[name]; !ok {
			errs = append(errs, fmt.Errorf("there is no parameter %s", name))
		}
	}
	return values, errors.Join(errs...)
}

// At goes down mappings, and lists by position; nil where there is nothing.
func At(v any, path ...string) any {
	for _, step := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// text is a value as CloudFormation takes it for a string; "" is none.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// list is a list, or the list of a single value.
func list(v any) []any {
	switch in := v.(type) {
	case nil:
		return nil
	case []any:
		return in
	}
	return []any{v}
}

func texts(v any) []string {
	var all []string
	for _, item := range list(v) {
		all = append(all, text(item))
	}
	return all
}

// Number reads a number, also one that a parameter brought as a text.
func Number(v any) (int, bool) {
	n, err := strconv.Atoi(text(v))
	return n, err == nil
}

func number(v any) *int {
	if n, ok := Number(v); ok {
		return &n
	}
	return nil
}
