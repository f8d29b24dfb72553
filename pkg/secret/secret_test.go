package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/secret"
)

// planted must not show in anything that is printed, in no spelling.
const planted = "hunter2-planted"

// client holds a secret the way real types do: in fields that fmt can and can not reach, behind pointers and in maps.
type client struct {
	Name   string
	Secret secret.Text
	inner  secret.Text
	ptr    *secret.Text
	list   []secret.Text
	byName map[string]secret.Text
	nested struct{ any any }
}

func newClient() client {
	text := secret.New(planted)
	c := client{Name: "visible", Secret: text, inner: text, ptr: &text, list: []secret.Text{text}, byName: map[string]secret.Text{"k": text}}
	c.nested.any = text
	return c
}

// shows tells whether printed text has the secret in it: as it is, in hex of either case, or as the numbers of its bytes.
func shows(printed string) bool {
	hexed := fmt.Sprintf("%x", planted)
	numbers := strings.Trim(fmt.Sprintf("%d", []byte(planted)), "[]")
	plain := strings.ToLower(strings.ReplaceAll(printed, " ", ""))
	return strings.Contains(plain, planted) || strings.Contains(plain, hexed) || strings.Contains(printed, numbers)
}

func TestShowsFindsAPlainSecret(t *testing.T) {
	for _, verb := range []string{"%s", "%q", "%x", "%X", "% x", "%v", "%#v", "%d"} {
		if s := fmt.Sprintf(verb, planted); verb != "%d" && !shows(s) {
			t.Errorf("%s: the judge of these tests does not see the secret in %q", verb, s)
		}
		if s := fmt.Sprintf(verb, []byte(planted)); verb != "%#v" && !shows(s) {
			t.Errorf("%s of bytes: the judge of these tests does not see the secret in %q", verb, s)
		}
	}
}

// TestNoVerbShowsIt tries every letter as a verb, with every flag, right or wrong for the type.
func TestNoVerbShowsIt(t *testing.T) {
	text := secret.New(planted)
	values := map[string]any{
		"value": text, "pointer": &text, "slice": []secret.Text{text}, "array": [1]secret.Text{text},
		"map": map[string]secret.Text{"k": text}, "key": map[secret.Text]int{text: 1}, "any": []any{text},
		"struct": newClient(), "struct pointer": new(newClient()), "anonymous": struct{ t secret.Text }{text},
	}
	for name, v := range values {
		for verb := range 128 {
			if verb < 'A' || verb > 'z' {
				continue
			}
			for _, flag := range []string{"", "+", "#", "-40", "040", " ", "+#", ".3"} {
				format := "%" + flag + string(rune(verb))
				if s := fmt.Sprintf(format, v); shows(s) {
					t.Errorf("%s of %s: %s", format, name, s)
				}
			}
		}
	}
}

// TestVerbsSayRedacted: the reader of a log sees that there is a value which is not shown.
func TestVerbsSayRedacted(t *testing.T) {
	text := secret.New(planted)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%e", "%U", "%10s", "%y"} {
		for _, v := range []any{text, &text, secret.Text{}} {
			if s := fmt.Sprintf(verb, v); s != "[redacted]" {
				t.Errorf("%s: %q", verb, s)
			}
		}
	}
	for _, s := range []string{fmt.Sprint(text), fmt.Sprintln(text)[:len("[redacted]")], text.String()} {
		if s != "[redacted]" {
			t.Errorf("%q", s)
		}
	}
	if s := fmt.Sprintf("%+v", struct{ Token secret.Text }{text}); s != "{Token:[redacted]}" {
		t.Errorf("in a struct: %s", s)
	}
}

// TestMisusedFormat: fmt's own complaints print what they could not use.
func TestMisusedFormat(t *testing.T) {
	text := secret.New(planted)
	for _, tc := range []struct {
		format string
		args   []any
	}{
		{"no verb", []any{text}}, {"%[2]d", []any{text}}, {"%*d", []any{text, 1}}, {"%.*f", []any{text, 1.0}},
		{"%!", []any{text}}, {"wrapped: %w", []any{text}}, {"wrapped: %w", []any{&text}}, {"%d%", []any{text}},
	} {
		if s := fmt.Errorf(tc.format, tc.args...).Error(); shows(s) {
			t.Errorf("%s: %s", tc.format, s)
		}
	}
}

func TestErrors(t *testing.T) {
	err := fmt.Errorf("refresh ticket with %v: %w", secret.New(planted), errors.New("refused"))
	if want := "refresh ticket with [redacted]: refused"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

func TestJSON(t *testing.T) {
	text := secret.New(planted)
	for name, v := range map[string]any{
		"value": text, "pointer": &text, "struct": newClient(), "map": map[string]any{"k": text}, "key": map[secret.Text]int{text: 1},
		"omitempty": struct {
			T secret.Text `json:",omitempty"`
		}{text},
	} {
		data, err := json.Marshal(v)
		if err != nil || shows(string(data)) || !bytes.Contains(data, []byte("[redacted]")) {
			t.Errorf("%s: %s, %v", name, data, err)
		}
	}
	type document struct{ T secret.Text }
	if data, err := xml.Marshal(document{text}); err != nil || shows(string(data)) {
		t.Errorf("XML: %s, %v", data, err)
	}
}

func TestSlog(t *testing.T) {
	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		log := slog.New(h).With("secret", secret.New(planted)).WithGroup("g")
		log.Info("attrs", "text", secret.New(planted), "client", newClient(), "pointer", new(newClient()))
		log.Info("error", "error", fmt.Errorf("with %s", secret.New(planted)), "list", []secret.Text{secret.New(planted)})
	}
	if shows(buf.String()) || strings.Count(buf.String(), "[redacted]") < 8 {
		t.Error(buf.String())
	}
}

func TestReveal(t *testing.T) {
	for _, tc := range []struct {
		text  secret.Text
		want  string
		empty bool
	}{
		{secret.New(planted), planted, false},
		{secret.New(""), "", true},
		{secret.Text{}, "", true},
		{secret.New(" "), " ", false},
	} {
		if got := tc.text.Reveal(); got != tc.want || tc.text.Empty() != tc.empty {
			t.Errorf("reveals %q, empty %t; want %q, %t", got, tc.text.Empty(), tc.want, tc.empty)
		}
	}
}

// TestSameValueIsEqual: Texts are compared with == and are keys of maps.
func TestSameValueIsEqual(t *testing.T) {
	made := string([]byte(planted)) // not the same memory
	if secret.New(planted) != secret.New(made) || secret.New("") != (secret.Text{}) {
		t.Error("Texts of the same value differ")
	}
	if secret.New(planted) == secret.New(planted+"!") || secret.New(planted) == (secret.Text{}) {
		t.Error("Texts of different values are the same")
	}
}

func Example() {
	token := secret.New("xoxb-1234")
	fmt.Println("calling with", token)
	fmt.Printf("%#v\n", struct{ Token secret.Text }{token})
	fmt.Println(len(token.Reveal()), "bytes go into the request")
	// Output:
	// calling with [redacted]
	// struct { Token secret.Text }{Token:[redacted]}
	// 9 bytes go into the request
}
