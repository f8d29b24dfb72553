package stamp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/peertest"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
)

var checkpoint = []byte("test.example/vault\n10\n…\n")

func roots(t *testing.T, pem []byte) *stamp.Roots {
	t.Helper()
	r, err := stamp.ParseRoots(pem)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func client(url string, roots *stamp.Roots) *stamp.Client {
	return &stamp.Client{URL: url, Roots: roots, Rand: rand.Reader, Now: time.Now}
}

// TestRealAuthority: a token of openssl's authority is good to us and to openssl, and to neither for other bytes or another root.
func TestRealAuthority(t *testing.T) {
	other, tsa := peertest.StartTSA(t), peertest.StartTSA(t)
	trusted := roots(t, tsa.Chain)
	token, err := client(tsa.URL, trusted).Stamp(t.Context(), checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	got, err := stamp.Check(checkpoint, token, trusted)
	if err != nil || time.Since(got.Time).Abs() > time.Minute || len(got.Certificates) == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := stamp.Check(checkpoint, token, nil); err != nil {
		t.Errorf("any authority: %v", err)
	}
	if _, err := stamp.Check(append(bytes.Clone(checkpoint), 'x'), token, trusted); !errors.Is(err, stamp.ErrToken) {
		t.Errorf("other bytes: %v", err)
	}
	if _, err := stamp.Check(checkpoint, token, roots(t, other.Chain)); !errors.Is(err, stamp.ErrToken) {
		t.Errorf("another root: %v", err)
	}
	if _, err := client(tsa.URL, roots(t, other.Chain)).Stamp(t.Context(), checkpoint); !errors.Is(err, stamp.ErrToken) {
		t.Errorf("asked with another root: %v", err)
	}
	for i := range token { // no byte of it can be changed, but for those that nothing is said by
		bad := bytes.Clone(token)
		bad[i] ^= 0x10
		if _, err := stamp.Check(checkpoint, bad, trusted); err != nil && !errors.Is(err, stamp.ErrToken) {
			t.Errorf("byte %d: %v", i, err)
		}
	}
	opensslAgrees(t, checkpoint, token, tsa.Chain, true)
	opensslAgrees(t, []byte("other"), token, tsa.Chain, false)
	opensslAgrees(t, checkpoint, token, other.Chain, false)
}

func opensslAgrees(t *testing.T, data, token, chain []byte, good bool) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string][]byte{"data": data, "token": token, "chain": chain} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), peertest.Program(t, "openssl"), "ts", "-verify", "-data", "data", "-in", "token", "-CAfile", "chain", "-untrusted", "chain")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if (err == nil) != good || good && !strings.Contains(string(out), "Verification: OK") {
		t.Errorf("openssl ts -verify, want good %t: %v\n%s", good, err, out)
	}
}

// TestReplayedToken: a token that answers an earlier question is refused, and so is one from long ago.
func TestReplayedToken(t *testing.T) {
	tsa := peertest.StartTSA(t)
	c := client(tsa.URL, nil)
	token, err := c.Stamp(t.Context(), checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	replay := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(token)
	}))
	defer replay.Close()
	if _, err := client(replay.URL, nil).Stamp(t.Context(), checkpoint); !errors.Is(err, stamp.ErrToken) || !strings.Contains(err.Error(), "another question") {
		t.Errorf("replayed: %v", err)
	}
	c.Now = func() time.Time { return time.Now().Add(time.Hour) }
	if _, err := c.Stamp(t.Context(), checkpoint); !errors.Is(err, stamp.ErrToken) {
		t.Errorf("an authority whose clock is an hour off: %v", err)
	}
}

// TestBadAuthorities: none of these answers is stored, and no error has the URL's query.
func TestBadAuthorities(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"page":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"error":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"garbage":  replying([]byte("0")),
		"refusal":  replying([]byte{0x30, 5, 0x30, 3, 2, 1, 2}),
		"too much": replying(make([]byte, 1<<20)),
		"broken":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			server := authority(t, answer)
			token, err := client(server.URL+"/?key=planted-5ecret", nil).Stamp(t.Context(), checkpoint)
			if err == nil || token != nil || strings.Contains(err.Error(), "planted") {
				t.Errorf("%x, %v", token, err)
			}
		})
	}
}

func TestStampStopped(t *testing.T) {
	server := authority(t, replying([]byte("0")))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := client(server.URL, nil).Stamp(ended, checkpoint); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// authority serves answer, after a look at how it was asked.
func authority(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Content-Type") != "application/timestamp-query" || r.Header.Get("Accept") != "application/timestamp-reply" || r.Method != http.MethodPost {
			t.Errorf("asked by %s with %s", r.Method, r.Header.Get("Content-Type"))
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server
}

// replying answers with body, called a timestamp reply.
func replying(body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(body)
	}
}

func TestParseRootsRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "text": "hello", "key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"damaged": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	} {
		if _, err := stamp.ParseRoots([]byte(text)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
