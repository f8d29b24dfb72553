package faceid

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
)

// FuzzDecode compares with encoding/json and encoding/base64: what both take must have the same code and the same media;
// what one byte at a time and all at once bring must be the same, taken or refused.
func FuzzDecode(f *testing.F) {
	for _, c := range accepted {
		f.Add([]byte(c.body))
	}
	for _, c := range refused {
		f.Add([]byte(c.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := decode(bytes.NewReader(body))
		slow, slowErr := decode(iotest.OneByteReader(bytes.NewReader(body)))
		if (err == nil) != (slowErr == nil) {
			t.Fatalf("at once: %v, bytewise: %v", err, slowErr)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(got, slow); diff != "" {
			t.Fatalf("at once and bytewise (-at once +bytewise):\n%s", diff)
		}
		if want, ok := byTheBook(body); ok {
			if got.Code != want.Code || !cmp.Equal(got.Media, want.Media) {
				t.Fatalf("(-encoding/json +ours):\n%s", cmp.Diff(want, got))
			}
		}
	})
}

// byTheBook reads a reply with the standard library. It does not know what only we take, nor a name twice in an object.
func byTheBook(body []byte) (decoded, bool) {
	var top map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&top) != nil || names(body) == nil {
		return decoded{}, false
	}
	nested, _ := top["result"].(map[string]any)
	out := decoded{Media: map[archive.Kind][]string{}}
	switch code := top["code"].(type) {
	case string:
		out.Code = code
	case json.Number:
		out.Code = code.String()
	}
	// Their order is the text's: with a medium both flat and nested it is not known here.
	for _, kind := range []archive.Kind{archive.Photo, archive.Video} {
		for _, from := range []map[string]any{top, nested} {
			text, _ := from[string(kind)].(string)
			b, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return decoded{}, false
			}
			if len(b) > 0 {
				out.Media[kind] = append(out.Media[kind], string(b))
			}
		}
		if len(out.Media[kind]) > 1 {
			return decoded{}, false
		}
	}
	return out, true
}

// names gives the names in a document, nil if one of them occurs twice anywhere.
func names(body []byte) map[string]bool {
	seen := map[string]bool{}
	d := json.NewDecoder(bytes.NewReader(body))
	type level struct{ object, value bool }
	var levels []level
	for {
		token, err := d.Token()
		if err != nil {
			return seen
		}
		inObject := len(levels) > 0 && levels[len(levels)-1].object
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				levels = append(levels, level{object: v == '{'})
				continue
			}
			levels = levels[:len(levels)-1]
		case string:
			if inObject && !levels[len(levels)-1].value {
				if seen[v] {
					return nil
				}
				seen[v] = true
				levels[len(levels)-1].value = true
				continue
			}
		}
		if len(levels) > 0 {
			levels[len(levels)-1].value = false
		}
	}
}

// FuzzBase64 puts any text into a medium, split into windows anywhere, and compares with encoding/base64 over the text
// without its white space.
func FuzzBase64(f *testing.F) {
	for _, seed := range []string{"", "QQ==", "QUJD", "QUI=", "Q", "QQ", "QQQ", "QQ=", "====", "Q\nU\rJ D", "QQ==QUJD", "data", "dat", "_-8=", strings.Repeat("QUJD", 30), strings.Repeat("QUJD", 30) + "\nQ==="} {
		f.Add([]byte(seed), uint16(7))
	}
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		if bytes.ContainsAny(text, "\"\\") || bytes.HasPrefix(bytes.ToLower(bytes.TrimLeft(text, " \t\r\n")), []byte("data:")) {
			return // other tests have those
		}
		want, wantErr := base64.StdEncoding.DecodeString(strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(string(text)))
		cut := min(int(at), len(text))
		head, tail := `{"code":"0","photo":"`, `"}`
		for how, r := range map[string]io.Reader{
			"at once": strings.NewReader(head + string(text) + tail),
			"split":   io.MultiReader(strings.NewReader(head+string(text[:cut])), strings.NewReader(string(text[cut:])+tail)),
		} {
			got, err := decode(r)
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("%s: ours: %v, encoding/base64: %v", how, err, wantErr)
			}
			if joined := strings.Join(got.Media[archive.Photo], "|"); err == nil && joined != string(want) {
				t.Fatalf("%s: %q, want %q", how, joined, want)
			}
		}
	})
}

// FuzzEscapedBase64 is FuzzBase64 for text with escapes: encoding/json says what they mean.
func FuzzEscapedBase64(f *testing.F) {
	for _, seed := range []string{
		`QUJD\/\/\/\/`, `QUJDQU\nJD\r\n`, `\u0051UJD`, `QUJD\/\/8=\n`, `QQ==\/`, `QUJDQUJD\`, `QUJDQUJD\x`, `QUJD\\UJD`, `\/`, `\/\/\/\/\n`,
		strings.Repeat(`QUJD\/\/9h`, 30) + `\u002b\u002Baa` + strings.Repeat(`QUJD\r\n`, 9),
	} {
		f.Add([]byte(seed), uint16(9))
	}
	f.Fuzz(func(t *testing.T, text []byte, at uint16) {
		if bytes.ContainsAny(text, `":`) || bytes.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // it ends early, may be a data URL, or is text that encoding/json takes otherwise
		}
		var plain string
		wantErr := json.Unmarshal([]byte(`"`+string(text)+`"`), &plain)
		var want []byte
		if wantErr == nil {
			want, wantErr = base64.StdEncoding.DecodeString(strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(plain))
		}
		cut := min(int(at), len(text))
		head, tail := `{"code":"0","photo":"`, `"}`
		for how, r := range map[string]io.Reader{
			"at once": strings.NewReader(head + string(text) + tail),
			"split":   io.MultiReader(strings.NewReader(head+string(text[:cut])), strings.NewReader(string(text[cut:])+tail)),
		} {
			got, err := decode(r)
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("%s: ours: %v, by the book: %v", how, err, wantErr)
			}
			if joined := strings.Join(got.Media[archive.Photo], "|"); err == nil && joined != string(want) {
				t.Fatalf("%s: %q, want %q", how, joined, want)
			}
		}
	})
}

// FuzzQuanta holds the fast decoder to its promise: it takes what is of the alphabet alone, gives the same bytes as
// encoding/base64, and writes nowhere else.
func FuzzQuanta(f *testing.F) {
	for _, seed := range []string{"QUJD", "QQ==", "QUI=", "\nUJD", "QU=D", strings.Repeat("/+9a", 40), strings.Repeat("QUJD", 20) + "Q\r=="} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		src = src[:len(src)&^(quantum-1)]
		if len(src) == 0 {
			return
		}
		size := len(src) / quantum * 3
		room := bytes.Repeat([]byte{0xA5}, size+64)
		ok := decodeQuanta(room[:size:size], src)
		want, err := base64.StdEncoding.DecodeString(string(src))
		clean := err == nil && !bytes.ContainsAny(src, "=\r\n")
		if ok != clean || ok && !bytes.Equal(room[:size], want) {
			t.Errorf("%q: taken %v, want %v", src, ok, clean)
		}
		if !bytes.Equal(room[size:], bytes.Repeat([]byte{0xA5}, 64)) {
			t.Errorf("%q: wrote behind its place", src)
		}
	})
}
