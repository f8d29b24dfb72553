// Package secret holds values that must never be printed: app secrets, tickets, tokens and keys.
package secret

import (
	"fmt"
	"unique"
)

const redacted = "[redacted]"

// Text is a string that prints as "[redacted]" under every fmt verb, in JSON and in slog. The zero Text is empty, and
// Texts of the same value are ==.
//
// The value lies behind a handle, because fmt calls no method where it meets a Text in an unexported field, after %p, or
// for a verb that does not fit: it prints what it finds by reflection, and that is an address then.
type Text struct{ value unique.Handle[string] }

// New wraps value.
func New(value string) Text {
	if value == "" {
		return Text{}
	}
	return Text{value: unique.Make(value)}
}

// Reveal gives the value back. Call it only where the value leaves the process on purpose.
func (t Text) Reveal() string {
	if t.Empty() {
		return ""
	}
	return t.value.Value()
}

// Empty tells whether there is no value.
func (t Text) Empty() bool { return t == Text{} }

// Format implements fmt.Formatter, so that every verb but %T and %p, which fmt keeps to itself, prints "[redacted]".
func (t Text) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redacted)) }

// String implements fmt.Stringer for printers that do not use fmt verbs.
func (t Text) String() string { return redacted }

// MarshalText implements encoding.TextMarshaler: JSON, slog and flag printers get "[redacted]".
func (t Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }
