package archive

import (
	"errors"
	"fmt"
)

// MaxOrderLen is the longest order number the upstream takes (PROTOCOL section 1).
const MaxOrderLen = 32

// ErrOrder says that a text is not an order number.
var ErrOrder = errors.New("order number must be 1 to 32 letters and digits")

// Order is an order number (order_no): 1 to 32 ASCII letters and digits. It becomes part of keys, so every door makes it
// with ParseOrder, and nothing else does.
type Order string

// ParseOrder checks s. The error wraps ErrOrder and does not repeat s, which may be anything.
func ParseOrder(s string) (Order, error) {
	switch {
	case s == "":
		return "", fmt.Errorf("empty: %w", ErrOrder)
	case len(s) > MaxOrderLen:
		return "", fmt.Errorf("%d bytes long: %w", len(s), ErrOrder)
	}
	for i := range len(s) {
		if !alphanumeric(s[i]) {
			return "", fmt.Errorf("byte %d is neither: %w", i+1, ErrOrder)
		}
	}
	return Order(s), nil
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
