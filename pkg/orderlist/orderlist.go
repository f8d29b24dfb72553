// Package orderlist reads order numbers out of a file: a plain list, one on a line, or a CSV with a header. Nothing is
// guessed: a line that holds no order number is reported with its number, and the caller decides.
package orderlist

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"github.com/kycvault/kycvault/pkg/archive"
)

// DefaultMaxBytes bounds a list: more than a million lines of a wide export. A quote that never ends is read no further.
const DefaultMaxBytes = 256 << 20

// ErrList says that a list can not be read as a whole: no order number of it may be used.
var ErrList = errors.New("can not be read as a list of orders")

// List is what was read.
type List struct {
	Orders   []archive.Order // in the order of the file, each once
	Repeated int             // lines with an order number that an earlier line has
	Bad      []Bad           // lines without an order number, in the order of the file
}

// Bad is a line that holds something, and no order number.
type Bad struct {
	Line int // from 1
	Err  error
}

// Error tells the line and what is wrong with it. It does not repeat the line, which may hold anything.
func (b Bad) Error() string { return fmt.Sprintf("line %d: %v", b.Line, b.Err) }

// Options say how to read a list.
type Options struct {
	// Column is the name of the order numbers' column, or, where no column has that name, its number from 1 in a file
	// without a header. "" is the column with one of the usual names, or the only one.
	Column string
	// MaxBytes bounds the list; 0 is DefaultMaxBytes.
	MaxBytes int64
}

// Read reads a list to its end. Columns are separated by commas, semicolons or tabs, fields may be quoted; a byte order
// mark, blank lines and lines that begin with # are passed over. An error wraps ErrList, unless reading r failed.
func Read(r io.Reader, o Options) (List, error) {
	most := cmp.Or(o.MaxBytes, DefaultMaxBytes)
	limited := &io.LimitedReader{R: r, N: most + 1}
	buffered := bufio.NewReaderSize(limited, 64<<10)
	separator, err := open(buffered)
	if err != nil {
		return List{}, err
	}
	l := lines{csv: csv.NewReader(buffered), seen: make(map[archive.Order]bool)}
	l.csv.Comma, l.csv.Comment, l.csv.FieldsPerRecord, l.csv.ReuseRecord = separator, '#', -1, true
	err = l.read(o.Column)
	switch {
	case limited.N <= 0:
		return List{}, fmt.Errorf("%w: more than %d MiB; split it", ErrList, most>>20)
	case err != nil:
		return List{}, err
	case len(l.Orders)+len(l.Bad) == 0:
		return List{}, fmt.Errorf("%w: there is no order number in it", ErrList)
	}
	return l.List, nil
}

// open passes over the byte order mark, refuses what is not text, and finds out what separates columns.
func open(r *bufio.Reader) (separator rune, err error) {
	head, err := r.Peek(r.Size())
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read list of orders: %w", err)
	}
	if rest, marked := bytes.CutPrefix(head, []byte("\xef\xbb\xbf")); marked {
		_, _ = r.Discard(len(head) - len(rest))
		head = rest
	}
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) || bytes.IndexByte(head, 0) >= 0 {
		return 0, fmt.Errorf("%w: it is no plain text in UTF-8 (from a spreadsheet, save as \"CSV UTF-8\")", ErrList)
	}
	return separatorOf(firstLine(head)), nil
}

// firstLine gives the first line that is neither blank nor a comment.
func firstLine(text []byte) []byte {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimRight(line, "\r\n"); len(bytes.TrimSpace(line)) > 0 && line[0] != '#' {
			return line
		}
	}
	return nil
}

// separatorOf gives the first character of a line, outside quotes, that can separate columns. An order number holds none.
func separatorOf(line []byte) rune {
	quoted := false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ';' || c == '\t'):
			return rune(c)
		}
	}
	return ','
}
