package faceid

import (
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// str gives what text read as a string; bytes that are not UTF-8 become U+FFFD, as in encoding/json.
func (p *parser) str() string {
	if utf8.Valid(p.scratch) {
		return string(p.scratch)
	}
	return string([]rune(string(p.scratch)))
}

// text reads a string, whose opening quote was read, into the scratch. whole is false when it is longer than limit; then
// it was read to its end, but not kept.
func (p *parser) text(limit int) (whole bool, err error) {
	p.scratch = p.scratch[:0]
	whole = true
	for {
		w, err := p.in.window()
		if err == io.EOF {
			return false, errCut
		}
		if err != nil {
			return false, err
		}
		n := plain(w)
		whole = p.keep(w[:n], whole, limit)
		p.in.advance(n)
		if n == len(w) {
			continue
		}
		p.in.advance(1)
		switch w[n] {
		case '"':
			return whole, nil
		case '\\':
			r, err := p.escape()
			if err != nil {
				return false, err
			}
			var b [utf8.UTFMax]byte
			whole = p.keep(b[:utf8.EncodeRune(b[:], r)], whole, limit)
		default:
			return false, errJSON // a raw control character
		}
	}
}

// keep appends b to the scratch as long as everything fits.
func (p *parser) keep(b []byte, whole bool, limit int) bool {
	if !whole || len(p.scratch)+len(b) > limit {
		return false
	}
	p.scratch = append(p.scratch, b...)
	return true
}

// plain counts the bytes before a quote, a backslash or a control character other than white space.
func plain(w []byte) int {
	for i, c := range w {
		if c == '"' || c == '\\' || c < ' ' && !isSpace(c) {
			return i
		}
	}
	return len(w)
}

// escape reads what follows a backslash in a string. Lone surrogates become U+FFFD, as in encoding/json.
func (p *parser) escape() (rune, error) {
	c, err := p.next()
	if err != nil {
		return 0, err
	}
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.codePoint()
	}
	return 0, errJSON
}

// codePoint reads the digits after \u, and the second half of a surrogate pair where there is one.
func (p *parser) codePoint() (rune, error) {
	b := p.in.peek(4)
	r, ok := hex4(b)
	if !ok {
		if len(b) < 4 {
			return 0, p.ended()
		}
		return 0, errJSON
	}
	p.in.advance(4)
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if b = p.in.peek(6); len(b) == 6 && b[0] == '\\' && b[1] == 'u' {
		if low, ok := hex4(b[2:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				p.in.advance(6)
				return pair, nil
			}
		}
	}
	return utf8.RuneError, nil
}

// ended says why the input has no more bytes.
func (p *parser) ended() error {
	if p.in.err != nil && p.in.err != io.EOF {
		return p.in.err
	}
	return errCut
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(b[:4]), 16, 16)
	return rune(n), err == nil
}
