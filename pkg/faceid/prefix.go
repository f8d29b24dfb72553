package faceid

import (
	"bytes"
	"strings"
)

// A data URL may stand before the Base64: "data:image/jpeg;base64,".
const (
	dataScheme = "data:"
	dataBase64 = ";base64"
	maxPrefix  = 256 // bytes between scheme and comma
)

// prefix reads white space and a data URL's head, where there is one. What turns out to be none is taken as Base64: "data" are
// four characters of its alphabet. ended says that the string ended meanwhile.
func (m *medium) prefix() (ended bool, err error) {
	var seen []byte
	for len(seen) < len(dataScheme) {
		c, ended, err := m.unescaped()
		if err != nil {
			return false, err
		}
		if !ended && isSpace(c) && len(seen) == 0 {
			continue
		}
		if !ended {
			seen = append(seen, c)
		}
		if ended || !strings.EqualFold(string(seen), dataScheme[:len(seen)]) {
			return ended, m.give(seen, ended)
		}
	}
	return m.dataHead()
}

// give takes characters that were read ahead; ended says that nothing follows them.
func (m *medium) give(seen []byte, ended bool) error {
	if err := m.chars(seen); err != nil {
		return err
	}
	if ended {
		return m.finish()
	}
	return nil
}

// dataHead reads on to the comma of a data URL.
func (m *medium) dataHead() (ended bool, err error) {
	var head []byte
	for len(head) <= maxPrefix {
		c, ended, err := m.unescaped()
		if err != nil {
			return false, err
		}
		if ended {
			return true, errPrefix
		}
		if c == ',' {
			if !bytes.HasSuffix(bytes.ToLower(head), []byte(dataBase64)) {
				return false, errPrefix
			}
			return false, nil
		}
		head = append(head, c)
	}
	return false, errPrefix
}
