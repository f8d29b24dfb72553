package orderlist

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kycvault/kycvault/pkg/archive"
)

// lines is a list while it is read.
type lines struct {
	List
	csv  *csv.Reader
	seen map[archive.Order]bool
}

// read reads the header, if there is one, and then every line.
func (l *lines) read(column string) error {
	first, line, err := l.next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return err
	}
	at, header, err := findColumn(first, column)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrList, err)
	}
	if !header {
		l.take(first, at, line)
	}
	for {
		fields, line, err := l.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		l.take(fields, at, line)
	}
}

// next gives the fields of the next line that has any, without the blanks around them, and the line's number. Quotes that
// are wrong end the reading, since what they swallow could be anything.
func (l *lines) next() (fields []string, line int, err error) {
	for {
		fields, err = l.csv.Read()
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			return nil, 0, fmt.Errorf("%w: line %d: %w", ErrList, wrong.StartLine, wrong.Err)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("read list of orders: %w", err)
		}
		empty := true
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
			empty = empty && fields[i] == ""
		}
		if !empty {
			line, _ = l.csv.FieldPos(0)
			return fields, line, nil
		}
	}
}

// take takes the order number of one line.
func (l *lines) take(fields []string, at, line int) {
	if at >= len(fields) {
		l.Bad = append(l.Bad, Bad{line, fmt.Errorf("has %d columns, and order numbers are in column %d", len(fields), at+1)})
		return
	}
	o, err := archive.ParseOrder(fields[at])
	switch {
	case err != nil:
		l.Bad = append(l.Bad, Bad{line, err})
	case l.seen[o]:
		l.Repeated++
	default:
		o = archive.Order(strings.Clone(string(o))) // the rest of the line is not kept
		l.seen[o] = true
		l.Orders = append(l.Orders, o)
	}
}
