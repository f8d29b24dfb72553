package scf

import (
	"errors"
	"regexp"
)

// Function names a function, as KYC_PULL_FUNCTION does.
type Function struct {
	Namespace string // "" is the account's default one
	Name      string
	Qualifier string // a version, an alias, $LATEST or $DEFAULT; "" is what the API takes then
}

// functionForm has the characters that SCF allows (doc 583/18586): a function's name has up to 60, a namespace's up to 30.
var functionForm = regexp.MustCompile(`^(?:([A-Za-z][A-Za-z0-9_-]{0,29})/)?([A-Za-z][A-Za-z0-9_-]{0,59})(?::(\$?[A-Za-z0-9_-]{1,64}))?$`)

// FunctionExpected is the form of a function's name, for messages.
const FunctionExpected = "a function's name; with namespace and qualifier: namespace/name:qualifier"

// ParseFunction reads namespace/name:qualifier, of which only the name is needed. The error does not repeat s.
func ParseFunction(s string) (Function, error) {
	m := functionForm.FindStringSubmatch(s)
	if m == nil {
		return Function{}, errors.New("not a function's name")
	}
	return Function{Namespace: m[1], Name: m[2], Qualifier: m[3]}, nil
}

// String is the form that ParseFunction reads.
func (f Function) String() string {
	s := f.Name
	if f.Namespace != "" {
		s = f.Namespace + "/" + s
	}
	if f.Qualifier != "" {
		s += ":" + f.Qualifier
	}
	return s
}
