package faceid

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// byteOrderMark may stand before the JSON: some gateways write one (RFC 8259 section 8.1 lets a reader pass over it).
const byteOrderMark = "\ufeff"

// maxDepth is how deeply a reply may be nested; the service's are nested twice.
const maxDepth = 1000

// Limits on what is kept of a token, in bytes. Longer strings are read and dropped; a longer number is no number.
const (
	maxKey    = 128
	maxString = 4 << 10
	maxNumber = 4096
)

var (
	errCut     = fmt.Errorf("reply ends before its JSON does: %w", io.ErrUnexpectedEOF)
	errJSON    = errors.New("reply is not well-formed JSON")
	errTooDeep = errors.New("reply is nested too deeply")
	errObject  = errors.New("reply is not a JSON object")
	errTail    = errors.New("reply goes on after its JSON")
)

// parser pulls JSON tokens from an input, in constant memory. It takes what RFC 8259 allows, and raw tabs and line breaks
// in strings. Errors do not quote the reply.
type parser struct {
	in      *input
	scratch []byte // the string or number that was read last
}

// next reads one byte; the end of the input is an error here.
func (p *parser) next() (byte, error) {
	c, err := p.in.next()
	if err == io.EOF {
		err = errCut
	}
	return c, err
}

// token reads white space and the byte after it.
func (p *parser) token() (byte, error) {
	for {
		c, err := p.next()
		if err != nil || !isSpace(c) {
			return c, err
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// document reads the one object that the input must hold, and on to the input's end, so that everything below (lengths,
// checksums) has had its say.
func (p *parser) document(field func(key []byte) error) error {
	if string(p.in.peek(len(byteOrderMark))) == byteOrderMark {
		p.in.advance(len(byteOrderMark))
	}
	c, err := p.token()
	switch {
	case errors.Is(err, errCut):
		return fmt.Errorf("%w: it is empty", errObject)
	case err != nil:
		return err
	case c != '{':
		return errObject
	}
	if err := p.members(1, field); err != nil {
		return err
	}
	_, err = p.token()
	switch {
	case err == nil:
		return errTail
	case errors.Is(err, errCut):
		return nil
	default:
		return err
	}
}

// members reads an object whose '{' was read; field reads each value. The key is valid until the next read; it is nil for a
// key longer than maxKey.
func (p *parser) members(depth int, field func(key []byte) error) error {
	if depth > maxDepth {
		return errTooDeep
	}
	c, err := p.token()
	if err != nil || c == '}' {
		return err
	}
	for {
		if err := p.member(c, field); err != nil {
			return err
		}
		if c, err = p.token(); err != nil || c == '}' {
			return err
		}
		if c != ',' {
			return errJSON
		}
		if c, err = p.token(); err != nil {
			return err
		}
	}
}

// member reads a key, whose first byte is c, and its value.
func (p *parser) member(c byte, field func(key []byte) error) error {
	if c != '"' {
		return errJSON
	}
	whole, err := p.text(maxKey)
	if err != nil {
		return err
	}
	if c, err = p.token(); err != nil {
		return err
	}
	if c != ':' {
		return errJSON
	}
	if !whole {
		return field(nil)
	}
	return field(p.scratch)
}

// elements reads an array whose '[' was read, and drops it.
func (p *parser) elements(depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	c, err := p.token()
	if err != nil || c == ']' {
		return err
	}
	for {
		if err := p.drop(c, depth); err != nil {
			return err
		}
		if c, err = p.token(); err != nil || c == ']' {
			return err
		}
		if c != ',' {
			return errJSON
		}
		if c, err = p.token(); err != nil {
			return err
		}
	}
}

// drop reads a value, whose first byte is c, inside something of the given depth, and forgets it.
func (p *parser) drop(c byte, depth int) error {
	_, err := p.value(c, depth)
	return err
}

// value reads a value whose first byte is c. Strings, numbers and booleans are given back as string, json.Number and bool;
// null, objects, arrays and strings longer than maxString as nil.
func (p *parser) value(c byte, depth int) (any, error) {
	switch c {
	case '"':
		whole, err := p.text(maxString)
		if err != nil || !whole {
			return nil, err
		}
		return p.str(), nil
	case '{':
		return nil, p.members(depth+1, func([]byte) error {
			c, err := p.token()
			if err != nil {
				return err
			}
			return p.drop(c, depth+1)
		})
	case '[':
		return nil, p.elements(depth + 1)
	case 't':
		return true, p.literal("rue")
	case 'f':
		return false, p.literal("alse")
	case 'n':
		return nil, p.literal("ull")
	default:
		return p.number(c)
	}
}

func (p *parser) literal(rest string) error {
	for i := range len(rest) {
		c, err := p.next()
		if err != nil {
			return err
		}
		if c != rest[i] {
			return errJSON
		}
	}
	return nil
}

// number reads a number whose first byte is c.
func (p *parser) number(c byte) (any, error) {
	p.scratch = append(p.scratch[:0], c)
	for {
		b := p.in.peek(1)
		if len(b) == 0 {
			return nil, p.ended()
		}
		if !inNumber(b[0]) {
			break
		}
		if len(p.scratch) == maxNumber {
			return nil, errJSON
		}
		p.scratch = append(p.scratch, b[0])
		p.in.advance(1)
	}
	if !inNumber(c) || !json.Valid(p.scratch) {
		return nil, errJSON
	}
	return json.Number(p.scratch), nil
}

func inNumber(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}
