package faceid

import (
	"bytes"
	"io"
)

// inputSize is the window over the body, in bytes. A whole window of Base64 fits into one lane buffer.
const inputSize = 64 << 10

// input is a window over a reader of any length. The first error of the reader is kept: io.EOF says that the reader
// ended well.
type input struct {
	r     io.Reader
	buf   []byte
	pos   int // first unread byte
	end   int // behind the last byte read
	quote int // a '"' at or behind pos, or end; valid while ≥ pos
	err   error
}

func newInput(r io.Reader) *input { return &input{r: r, buf: make([]byte, inputSize), quote: -1} }

// maxEmptyReads is how often a reader may give nothing and no error (as bufio).
const maxEmptyReads = 100

// fill reads once more behind what is unread, and tells whether there is something new. It must not be called on a full window.
func (in *input) fill() bool {
	if in.pos > 0 {
		copy(in.buf, in.buf[in.pos:in.end])
		in.end -= in.pos
		in.pos = 0
	}
	in.quote = -1
	for range maxEmptyReads {
		if in.err != nil {
			return false
		}
		n, err := in.r.Read(in.buf[in.end:])
		in.end += n
		in.err = err
		if n > 0 {
			return true
		}
	}
	if in.err == nil {
		in.err = io.ErrNoProgress
	}
	return false
}

// window gives the unread bytes, at least one, or the reader's error.
func (in *input) window() ([]byte, error) {
	if in.pos == in.end && !in.fill() {
		return nil, in.err
	}
	return in.buf[in.pos:in.end], nil
}

// unquoted gives the unread bytes before the next '"' in the window. It is empty when that is the next byte. The place of
// the quote is remembered, so that a string with many escapes is searched once.
func (in *input) unquoted() ([]byte, error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	if in.quote < in.pos {
		in.quote = in.end
		if i := bytes.IndexByte(w, '"'); i >= 0 {
			in.quote = in.pos + i
		}
	}
	return in.buf[in.pos:in.quote], nil
}

// advance marks n bytes of the window as read.
func (in *input) advance(n int) { in.pos += n }

// next reads one byte.
func (in *input) next() (byte, error) {
	w, err := in.window()
	if err != nil {
		return 0, err
	}
	in.pos++
	return w[0], nil
}

// peek gives the next n bytes, fewer at the reader's end. n is small.
func (in *input) peek(n int) []byte {
	for in.end-in.pos < n && in.fill() {
	}
	return in.buf[in.pos:min(in.end, in.pos+n)]
}
