package bag

import (
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// payloadFolder is what the names of the payload begin with.
const payloadFolder = "data/"

// maxName bounds a name in bytes: what systems take.
const maxName = 4096

// checkName refuses a name that would lead out of the bag on some system, or that has a second spelling. Names are slash-separated
// and relative to the bag's folder.
func checkName(name string) error {
	switch {
	case name == "" || len(name) > maxName:
		return fmt.Errorf("its name must have 1 to %d bytes", maxName)
	case !utf8.ValidString(name):
		return errors.New("its name is not UTF-8")
	case strings.ContainsRune(name, 0):
		return errors.New("its name holds a zero byte")
	case strings.Contains(name, `\`):
		return errors.New("its name holds a backslash, which separates folders on some systems")
	case strings.HasPrefix(name, "/"):
		return errors.New("its name is an absolute path")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch {
		case part == "..":
			return errors.New("its name leads out of the bag (..)")
		case len(part) > 1 && part[1] == ':' && unicode.IsLetter(rune(part[0])):
			return errors.New("its name begins with a drive letter")
		}
	}
	if path.Clean(name) != name {
		return errors.New("its name is not in the plain form: no empty part, no dot alone, no slash at the end")
	}
	return nil
}

// folded is the same for names that a system takes for one where case does not count.
func folded(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// Shown is a name as a terminal may show it: quoted if there is anything in it that does not print.
func Shown(name string) string {
	plain := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if strings.ContainsFunc(name, plain) {
		return strconv.Quote(name)
	}
	return name
}

// encoder writes the three characters that a name in a list can not have as they are (RFC 8493 section 2.1.3).
var encoder = strings.NewReplacer("%", "%25", "\n", "%0A", "\r", "%0D")

// decode reads a name of a list. Only those three are ever encoded: anything else behind a % would give a file two names.
func decode(name string) (string, error) {
	var plain strings.Builder
	for {
		before, rest, found := strings.Cut(name, "%")
		plain.WriteString(before)
		if !found {
			return plain.String(), nil
		}
		code := rest[:min(2, len(rest))]
		switch strings.ToUpper(code) {
		case "25":
			plain.WriteByte('%')
		case "0A":
			plain.WriteByte('\n')
		case "0D":
			plain.WriteByte('\r')
		default:
			return "", errors.New("a % in it encodes neither CR nor LF nor % (RFC 8493 section 2.1.3)")
		}
		name = rest[2:]
	}
}
