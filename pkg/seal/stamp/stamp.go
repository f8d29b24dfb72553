// Package stamp gets trusted timestamps (RFC 3161) for checkpoints, and checks them: somebody else's word that the bytes were
// there at a time. It is apart from package seal, so that nobody links its ASN.1 and PKCS #7 who asks for no timestamp.
package stamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

const (
	requestType  = "application/timestamp-query" // RFC 3161 section 3.4
	responseType = "application/timestamp-reply"
	// maxToken bounds an answer: a token with its certificates has a few kilobytes.
	maxToken = 256 << 10
	// timeout bounds a question, so that an authority that hangs costs a pass not more than this.
	timeout = 15 * time.Second
	// maxSkew is how far an authority's time may be from the asker's.
	maxSkew = 10 * time.Minute
)

// Client asks one authority. It implements seal.Stamper.
type Client struct {
	URL   string
	Roots *Roots    // nil: any certificate will do, and whoever checks must know the authority
	Rand  io.Reader // for nonces
	Now   func() time.Time
	HTTP  http.RoundTripper // nil is http.DefaultTransport
}

// Stamp gets a token for the bytes, and gives it only if it is about them, answers this question, and is signed as it must be.
func (c *Client) Stamp(ctx context.Context, signed []byte) ([]byte, error) {
	nonce, err := c.nonce()
	if err != nil {
		return nil, err
	}
	request, err := timestamp.CreateRequest(bytes.NewReader(signed), &timestamp.RequestOptions{Hash: crypto.SHA256, Certificates: true, Nonce: nonce})
	if err != nil {
		return nil, fmt.Errorf("make timestamp request: %w", err)
	}
	token, err := c.post(ctx, request)
	if err != nil {
		return nil, fmt.Errorf("ask timestamp authority: %w", withoutURL(err))
	}
	t, err := Check(signed, token, c.Roots)
	switch {
	case err != nil:
		return nil, err
	case t.nonce == nil || t.nonce.Cmp(nonce) != 0:
		return nil, fmt.Errorf("check timestamp: it answers another question: %w", ErrToken)
	case t.Time.Sub(c.Now()).Abs() > maxSkew:
		return nil, fmt.Errorf("check timestamp: its time is %s off this machine's clock: %w", t.Time.Sub(c.Now()).Round(time.Second), ErrToken)
	}
	return token, nil
}

// nonce is a number of 128 random bits, above 0.
func (c *Client) nonce() (*big.Int, error) {
	var b [16]byte
	if _, err := io.ReadFull(c.Rand, b[:]); err != nil {
		return nil, fmt.Errorf("make nonce: %w", err)
	}
	b[0] = b[0]&0x3f | 0x40 // of full length, and positive
	return new(big.Int).SetBytes(b[:]), nil
}

func (c *Client) post(ctx context.Context, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", requestType)
	req.Header.Set("Accept", responseType)
	res, err := (&http.Client{Transport: c.HTTP, CheckRedirect: stay}).Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode/100 == 3 {
		return nil, fmt.Errorf("it redirects (status %d), which is not followed: set the URL that it leads to, if you trust that", res.StatusCode)
	}
	kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode/100 != 2 || kind != responseType {
		return nil, fmt.Errorf("it answers with status %d and no timestamp", res.StatusCode)
	}
	token, err := io.ReadAll(io.LimitReader(res.Body, maxToken+1))
	if err == nil && len(token) > maxToken {
		err = fmt.Errorf("it answers with more than %d bytes", maxToken)
	}
	return token, err
}

// stay follows no redirect: net/http would hand the query, which may hold a secret, to the next host in a Referer.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// withoutURL drops the URL that net/http puts into its errors: its query may hold a secret.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// ErrToken says that a timestamp is not one for these bytes, or not signed by an authority that is trusted.
var ErrToken = errors.New("not a good timestamp")

// Token is a checked timestamp.
type Token struct {
	Time         time.Time           // when the authority saw the bytes
	Certificates []*x509.Certificate // that came with it
	nonce        *big.Int
}

// Check looks whether an answer of an authority, whole as it came, is a timestamp of these bytes: by their SHA-256, and signed
// with a certificate for timestamps, which, with roots, must lead to one of them at that time.
func Check(signed, token []byte, roots *Roots) (Token, error) {
	t, err := timestamp.ParseResponse(token)
	if err != nil {
		return Token{}, fmt.Errorf("read timestamp: %w (%w)", ErrToken, err)
	}
	sum := sha256.Sum256(signed)
	if t.HashAlgorithm != crypto.SHA256 || !bytes.Equal(t.HashedMessage, sum[:]) {
		return Token{}, fmt.Errorf("check timestamp: it is of other bytes: %w", ErrToken)
	}
	if err := trusted(t, roots); err != nil {
		return Token{}, fmt.Errorf("check who signed the timestamp: %w (%w)", ErrToken, err)
	}
	return Token{Time: t.Time.UTC(), Certificates: t.Certificates, nonce: t.Nonce}, nil
}

// trusted checks the signature, and the certificates at the time of the timestamp.
func trusted(t *timestamp.Timestamp, roots *Roots) error {
	p7, err := pkcs7.Parse(t.RawToken)
	if err != nil {
		return err
	}
	signer := p7.GetOnlySigner()
	if signer == nil { // ParseResponse has checked no signature then
		return errors.New("no certificate of its signer came with it")
	}
	if !slices.Contains(signer.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) {
		return errors.New("the certificate is not for timestamps")
	}
	if roots == nil {
		return p7.Verify()
	}
	between := x509.NewCertPool()
	for _, cert := range slices.Concat(p7.Certificates, roots.all) {
		between.AddCert(cert)
	}
	return p7.VerifyWithOpts(x509.VerifyOptions{
		Roots: roots.pool, Intermediates: between, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	})
}

// Roots are the certificates that timestamps must lead to.
type Roots struct {
	pool *x509.CertPool
	all  []*x509.Certificate
	pem  []byte
}

// ParseRoots reads PEM certificates. Those that have signed themselves are trusted; the others may stand between.
func ParseRoots(text []byte) (*Roots, error) {
	r := &Roots{pool: x509.NewCertPool(), pem: text}
	trusted := 0
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" {
			return nil, errors.New("read certificates: one of the PEM blocks is no certificate")
		}
		if bytes.Equal(cert.RawSubject, cert.RawIssuer) {
			r.pool.AddCert(cert)
			trusted++
		}
		r.all = append(r.all, cert)
	}
	if trusted == 0 {
		return nil, errors.New("read certificates: there is no PEM root certificate (-----BEGIN CERTIFICATE-----, its own issuer)")
	}
	return r, nil
}

// PEM is what ParseRoots was given.
func (r *Roots) PEM() []byte { return r.pem }
