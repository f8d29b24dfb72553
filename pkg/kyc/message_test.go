package kyc_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/kyc"
)

const (
	aMessage = `{"v":1,"orderNo":"orderNo0001","opening":"06h0jj61jg0i7k0tk96e9k3vfg","attempt":2,"notBefore":"2026-11-23T19:05:43.558Z"}`
	aDigest  = "eb923646c62dde4724689e1201fc5fcd33610096c09d349b51c7a077b3b5432f"
)

// TestMessageForm holds the step message to DESIGN section 6, in both directions.
func TestMessageForm(t *testing.T) {
	want := []kyc.Message{{
		V: 1, Order: "orderNo0001", Opening: "06h0jj61jg0i7k0tk96e9k3vfg", Attempt: 2,
		NotBefore: time.Date(2026, 11, 23, 19, 5, 43, 558e6, time.UTC),
	}}
	for _, text := range []string{aMessage, " \n" + aMessage, "[" + aMessage + "]"} {
		got, err := kyc.ParseMessages([]byte(text))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, -want +got:\n%s", text, err, diff)
		}
	}
	written, err := json.Marshal(want[0])
	if err != nil || string(written) != aMessage {
		t.Errorf("written as %s, %v", written, err)
	}
}

func TestMessagesRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          ``,
		"another thing":    `"hello"`,
		"two":              aMessage + aMessage,
		"newer":            strings.Replace(aMessage, `"v":1`, `"v":2`, 1),
		"no version":       strings.Replace(aMessage, `"v":1,`, ``, 1),
		"a path":           strings.Replace(aMessage, `orderNo0001`, `../orderNo0001`, 1),
		"no opening":       strings.Replace(aMessage, `06h0jj61jg0i7k0tk96e9k3vfg`, ``, 1),
		"early too rarely": strings.Replace(aMessage, `"attempt":2`, `"attempt":2,"early":-1`, 1),
		"attempt 0":        strings.Replace(aMessage, `"attempt":2`, `"attempt":0`, 1),
		"one bad of two":   `[` + aMessage + `,{}]`,
		"more than can be": `[` + strings.Repeat(aMessage+",", 10_000) + aMessage + `]`,
	} {
		msgs, err := kyc.ParseMessages([]byte(text))
		if !errors.Is(err, kyc.ErrMessage) || msgs != nil {
			t.Errorf("%s: %v, %v", name, msgs, err)
		}
	}
}

// FuzzMessages: what is read can be written and read again, and then the bytes stay the same. An error repeats nothing.
func FuzzMessages(f *testing.F) {
	odd := strings.Replace(aMessage, `}`, `,"single":true,"odd":["`+aDigest+`"],"early":3}`, 1)
	for _, seed := range []string{aMessage, odd, `[` + aMessage + `,` + odd + `]`, `[]`, `null`, `[null]`, `{`, "\t[ ]", `{"v":1e0,"orderNo":"a\u0000"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		msgs, err := kyc.ParseMessages(data)
		if err != nil {
			if word := longestWord(data); len(word) > 40 && strings.Contains(err.Error(), word) {
				t.Errorf("the error repeats the data: %v", err)
			}
			return
		}
		first, err := json.Marshal(msgs)
		if err != nil {
			t.Fatal(err)
		}
		again, err := kyc.ParseMessages(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || string(second) != string(first) {
			t.Errorf("read and written again:\n%s\n%s, %v", first, second, err)
		}
	})
}

// longestWord is the longest run of letters and digits.
func longestWord(data []byte) (longest string) {
	for word := range strings.FieldsFuncSeq(string(data), func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		if len(word) > len(longest) {
			longest = word
		}
	}
	return longest
}

// TestEarlyMessagesEnd: a message that always comes too early is sent anew a few times, and then worked on; the chain's next
// step goes on counting.
func TestEarlyMessagesEnd(t *testing.T) {
	m, now := kyc.Message{V: 1, NotBefore: epoch.Add(time.Hour)}, epoch
	for n := range kyc.MaxEarly {
		anew, early := m.Sooner(now, time.Second)
		if !early || anew.Early != n+1 || !anew.NotBefore.Equal(m.NotBefore) {
			t.Fatalf("time %d: %+v, %v", n+1, anew, early)
		}
		m = anew
	}
	if _, early := m.Sooner(now, time.Second); early {
		t.Error("it is sent anew for ever")
	}
	if _, early := (kyc.Message{NotBefore: epoch.Add(time.Second)}).Sooner(now, time.Second); early {
		t.Error("a second early is not soon enough")
	}
	w := newWorld()
	hint := w.open(t)
	hint.Early = 3
	if _, err := w.puller(w.mem, &upstream{script: []answer{none}}).Step(t.Context(), hint); err != nil {
		t.Fatal(err)
	}
	if len(w.mail.msgs) != 1 || w.mail.msgs[0].Early != 3 || w.mail.msgs[0].Attempt != 2 {
		t.Errorf("the next step is %+v", w.mail.msgs)
	}
}
