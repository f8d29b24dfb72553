package stamp_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/kycvault/kycvault/pkg/seal/stamp"
)

// signer is one who signs timestamps, or certificates: an authority that may be made as bad as a test wants, which openssl refuses.
type signer struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newSigner makes one whose certificate is by above; nil is by itself.
func newSigner(t *testing.T, above *signer, usages ...x509.ExtKeyUsage) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: serial.String()}, ExtKeyUsage: usages, IsCA: len(usages) == 0, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	s := signer{t, template, key}
	by := s
	if above != nil {
		by = *above
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	if s.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return s
}

// pem is the certificate in a PEM block of the type.
func (s signer) pem(kind string) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: s.cert.Raw})
}

// token makes a timestamp of data, which change may spoil before it is signed.
func (s signer) token(data []byte, change func(*timestamp.Timestamp)) []byte {
	s.t.Helper()
	sum := sha256.Sum256(data)
	stamp := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Time: time.Now().UTC().Truncate(time.Second), Nonce: big.NewInt(1),
		Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, AddTSACertificate: true,
	}
	change(&stamp)
	token, err := stamp.CreateResponseWithOpts(s.cert, s.key, crypto.SHA256)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func asItIs(*timestamp.Timestamp) {}

// TestWhoSigned: a token counts only if a certificate for timestamps came with it, and leads to a root that is trusted.
func TestWhoSigned(t *testing.T) {
	root := newSigner(t, nil)
	between := newSigner(t, &root)
	good := newSigner(t, &between, x509.ExtKeyUsageTimeStamping)
	other := newSigner(t, &between, x509.ExtKeyUsageCodeSigning)
	all := slices.Concat(between.pem("CERTIFICATE"), root.pem("CERTIFICATE"))
	for name, c := range map[string]struct {
		by     signer
		change func(*timestamp.Timestamp)
		pem    []byte // nil: anyone is trusted
		good   bool
	}{
		"anyone":                        {good, asItIs, nil, true},
		"one of the root":               {good, asItIs, all, true},
		"what is between is not there":  {good, asItIs, root.pem("CERTIFICATE"), false},
		"not for timestamps":            {other, asItIs, nil, false},
		"not for timestamps, of a root": {other, asItIs, all, false},
		"no certificate":                {good, func(s *timestamp.Timestamp) { s.AddTSACertificate = false }, nil, false},
		"no certificate, of a root":     {good, func(s *timestamp.Timestamp) { s.AddTSACertificate = false }, all, false},
		"before the certificate was":    {good, func(s *timestamp.Timestamp) { s.Time = s.Time.Add(-2 * time.Hour) }, all, false},
		"of other bytes":                {good, func(s *timestamp.Timestamp) { s.HashedMessage[0] ^= 1 }, all, false},
		"of another hash": {good, func(s *timestamp.Timestamp) {
			s.HashAlgorithm, s.HashedMessage = crypto.SHA512, make([]byte, 64)
		}, all, false},
	} {
		var trusted *stamp.Roots
		if c.pem != nil {
			trusted = roots(t, c.pem)
		}
		if _, err := stamp.Check(checkpoint, c.by.token(checkpoint, c.change), trusted); (err == nil) != c.good || err != nil && !errors.Is(err, stamp.ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := stamp.ParseRoots(between.pem("CERTIFICATE")); err == nil {
		t.Error("a certificate that another has signed is taken for a root")
	}
	if _, err := stamp.ParseRoots(root.pem("X509 CRL")); err == nil {
		t.Error("a block that is called something else is taken for a certificate")
	}
}

// answering is an authority that makes each token by the question's nonce.
func (s signer) answering(change func(*timestamp.Timestamp)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query, _ := io.ReadAll(r.Body)
		asked, err := timestamp.ParseRequest(query)
		if err != nil || !asked.Certificates || asked.HashAlgorithm != crypto.SHA256 {
			s.t.Errorf("asked %+v, %v", asked, err)
		}
		replying(s.token(checkpoint, func(t *timestamp.Timestamp) { t.Nonce = asked.Nonce; change(t) }))(w, r)
	}
}

// TestTimeAndNonce: what answers no question, or is more than ten minutes off this machine's clock, is not kept.
func TestTimeAndNonce(t *testing.T) {
	by := newSigner(t, nil, x509.ExtKeyUsageTimeStamping)
	at := time.Now().UTC().Truncate(time.Second)
	for name, c := range map[string]struct {
		change func(*timestamp.Timestamp)
		now    time.Time
		good   bool
	}{
		"now":                  {asItIs, at, true},
		"ten minutes ago":      {asItIs, at.Add(10 * time.Minute), true},
		"longer ago":           {asItIs, at.Add(10*time.Minute + 1), false},
		"ten minutes to come":  {asItIs, at.Add(-10 * time.Minute), true},
		"longer to come":       {asItIs, at.Add(-10*time.Minute - 1), false},
		"no nonce":             {func(s *timestamp.Timestamp) { s.Nonce = nil }, at, false},
		"another nonce":        {func(s *timestamp.Timestamp) { s.Nonce = new(big.Int).Add(s.Nonce, big.NewInt(1)) }, at, false},
		"another nonce's sign": {func(s *timestamp.Timestamp) { s.Nonce = new(big.Int).Neg(s.Nonce) }, at, false},
	} {
		c2 := client(authority(t, by.answering(func(s *timestamp.Timestamp) { s.Time = at; c.change(s) })).URL, nil)
		c2.Now = func() time.Time { return c.now }
		token, err := c2.Stamp(t.Context(), checkpoint)
		if (err == nil) != c.good || (token == nil) == c.good || err != nil && !errors.Is(err, stamp.ErrToken) {
			t.Errorf("%s: %d bytes, %v", name, len(token), err)
		}
	}
}

// TestNonces: whatever the randomness, a nonce is positive and of full length; without randomness nothing is asked.
func TestNonces(t *testing.T) {
	by := newSigner(t, nil, x509.ExtKeyUsageTimeStamping)
	for _, b := range []byte{0, 0x7f, 0x80, 0xff} {
		var nonce *big.Int
		c := client(authority(t, by.answering(func(s *timestamp.Timestamp) { nonce = s.Nonce })).URL, nil)
		c.Rand = bytes.NewReader(append([]byte{b, ^b}, bytes.Repeat([]byte{b}, 14)...))
		if _, err := c.Stamp(t.Context(), checkpoint); err != nil || nonce.Sign() != 1 || nonce.BitLen() != 127 || byte(nonce.Uint64()) != b || nonce.Bit(120) != uint(b&1) {
			t.Errorf("of %x: nonce %x, %v", b, nonce, err)
		}
	}
	c := client(authority(t, func(http.ResponseWriter, *http.Request) { t.Error("asked") }).URL, nil)
	c.Rand = bytes.NewReader(make([]byte, 15))
	if _, err := c.Stamp(t.Context(), checkpoint); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("without randomness: %v", err)
	}
}

