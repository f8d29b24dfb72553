package bucket

import (
	"errors"
	"fmt"
	"strings"
)

// ErrKey says that a text can not be a key, or the beginning of one.
var ErrKey = errors.New("invalid key")

// CheckKey refuses what the contract of Bucket does not allow as a key, and elements that begin with a dot, which the
// folder driver needs for itself. The error wraps ErrKey and does not repeat the key.
func CheckKey(key string) error {
	for element := range strings.SplitSeq(key, "/") {
		if element == "" {
			return fmt.Errorf("%w: it has an empty element", ErrKey)
		}
		if err := checkElement(element); err != nil {
			return err
		}
	}
	return nil
}

// CheckPrefix refuses what no key can begin with. "" is a prefix of every key.
func CheckPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	folder, last := "", prefix
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		folder, last = prefix[:i], prefix[i+1:]
		if err := CheckKey(folder); err != nil {
			return err
		}
	}
	return checkElement(last)
}

func checkElement(element string) error {
	if strings.HasPrefix(element, ".") {
		return fmt.Errorf("%w: an element begins with a dot", ErrKey)
	}
	for i := range len(element) {
		if !keyByte(element[i]) {
			return fmt.Errorf("%w: byte 0x%02x is not a letter, digit, '.', '_' or '-'", ErrKey, element[i])
		}
	}
	return nil
}

func keyByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '.' || c == '_' || c == '-'
}

// Wrap begins an error of a driver with what was tried on which key, as in "create object KEY: …"; nil stays nil. A key
// that is none is quoted, since it may hold anything.
func Wrap(tried, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrKey):
		return fmt.Errorf("%s %q: %w", tried, key, err)
	default:
		return fmt.Errorf("%s %s: %w", tried, key, err)
	}
}
