package scf

import (
	"errors"
	"strings"
)

// Function names a function, as KYC_PULL_FUNCTION does.
type Function struct {
	Namespace string // "" is the account's default one
	Name      string
	Qualifier string // a version, an alias, $LATEST or $DEFAULT; "" is what the API takes then
}

// FunctionExpected is the form of a function's name, for messages.
const FunctionExpected = "a function's name; with namespace and qualifier: namespace/name:qualifier"

// The longest names that SCF allows (doc 583/18586).
const (
	longestNamespace = 30
	longestName      = 60
	longestQualifier = 64
)

// ParseFunction reads namespace/name:qualifier, of which only the name is needed. The error does not repeat s.
func ParseFunction(s string) (Function, error) {
	namespace, rest, spaced := strings.Cut(s, "/")
	if !spaced {
		namespace, rest = "", s
	}
	name, qualifier, qualified := strings.Cut(rest, ":")
	switch {
	case !isName(name, longestName),
		spaced && !isName(namespace, longestNamespace),
		qualified && !isQualifier(qualifier):
		return Function{}, errors.New("not a function's name")
	}
	return Function{Namespace: namespace, Name: name, Qualifier: qualifier}, nil
}

// isName takes letters, digits, '-' and '_' after a letter.
func isName(s string, longest int) bool {
	return s != "" && len(s) <= longest && isLetter(s[0]) && !strings.ContainsFunc(s, notInName)
}

// isQualifier takes a version, an alias, or a name of SCF's own, which begins with '$'.
func isQualifier(s string) bool {
	s = strings.TrimPrefix(s, "$")
	return s != "" && len(s) <= longestQualifier && !strings.ContainsFunc(s, notInName)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func notInName(c rune) bool {
	return c > '~' || !isLetter(byte(c)) && (c < '0' || c > '9') && c != '-' && c != '_'
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
