package orderlist

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// usualNames are the headings that mean "order number", folded. The last two are 订单号 and 订单编号 in GBK, the encoding
// that a Chinese spreadsheet saves a plain CSV in; order numbers are ASCII in either.
func usualNames() []string {
	return []string{"order", "orderno", "ordernum", "ordernumber", "orderid", "订单", "订单号", "订单编号", "订单号码",
		"\xb6\xa9\xb5\xa5\xba\xc5", "\xb6\xa9\xb5\xa5\xb1\xe0\xba\xc5"}
}

// fold makes headings comparable: Order_No, "order no" and orderNo are the same. It works on bytes, as the encoding may be any.
func fold(name string) string {
	folded := make([]byte, 0, len(name))
	for _, c := range []byte(name) {
		switch {
		case strings.IndexByte("_-. ", c) >= 0:
		case c >= 'A' && c <= 'Z':
			folded = append(folded, c-'A'+'a')
		default:
			folded = append(folded, c)
		}
	}
	return string(folded)
}

// findColumn finds the column of the order numbers, from 0, and tells whether the first line is a header.
func findColumn(first []string, name string) (at int, header bool, err error) {
	if name != "" {
		return chosenColumn(first, name)
	}
	var found []int
	for i, field := range first {
		if slices.Contains(usualNames(), fold(field)) {
			found = append(found, i)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], true, nil
	case len(found) > 1:
		return 0, false, fmt.Errorf("columns %d and %d both have a name for order numbers; choose one by name", found[0]+1, found[1]+1)
	case len(first) == 1:
		return 0, false, nil
	}
	return 0, false, errors.New("none of its columns has a name for order numbers (orderNo, order_no, order, 订单号); choose one by name, " +
		"or, without a header, by number")
}

// chosenColumn finds the column that was asked for. The names in a file are not repeated: it may be anything.
func chosenColumn(first []string, name string) (at int, header bool, err error) {
	exact := func(field string) bool { return field == strings.TrimSpace(name) }
	folded := func(field string) bool { return fold(field) == fold(strings.TrimSpace(name)) }
	for _, same := range []func(string) bool{exact, folded} {
		at = slices.IndexFunc(first, same)
		if at >= 0 && slices.IndexFunc(first[at+1:], same) >= 0 {
			return 0, false, errors.New("several columns have the chosen name")
		}
		if at >= 0 {
			return at, true, nil
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= len(first) {
		return n - 1, false, nil
	}
	return 0, false, fmt.Errorf("no column has the chosen name, and there are %d", len(first))
}
