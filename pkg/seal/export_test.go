package seal

import (
	"time"

	"golang.org/x/mod/sumdb/note"
)

// SignText signs any text as a note.
func SignText(k Key, text string) ([]byte, error) {
	return note.Sign(&note.Note{Text: text}, k.signer)
}

// WindowOf and WindowFrom are the rules of windows.
func WindowOf(t time.Time, every time.Duration) Window       { return windowOf(t, every) }
func WindowFrom(start time.Time, every time.Duration) Window { return windowFrom(start, every) }