// TestNoReply: a good token in an answer that says it is none, or that is too long, is not taken, and the error says why.
func TestNoReply(t *testing.T) {
	by := newSigner(t, nil, x509.ExtKeyUsageTimeStamping)
	good := by.answering(asItIs)
	for want, answer := range map[string]http.HandlerFunc{
		"status 500": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/timestamp-reply")
			w.WriteHeader(http.StatusInternalServerError)
			good(w, r)
		},
		"status 200": func(w http.ResponseWriter, r *http.Request) { // its body is a good token, which is called a page
			inner := httptest.NewRecorder()
			good(inner, r)
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(inner.Body.Bytes())
		},
		"more than 262144 bytes": replying(make([]byte, 256<<10+1)),
		"read timestamp":         replying(make([]byte, 256<<10)),
	} {
		token, err := client(authority(t, answer).URL, nil).Stamp(t.Context(), checkpoint)
		if err == nil || token != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if _, err := client("http://\x7f/?key=planted", nil).Stamp(t.Context(), checkpoint); err == nil || !strings.Contains(err.Error(), "ask timestamp authority: ") || strings.Contains(err.Error(), "planted") {
		t.Errorf("an address that is none: %v", err)
	}
}

// TestNoRedirect: whoever the authority sends the question on to is not asked, and learns nothing of a secret in the query.
func TestNoRedirect(t *testing.T) {
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			t.Errorf("%d: asked by %s, referred by %q", status, r.Method, r.Referer())
		}))
		t.Cleanup(other.Close)
		redirect := authority(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+"/?to=planted", status) })
		token, err := client(redirect.URL+"/?key=planted", nil).Stamp(t.Context(), checkpoint)
		if token != nil || err == nil || !strings.Contains(err.Error(), "it redirects (status "+strconv.Itoa(status)+")") || strings.Contains(err.Error(), "planted") {
			t.Errorf("%d: %v", status, err)
		}
	}
}
