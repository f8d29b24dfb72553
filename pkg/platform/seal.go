package platform

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/smallfile"
)

// maxSealGrace bounds KYC_SEAL_GRACE: a seal is to be made soon.
const maxSealGrace = 24 * time.Hour

func (r *reader) seal(c *Config) {
	r.sealKeys("KYC_SEAL_KEY", c)
	c.SealEvery = r.duration("KYC_SEAL_EVERY", seal.MinEvery, seal.MaxEvery)
	if c.SealEvery%time.Second != 0 {
		r.mistake("KYC_SEAL_EVERY", "not whole seconds", "a duration such as 24h, 1h or 15m")
	}
	c.SealGrace = r.duration("KYC_SEAL_GRACE", seal.MinGrace, maxSealGrace)
	c.TSAURL = r.url("KYC_TSA_URL")
	c.TSACA = r.value("KYC_TSA_CA")
	if strings.HasPrefix(c.TSACA, pemBegin) {
		_, err := stamp.ParseRoots([]byte(c.TSACA))
		r.note("KYC_TSA_CA", err, "PEM certificates, or the path of a file with them")
	}
}

// pemBegin tells certificates from a file's path.
const pemBegin = "-----BEGIN "

// authority is KYC_TSA_CA as it may be shown.
func (c Config) authority() string {
	if strings.HasPrefix(c.TSACA, pemBegin) {
		return "set"
	}
	return c.TSACA
}

// TSARoots reads the certificates of KYC_TSA_CA; nil is none.
func (c Config) TSARoots() (*stamp.Roots, error) {
	if c.TSACA == "" {
		return nil, nil
	}
	text := []byte(c.TSACA)
	if !strings.HasPrefix(c.TSACA, pemBegin) {
		var err error
		if text, err = smallfile.Read(c.TSACA); err != nil {
			return nil, fmt.Errorf("read KYC_TSA_CA: %w", err)
		}
	}
	roots, err := stamp.ParseRoots(text)
	if err != nil {
		return nil, fmt.Errorf("read KYC_TSA_CA: %w", err)
	}
	return roots, nil
}

// sealKeys reads a private key, and the public keys behind it.
func (r *reader) sealKeys(name string, c *Config) {
	const expected = "PRIVATE+KEY+…, as kycvault seal keygen makes it; behind it, comma-separated, public keys that were used before"
	items := split(r.value(name))
	if len(items) == 0 {
		return
	}
	c.SealKey = secret.New(items[0])
	_, err := seal.ParseKey(c.SealKey)
	r.note(name, err, expected)
	for _, item := range items[1:] {
		_, err := seal.ParsePublicKey(item)
		r.note(name, err, expected)
		c.SealFormer = append(c.SealFormer, item)
	}
}

// Seals lets the Refetcher seal, if there is a key for it. It is for those who make passes: others need not link what does it.
func (s *System) Seals(c Config) error {
	if c.SealKey.Empty() {
		return nil
	}
	sealer, err := NewSealer(c, s.Archive, s.log)
	if err != nil {
		return err
	}
	s.Refetcher.Sealer = sealer
	return nil
}

// NewSealer makes the sealer of an archive. KYC_SEAL_KEY must be set.
func NewSealer(c Config, a *archive.Archive, log *slog.Logger) (*seal.Sealer, error) {
	key, err := seal.ParseKey(c.SealKey)
	if err != nil {
		return nil, fmt.Errorf("read KYC_SEAL_KEY: %w", err)
	}
	sealer := &seal.Sealer{Archive: a, Key: key, Every: c.SealEvery, Grace: c.SealGrace, Log: log}
	for _, text := range c.SealFormer {
		former, err := seal.ParsePublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("read KYC_SEAL_KEY: %w", err)
		}
		sealer.Former = append(sealer.Former, former)
	}
	if c.TSAURL != "" {
		roots, err := c.TSARoots()
		if err != nil {
			return nil, err
		}
		sealer.Stamper = &stamp.Client{URL: c.TSAURL, Roots: roots, Rand: rand.Reader, Now: time.Now}
	}
	return sealer, nil
}
