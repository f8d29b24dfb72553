package peertest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// TSA is a running timestamp authority with certificates of its own: openssl, which nobody of us wrote, answers each question.
type TSA struct {
	URL   string // takes RFC 3161 requests
	Chain []byte // PEM: the signer's certificate, and its root

	dir     string // the authority's keys, serial number and settings
	openssl string
	one     sync.Mutex // openssl counts in a file
}

// tsaSettings are openssl's: a root, a certificate that is for timestamps and nothing else (RFC 3161 section 2.3), and the policy.
const tsaSettings = `[req]
distinguished_name = name
prompt = no
[name]
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
[tsa]
default_tsa = authority
[authority]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
certs = root.pem
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
ess_cert_id_alg = sha256
`

// StartTSA makes an authority, and answers on 127.0.0.1 until the test ends.
func StartTSA(t testing.TB) *TSA {
	t.Helper()
	s := &TSA{dir: t.TempDir(), openssl: Program(t, "openssl")}
	s.write(t, "settings", tsaSettings)
	s.write(t, "serial", "01\n")
	key := []string{"req", "-config", "settings", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"}
	s.run(t, append(key, "-x509", "-subj", "/CN=root of a test", "-extensions", "root", "-days", "30", "-keyout", "root.key", "-out", "root.pem")...)
	s.run(t, append(key, "-subj", "/CN=timestamps of a test", "-keyout", "signer.key", "-out", "signer.csr")...)
	s.run(t, "x509", "-req", "-in", "signer.csr", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "2", "-days", "30",
		"-extfile", "settings", "-extensions", "signer", "-out", "signer.pem")
	s.Chain = append(s.read(t, "signer.pem"), s.read(t, "root.pem")...)
	server := httptest.NewServer(s) // of 127.0.0.1
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// ServeHTTP answers a question as RFC 3161 section 3.4 says.
func (s *TSA) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if kind := r.Header.Get("Content-Type"); r.Method != http.MethodPost || kind != "application/timestamp-query" {
		http.Error(w, "not a question for a timestamp", http.StatusBadRequest)
		return
	}
	answer, err := s.reply(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(answer)
}

func (s *TSA) reply(r *http.Request) ([]byte, error) {
	s.one.Lock()
	defer s.one.Unlock()
	query, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "query"), query, 0o600); err != nil {
		return nil, err
	}
	if out, err := s.command("ts", "-reply", "-config", "settings", "-section", "authority", "-queryfile", "query", "-out", "reply").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("openssl ts -reply: %w: %s", err, out)
	}
	return os.ReadFile(filepath.Join(s.dir, "reply"))
}

func (s *TSA) command(args ...string) *exec.Cmd {
	cmd := exec.Command(s.openssl, args...)
	cmd.Dir = s.dir
	return cmd
}

func (s *TSA) run(t testing.TB, args ...string) {
	t.Helper()
	if out, err := s.command(args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %q: %v\n%s", args, err, out)
	}
}

func (s *TSA) write(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *TSA) read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
