package faceid

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// quantum is the unit of Base64: four characters, three bytes.
const quantum = 4

var (
	errBase64 = errors.New("is not well-formed Base64")
	errShort  = errors.New("ends in the middle of its Base64")
	errPrefix = errors.New("has a data: prefix that does not say base64")
	errNoText = errors.New("is neither text nor null")
)

// medium decodes one JSON string of Base64 into a sink (PROTOCOL section 4). Clean runs are decoded as they lie in the
// window, those with common escapes after these were taken out there; rare escapes, white space, padding and the edges of
// windows go through char.
type medium struct {
	p    *parser
	kind archive.Kind
	sink kyc.Sink

	quad [quantum]byte // a quantum that is not whole yet
	held int           // characters in quad
	done bool          // padding was seen: nothing may follow

	lane *lane
	out  []byte // decoded, not sent yet
}

// medium reads the value of a medium, which may be null or empty: then the sink is not called.
func (p *parser) medium(kind archive.Kind, sink kyc.Sink) error {
	c, err := p.token()
	switch {
	case err != nil:
		return err
	case c == 'n':
		return p.literal("ull")
	case c != '"':
		return fmt.Errorf("%s %w", kind, errNoText)
	}
	m := &medium{p: p, kind: kind, sink: sink}
	err = m.decode()
	if closed := m.close(); closed != nil {
		return closed // what is wrong on our side comes first: it must not look like the service's fault
	}
	if err != nil {
		return fmt.Errorf("%s %w", kind, err)
	}
	return nil
}

func (m *medium) decode() error {
	if ended, err := m.prefix(); err != nil || ended {
		return err
	}
	for {
		run, err := m.p.in.unquoted()
		if err == io.EOF {
			return errCut
		}
		if err != nil {
			return err
		}
		ended, err := m.run(run)
		if err != nil || ended {
			return err
		}
	}
}

// run decodes what lies before the next quote in the window, up to an escape that is a rare one, which it takes as well.
func (m *medium) run(run []byte) (ended bool, err error) {
	clean, taken := unescape(run)
	if err := m.chars(clean); err != nil {
		return false, err
	}
	m.p.in.advance(taken)
	if taken == len(run) && m.p.in.quote == m.p.in.end {
		return false, nil // the window's end
	}
	c, ended, err := m.unescaped()
	if err != nil || ended {
		return ended, err
	}
	return false, m.char(c)
}

// unescape takes the escapes that services put into Base64 out of run, in place, so that the rest can be decoded in bulk:
// \/ for every slash, as PHP writes it, and line breaks, which count for nothing. It gives what is plain then, and how many
// bytes of run that was: up to another escape, or to one that the window cuts.
func unescape(run []byte) (plain []byte, taken int) {
	from := bytes.IndexByte(run, '\\')
	if from < 0 {
		return run, len(run)
	}
	to := from
	for from+1 < len(run) { // at a backslash
		switch run[from+1] {
		case '/':
			run[to] = '/'
			to++
		case 'n', 'r':
		default:
			return run[:to], from
		}
		from += 2
		clean := bytes.IndexByte(run[from:], '\\')
		if clean < 0 {
			clean = len(run) - from
		}
		to += copy(run[to:], run[from:from+clean])
		from += clean
	}
	return run[:to], from
}

// unescaped reads one character of the string, or its closing quote.
func (m *medium) unescaped() (c byte, ended bool, err error) {
	if c, err = m.p.next(); err != nil {
		return 0, false, err
	}
	switch c {
	case '"':
		return 0, true, m.finish()
	case '\\':
		r, err := m.p.escape()
		if err == nil && r >= utf8.RuneSelf {
			err = errBase64
		}
		return byte(r), false, err
	}
	return c, false, nil
}

// chars decodes Base64 characters without escapes. Whole quanta are decoded at once if they hold nothing but the
// alphabet, which the length of the outcome shows; else one by one, as is the first quantum, which opens the sink.
func (m *medium) chars(run []byte) error {
	for len(run) > 0 && (m.held > 0 || m.done || m.lane == nil) {
		if err := m.char(run[0]); err != nil {
			return err
		}
		run = run[1:]
	}
	whole := len(run) &^ (quantum - 1)
	if whole > 0 {
		ok, err := m.quanta(run[:whole])
		if err != nil {
			return err
		}
		if ok {
			run = run[whole:]
		}
	}
	for _, c := range run {
		if err := m.char(c); err != nil {
			return err
		}
	}
	return nil
}

// quanta decodes characters in bulk. It takes nothing, and ok is false, if one of them is not of the alphabet.
func (m *medium) quanta(src []byte) (ok bool, err error) {
	size := len(src) / quantum * 3
	if err := m.room(size); err != nil {
		return false, err
	}
	at := len(m.out)
	if !decodeQuanta(m.out[at:at+size:at+size], src) {
		return false, nil
	}
	m.out = m.out[:at+size]
	return true, nil
}

// char takes one character: white space is dropped, everything else is held until there are four.
func (m *medium) char(c byte) error {
	if isSpace(c) {
		return nil
	}
	if m.done {
		return errBase64
	}
	m.quad[m.held] = c
	m.held++
	if m.held < quantum {
		return nil
	}
	m.held = 0
	m.done = c == '='
	var b [3]byte
	n, err := base64.StdEncoding.Decode(b[:], m.quad[:])
	if err != nil {
		return errBase64
	}
	if err := m.room(n); err != nil {
		return err
	}
	m.out = append(m.out, b[:n]...)
	return nil
}

// finish is called at the closing quote.
func (m *medium) finish() error {
	if m.held > 0 {
		return errShort
	}
	return nil
}

// room makes sure that size bytes, at most laneSize, fit into the buffer. The first call opens the sink.
func (m *medium) room(size int) (err error) {
	if m.lane == nil {
		w, err := m.sink(m.kind)
		if err != nil {
			return &SinkError{Err: err}
		}
		m.lane = newLane(w)
	}
	if m.out != nil && len(m.out)+size <= cap(m.out) {
		return nil
	}
	if m.out != nil {
		m.lane.send(m.out)
	}
	m.out, err = m.lane.buffer()
	return err
}

// close writes the rest and waits for the writer.
func (m *medium) close() error {
	if m.lane == nil {
		return nil
	}
	if len(m.out) > 0 {
		m.lane.send(m.out)
	}
	return m.lane.close()
}
