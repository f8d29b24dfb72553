package ticket

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

// vector is testdata/generation.json: what is stored, byte for byte, for a known pair and nonce.
type vector struct {
	Secret      string    `json:"secret"`
	AppID       string    `json:"appId"`
	Generation  int64     `json:"generation"`
	Nonce       string    `json:"nonce"`
	Ticket      string    `json:"ticket"`
	AccessToken string    `json:"accessToken"`
	Requested   time.Time `json:"requested"`
	Expires     time.Time `json:"expires"`
	Stored      string    `json:"stored"`
}

func (v vector) pair() Pair {
	return Pair{
		Ticket: secret.New(v.Ticket), AccessToken: secret.New(v.AccessToken), Generation: v.Generation,
		Requested: v.Requested, Expires: v.Expires,
	}
}

func readVector(t *testing.T) vector {
	t.Helper()
	text, err := os.ReadFile("testdata/generation.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestStoredFormIsFixed(t *testing.T) {
	v := readVector(t)
	nonce, err := hex.DecodeString(v.Nonce)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSealer(secret.New(v.Secret), v.AppID, bytes.NewReader(nonce))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.seal(v.pair())
	if err != nil || hex.EncodeToString(sealed) != v.Stored {
		t.Errorf("sealed, error %v:\n%x\nwant\n%s", err, sealed, v.Stored)
	}
	stored, err := hex.DecodeString(v.Stored)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := s.open(v.Generation, stored); err != nil || p != v.pair() {
		t.Errorf("opened: generation %d, %s to %s, error %v", p.Generation, p.Requested, p.Expires, err)
	}
}

func TestSealNeedsRandomBytes(t *testing.T) {
	s, err := newSealer(secret.New("s"), testApp, bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.seal(Pair{Generation: 1}); err == nil {
		t.Error("sealed without random bytes")
	}
	if _, err := newLease(bytes.NewReader(nil)); err == nil {
		t.Error("made a lease without random bytes")
	}
}

// FuzzEnvelope checks that what parses is written back as the same bytes, and that nothing but the vector opens.
func FuzzEnvelope(f *testing.F) {
	for _, seed := range []string{"", "kvt", "kvt\x01", "kvt\x01............................", "kvt\x02.............................", "kvu\x01............................"} {
		f.Add([]byte(seed))
	}
	s, err := newSealer(secret.New(testSecret), testApp, bytes.NewReader(make([]byte, nonceLen)))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1e9, 0)
	genuine, err := s.seal(Pair{Ticket: secret.New("t"), AccessToken: secret.New("a"), Generation: 7, Requested: now, Expires: now.Add(1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(genuine)
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := parseEnvelope(b); err == nil && !bytes.Equal(e.bytes(), b) {
			t.Errorf("%x is written back as %x", b, e.bytes())
		}
		if _, err := s.open(7, b); (err == nil) != bytes.Equal(b, genuine) {
			t.Errorf("open %x: %v", b, err)
		}
		if _, err := s.open(8, b); err == nil {
			t.Errorf("%x opens as another generation", b)
		}
	})
}

// FuzzLease checks that every lease ends, and that a lease that decodes is the same after writing and reading.
func FuzzLease(f *testing.F) {
	for _, seed := range []string{`{"v":1,"nonce":"00","seconds":30}`, `{"seconds":-1}`, `{}`, ``, `[]`, `{"seconds":9223372036854775807}`} {
		f.Add([]byte(seed))
	}
	made := time.Unix(1e9, 0)
	f.Fuzz(func(t *testing.T, body []byte) {
		if l := parseLease(body, made); !l.exists() || l.ttl > maxLeaseTTL || !l.ends().After(made) {
			t.Errorf("%q lasts %s", body, l.ttl)
		}
		b, err := decodeLease(body)
		if err != nil {
			return
		}
		again, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := decodeLease(again); err != nil || c != b {
			t.Errorf("%q becomes %q, error %v", body, again, err)
		}
	})
}
