package bag

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	infoFile = "bag-info.txt"
	// declared is what bagit.txt says of the one version and encoding that are written and read here (RFC 8493 section 2.1.1).
	declared = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
	// maxInfo bounds bag-info.txt.
	maxInfo = 1 << 20
)

// checkDeclaration reads bagit.txt, its lines ended in either way.
func checkDeclaration(text string) error {
	version, rest, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	encoding, rest, _ := strings.Cut(rest, "\n")
	wantVersion, wantEncoding, _ := strings.Cut(strings.TrimSuffix(declared, "\n"), "\n")
	switch {
	case version != wantVersion:
		return fmt.Errorf("its first line is not %q", wantVersion)
	case encoding != wantEncoding:
		return fmt.Errorf("its second line is not %q", wantEncoding)
	case rest != "":
		return errors.New("it has more than two lines")
	}
	return nil
}

// oxum gives the value of Payload-Oxum in bag-info.txt (RFC 8493 section 2.2.2); found is false when there is none.
func oxum(text string) (value string, found bool, err error) {
	if !utf8.ValidString(text) {
		return "", false, errors.New("it is not UTF-8")
	}
	for line := range strings.Lines(text) {
		label, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !strings.EqualFold(label, "Payload-Oxum") {
			continue
		}
		if found {
			return "", true, errors.New("it has Payload-Oxum a second time")
		}
		value, found = strings.TrimSpace(rest), true
	}
	return value, found, nil
}
