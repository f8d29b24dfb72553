package ticket

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// TestSpoiledGenerationsAreSkipped puts something that must not be trusted under the newest number.
func TestSpoiledGenerationsAreSkipped(t *testing.T) {
	now := time.Now()
	pair := func(n int64) Pair {
		return Pair{Ticket: secret.New("planted"), AccessToken: secret.New("planted"), Generation: n, Requested: now, Expires: now.Add(time.Hour)}
	}
	seal := func(t *testing.T, appSecret, app string, n int64) []byte {
		t.Helper()
		s := newSealerFor(t, appSecret)
		s.appID = app
		b, err := s.seal(pair(n))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	mine := func(t *testing.T) []byte { return seal(t, testSecret, testApp, 2) }
	tests := []struct {
		name   string
		stored func(*testing.T) []byte
	}{
		{"empty", func(*testing.T) []byte { return nil }},
		{"not ours", func(*testing.T) []byte { return []byte(`{"ticket":"planted"}`) }},
		{"a bit flipped", func(t *testing.T) []byte { b := mine(t); b[len(b)/2] ^= 1; return b }},
		{"cut short", func(t *testing.T) []byte { b := mine(t); return b[:len(b)-1] }},
		{"with a tail", func(t *testing.T) []byte { return append(mine(t), 0) }},
		{"of a later version", func(t *testing.T) []byte { b := mine(t); b[3]++; return b }},
		{"with another secret", func(t *testing.T) []byte { return seal(t, "another secret", testApp, 2) }},
		{"for another app id", func(t *testing.T) []byte { return seal(t, testSecret, "IDAYYYYY", 2) }},
		{"a copy of another generation", func(t *testing.T) []byte { return seal(t, testSecret, testApp, 1) }},
		{"huge", func(t *testing.T) []byte { return append(mine(t), make([]byte, 2*maxStored)...) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake, api := newUpstream(t, faceidtest.Config{})
			b := openDir(t, t.TempDir())
			plant(t, b, pair(1))
			plantLease(t, b, 2)
			plantBytes(t, b, 2, tt.stored(t))
			var log peertest.Log
			o := newOwn(t, b, api, logTo(&log))
			if got := current(t, o); got.Generation != 1 || got.Value.Reveal() != "planted" {
				t.Errorf("generation %d, want 1", got.Generation)
			}
			if !strings.Contains(log.String(), `"level":"WARN"`) || !strings.Contains(log.String(), `"generation":2`) {
				t.Errorf("log: %s", log.String())
			}
			if p, err := o.attempt(t.Context(), 1); err != nil || p.Generation != 3 || fake.Stats().Refreshes != 1 {
				t.Errorf("the next refresh made generation %d, error %v; want 3", p.Generation, err)
			}
		})
	}
	t.Run("untouched", func(t *testing.T) {
		_, api := newUpstream(t, faceidtest.Config{})
		b := openDir(t, t.TempDir())
		plantLease(t, b, 1)
		plantLease(t, b, 2)
		plantBytes(t, b, 2, mine(t))
		if got := current(t, newOwn(t, b, api)); got.Generation != 2 {
			t.Errorf("generation %d, want 2", got.Generation)
		}
	})
}

// TestForgedTicketInTheWay forges the number that a holder is about to publish: the forgery is neither replaced nor used.
func TestForgedTicketInTheWay(t *testing.T) {
	_, api := newUpstream(t, faceidtest.Config{})
	forged := []byte("forged")
	u := &upset{Bucket: openDir(t, t.TempDir())}
	u.create = func(key string, do func() error) error {
		if err := do(); err != nil || key != archive.LeaseKey(1) {
			return err
		}
		return u.Bucket.Create(t.Context(), archive.TicketKey(1), bucket.Bytes(forged, ""))
	}
	if _, err := newOwn(t, u, api).Current(t.Context()); err == nil || !strings.Contains(err.Error(), "something else lies under its key") {
		t.Errorf("Current: %v", err)
	}
	there, _, err := newOwn(t, u, api).reader.get(t.Context(), archive.TicketKey(1))
	if err != nil || !bytes.Equal(there, forged) {
		t.Errorf("the forgery was replaced, or: %v", err)
	}
	if got := current(t, newOwn(t, u, api)); got.Generation != 2 {
		t.Errorf("the next process made generation %d, want 2", got.Generation)
	}
}

// TestStrangeLeases checks that a lease that cannot be read, or claims to last for ever, blocks nobody for long.
func TestStrangeLeases(t *testing.T) {
	made := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for body, want := range map[string]time.Duration{
		`{"v":1,"nonce":"00","seconds":30}`:                  30 * time.Second,
		`{"v":2,"nonce":"00","seconds":60,"more":[]}`:        time.Minute,
		`{"v":1,"nonce":"00","seconds":86400}`:               maxLeaseTTL,
		`{"v":1,"nonce":"00","seconds":9223372036854775807}`: leaseTTL,
		`{"v":1,"nonce":"00","seconds":-5}`:                  leaseTTL,
		`{"v":1,"nonce":"00"}`:                               leaseTTL,
		``:                                                   leaseTTL,
		`null`:                                               leaseTTL,
		`{"v":1,"nonce":"00","seconds":30,"v":1} and a tail`:  leaseTTL,
		`{"v":1,"nonce":"00","seconds":"30"}`:                 leaseTTL,
		"\xff\x00" + `{"v":1,"nonce":"00","seconds":3000000}`: leaseTTL,
	} {
		if l := parseLease([]byte(body), made); !l.ends().Equal(made.Add(want)) || !l.exists() {
			t.Errorf("%q lasts %s, want %s", body, l.ends().Sub(made), want)
		}
	}
}
