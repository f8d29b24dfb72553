// Package secret holds values that must never be printed: app secrets, tickets, tokens and keys.
package secret

import "fmt"

const redacted = "[redacted]"

// Text is a string that prints as "[redacted]" under every fmt verb, in JSON and in slog. The zero Text is empty. Two
// Texts are compared by what they reveal, in constant time, and never with ==.
//
// The value lies behind a pointer, because fmt calls no method where it meets a Text in an unexported field, after %p, or
// for a verb that does not fit: it prints what it finds by reflection, and that is an address then.
type Text struct{ value *string }

// New wraps value.
func New(value string) Text { return Text{value: &value} }

// Reveal gives the value back. Call it only where the value leaves the process on purpose.
func (t Text) Reveal() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// Empty tells whether there is no value.
func (t Text) Empty() bool { return t.Reveal() == "" }

// Format implements fmt.Formatter, so that every verb but %T and %p, which fmt keeps to itself, prints "[redacted]".
func (t Text) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redacted)) }

// String implements fmt.Stringer for printers that do not use fmt verbs.
func (t Text) String() string { return redacted }

// MarshalText implements encoding.TextMarshaler: JSON, slog and flag printers get "[redacted]".
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }
