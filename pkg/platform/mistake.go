package platform

import "errors"

// Mistake is one thing that is wrong with a variable. It never repeats the value: a secret may stand in the wrong variable.
type Mistake struct {
	Variable string
	Problem  string // what is wrong
	Expected string // what would be right
}

// Error implements error.
func (m *Mistake) Error() string { return m.Variable + ": " + m.Problem + "; expected " + m.Expected }

// Mistakes lists what is wrong with the settings, one sentence each.
func Mistakes(err error) (all []string) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // only what was joined, not what was wrapped
		for _, e := range joined.Unwrap() {
			all = append(all, Mistakes(e)...)
		}
		return all
	}
	if m, ok := errors.AsType[*Mistake](err); ok {
		return []string{m.Error()}
	}
	return []string{err.Error()}
}
