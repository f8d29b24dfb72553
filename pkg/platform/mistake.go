package platform

// Mistake is one thing that is wrong with a variable. It never repeats the value: a secret may stand in the wrong variable.
type Mistake struct {
	Variable string
	Problem  string // what is wrong
	Expected string // what would be right
}

// Error implements error.
func (m *Mistake) Error() string { return m.Variable + ": " + m.Problem + "; expected " + m.Expected }
