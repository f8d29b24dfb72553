package media

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Watcher is Inspect for bytes that pass by once and are kept nowhere, since they are encrypted: an io.Writer that takes a
// medium piece by piece, in constant memory, and in the end finds what Inspect would.
//
// The checks read, and a Writer is written to; so they run as a coroutine, which gives way whenever it has read a piece.
type Watcher struct {
	kind archive.Kind
	next func() (struct{}, bool)
	stop func()

	piece []byte // what the checks have not read yet of the last Write
	ended bool
	tail  [2]byte
	size  int64

	flag string
	ok   Look
	err  error
}

// Watch begins to look at what should be a medium of the kind. Look or Close ends it.
func Watch(kind archive.Kind) *Watcher {
	w := &Watcher{kind: kind}
	w.next, w.stop = iter.Pull(func(more func(struct{}) bool) {
		w.flag, w.ok, w.err = w.inspect(&passing{w: w, more: func() bool { return more(struct{}{}) }})
	})
	w.next() // up to the first read
	return w
}

// Write implements io.Writer. It never fails.
func (w *Watcher) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	w.size += int64(len(p))
	last := p[max(0, len(p)-len(w.tail)):]
	copy(w.tail[:], w.tail[len(last):])
	copy(w.tail[len(w.tail)-len(last):], last)
	w.piece = p
	w.next()
	w.piece = nil // where the checks have seen enough
	return len(p), nil
}

// Look tells what the bytes look like; nothing may be written after it. An error is one of this package.
func (w *Watcher) Look() (Look, error) {
	w.ended = true
	w.next()
	if w.err != nil {
		return Look{}, fmt.Errorf("inspect %s: %w", w.kind, w.err)
	}
	return looked(w.flag, w.ok), nil
}

// Close ends a Watcher whose Look nobody wants. It may be called again, and after Look.
func (w *Watcher) Close() { w.stop() }

func (w *Watcher) inspect(bytes io.Reader) (flag string, ok Look, err error) {
	s := &scanner{r: bufio.NewReaderSize(bytes, scanBuffer), passing: true}
	s.end = func() ([2]byte, int64, error) { return w.tail, w.size, nil }
	head, err := s.r.Peek(headLen)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", ok, err
	case len(head) == 0:
		return "empty", ok, nil
	}
	for _, f := range formats() {
		if f.begin(head) {
			return f.judge(w.kind, func() (string, error) { return f.watch(s) })
		}
	}
	return unknown(w.kind), ok, nil
}

// passing is what the checks read: the pieces, one after the other.
type passing struct {
	w    *Watcher
	more func() bool
}

// errGone ends the checks of a Watcher that was closed.
var errGone = errors.New("nobody wants to know")

// Read implements io.Reader. It gives way until there is a piece.
func (p *passing) Read(buf []byte) (int, error) {
	for len(p.w.piece) == 0 {
		if p.w.ended {
			return 0, io.EOF
		}
		if !p.more() {
			return 0, errGone
		}
	}
	n := copy(buf, p.w.piece)
	p.w.piece = p.w.piece[n:]
	return n, nil
}
