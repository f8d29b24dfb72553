package archive_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/archive"
)

func TestParseOrder(t *testing.T) {
	for _, s := range []string{"a", "0", "Z", "orderNo19959248596551", strings.Repeat("9", 32), "NULL", "manifest"} {
		if o, err := archive.ParseOrder(s); err != nil || string(o) != s {
			t.Errorf("%q: %q, %v", s, o, err)
		}
	}
}

// TestParseOrderRefuses: an order number becomes part of keys, and of URLs.
func TestParseOrderRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"empty": "", "33": strings.Repeat("9", 33), "a million": strings.Repeat("a", 1e6),
		"dots": "..", "dot": ".", "inner dot": "a.b", "slash": "a/b", "leading slash": "/a", "backslash": `a\b`,
		"blank": " ", "leading blank": " a", "trailing blank": "a ", "tab": "a\t", "line break": "a\n", "NUL": "a\x00",
		"umlaut": "ä", "Chinese": "订单", "full-width digit": "１", "Arabic digit": "٣", "broken UTF-8": "a\xff", "zero-width": "a\u200b",
		"dash": "a-b", "underscore": "a_b", "percent": "%61", "plus": "a+b", "quote": `"a"`, "query": "a?b", "ampersand": "a&b",
		"below 0": "a/", "above 9": "a:", "below A": "a@", "above Z": "a[", "below a": "a`", "above z": "a{",
	} {
		o, err := archive.ParseOrder(s)
		if o != "" || !errors.Is(err, archive.ErrOrder) {
			t.Errorf("%s: %q, %v; want ErrOrder", name, o, err)
			continue
		}
		if len(s) > 3 && strings.Contains(err.Error(), s) {
			t.Errorf("%s: the error repeats what was given: %v", name, err)
		}
	}
}

var plainOrder = regexp.MustCompile(`\A[0-9A-Za-z]{1,32}\z`)

func FuzzOrder(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		o, err := archive.ParseOrder(s)
		plain := plainOrder.MatchString(s)
		if plain != (err == nil) || plain && string(o) != s {
			t.Errorf("%q: %q, %v", s, o, err)
		}
	})
}
