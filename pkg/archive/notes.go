package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Note is the content of retry/ and quiet/ keys: what the tries of an opening heard so far. Its modification time is the last try.
type Note struct {
	V        int            `json:"v"`
	Attempts int            `json:"attempts"`      // steps that asked
	Tries    map[string]int `json:"tries"`         // by class of the answer; "nosuch" is 66660011
	Code     string         `json:"code"`          // the last code heard
	Odd      []string       `json:"odd,omitempty"` // digests of odd media that the last chain brought
}

// ParseNote reads a note. A newer version's is refused with ErrNewer.
func ParseNote(data []byte) (Note, error) {
	var n Note
	err := decode("note", data, MarkerVersion, &n)
	return n, err
}

// Encode writes a note; parse and encode give the same bytes.
func (n Note) Encode() ([]byte, error) {
	n.V = MarkerVersion
	data, err := json.Marshal(n)
	if err != nil {
		return nil, fmt.Errorf("encode note: %w", err)
	}
	return append(data, '\n'), nil
}

// NoteKind is where a note stands.
type NoteKind string

// The two places of a note (DESIGN section 4): the place alone tells how soon the order is due again.
const (
	Retry NoteKind = "retry"
	Quiet NoteKind = "quiet"
)

func (k NoteKind) key(m Mark) string {
	if k == Quiet {
		return m.QuietKey()
	}
	return m.RetryKey()
}

// ReadNote reads an opening's note of the given kind. A note that is gone, damaged or from a newer version counts as
// empty: it is only a memory of tries, and must not stop one.
func (a *Archive) ReadNote(ctx context.Context, kind NoteKind, m Mark) (Note, error) {
	data, found, err := a.read(ctx, kind.key(m))
	if err != nil && !errors.Is(err, ErrDamaged) {
		return Note{}, fmt.Errorf("read note of order %s: %w", m.Order, err)
	}
	if !found || err != nil {
		return Note{}, nil
	}
	n, err := ParseNote(data)
	if err != nil {
		return Note{}, nil //nolint:nilerr // see above: an unreadable note is an empty one
	}
	return n, nil
}

// WriteNote overwrites an opening's note of one kind and removes one of the other kind.
func (a *Archive) WriteNote(ctx context.Context, kind NoteKind, m Mark, n Note) error {
	data, err := n.Encode()
	if err != nil {
		return err
	}
	other := Quiet
	if kind == Quiet {
		other = Retry
	}
	if err := a.b.Put(ctx, kind.key(m), bucket.Bytes(data, jsonType)); err != nil {
		return fmt.Errorf("write note of order %s: %w", m.Order, err)
	}
	return a.deleteNote(ctx, other, m)
}

// DeleteNotes removes an opening's notes.
func (a *Archive) DeleteNotes(ctx context.Context, m Mark) error {
	return errors.Join(a.deleteNote(ctx, Retry, m), a.deleteNote(ctx, Quiet, m))
}

func (a *Archive) deleteNote(ctx context.Context, kind NoteKind, m Mark) error {
	if err := a.b.Delete(ctx, kind.key(m)); err != nil {
		return fmt.Errorf("delete note of order %s: %w", m.Order, err)
	}
	return nil
}
