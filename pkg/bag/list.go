package bag

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The lists of a bag, of the one kind that is read and written here.
const (
	payloadList = "manifest-sha256.txt"
	tagList     = "tagmanifest-sha256.txt"
)

// Bounds of a list: memory grows with it.
const (
	maxFiles = 1 << 20
	maxList  = 128 << 20 // bytes
	maxLine  = 2*sha256.Size + 2 + 3*maxName
)

// line is a file's line in a list.
func line(digest, name string) string { return digest + "  " + encoder.Replace(name) + "\n" }

// parseLine reads a line of a list, without its end: digest, blanks, name (RFC 8493 section 2.1.3). The digest comes in lower case.
func parseLine(text string) (digest, name string, err error) {
	const blanks = " \t"
	end := strings.IndexAny(text, blanks)
	if end < 0 {
		return "", "", errors.New("no line of a list: digest, blanks, name")
	}
	digest = strings.ToLower(text[:end])
	if raw, err := hex.DecodeString(digest); err != nil || len(raw) != sha256.Size {
		return "", "", errors.New("it does not begin with a SHA-256 of 64 hex digits")
	}
	encoded := strings.TrimLeft(text[end:], blanks)
	if strings.Contains(encoded, "\r") {
		return "", "", errors.New("a carriage return in a name must be encoded, as %0D")
	}
	if name, err = decode(encoded); err != nil {
		return "", "", err
	}
	return digest, name, checkName(name)
}

// list is what a list says: digests by name.
type list map[string]string

// readList reads a list whole. Each line that is wrong is told by its number; a list that is too long ends with an error.
func readList(r io.Reader, payload bool, wrong func(n int, err error)) (list, error) {
	all := make(list)
	lines := bufio.NewScanner(io.LimitReader(r, maxList+1))
	lines.Buffer(nil, maxLine)
	bytes := 0
	for n := 1; lines.Scan(); n++ {
		if bytes += len(lines.Bytes()) + 1; bytes > maxList || n > maxFiles {
			return nil, fmt.Errorf("it is too long: %d files and %d bytes are the most", maxFiles, maxList)
		}
		digest, name, err := parseLine(lines.Text())
		if err == nil {
			err = all.add(digest, name, payload)
		}
		if err != nil {
			wrong(n, err)
		}
	}
	return all, lines.Err()
}

func (l list) add(digest, name string, payload bool) error {
	if _, twice := l[name]; twice {
		return fmt.Errorf("it names %s a second time", Shown(name))
	}
	if strings.HasPrefix(name, payloadFolder) != payload {
		return fmt.Errorf("it names %s, which is for the other list", Shown(name))
	}
	l[name] = digest
	return nil
}
