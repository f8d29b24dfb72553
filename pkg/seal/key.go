package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/kycvault/kycvault/pkg/secret"
)

// Key signs checkpoints. Its text is that of golang.org/x/mod/sumdb/note: PRIVATE+KEY+name+hash+base64.
type Key struct {
	signer note.Signer
	public string
}

// algEd25519 is the signature type of a signed note that is Ed25519 (c2sp.org/signed-note).
const algEd25519 = 1

// NewKey makes a key pair of the given name, which becomes the origin line of every checkpoint.
func NewKey(name string) (private secret.Text, public string, err error) {
	if err := CheckName(name); err != nil {
		return secret.Text{}, "", err
	}
	text, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return secret.Text{}, "", fmt.Errorf("make key: %w", err)
	}
	return secret.New(text), public, nil
}

// CheckName refuses a name that a note can not have, and what does not read well in a report: 1 to 100 letters, digits and . _ / - only.
func CheckName(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-"
	if name == "" || len(name) > 100 || strings.Trim(name, letters) != "" {
		return fmt.Errorf("a key's name is 1 to 100 letters, digits and . _ / -, such as example.com/kycvault")
	}
	return nil
}

// ParseKey reads a private key's text. Errors do not repeat it.
func ParseKey(text secret.Text) (Key, error) {
	signer, err := note.NewSigner(text.Reveal())
	if err != nil {
		return Key{}, fmt.Errorf("not a private key (PRIVATE+KEY+name+…): %w", ErrFormat)
	}
	if err := CheckName(signer.Name()); err != nil {
		return Key{}, err
	}
	// NewSigner has checked the form: the last part is the type, then the seed.
	fields := strings.SplitN(text.Reveal(), "+", 5)
	raw, err := base64.StdEncoding.DecodeString(fields[len(fields)-1])
	if err != nil || len(raw) != 1+ed25519.SeedSize || raw[0] != algEd25519 {
		return Key{}, fmt.Errorf("not an Ed25519 key: %w", ErrFormat)
	}
	public, err := note.NewEd25519VerifierKey(signer.Name(), ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey))
	if err != nil {
		return Key{}, fmt.Errorf("derive public key: %w", err)
	}
	return Key{signer: signer, public: public}, nil
}

// Name is the key's name.
func (k Key) Name() string { return k.signer.Name() }

// Public is the public key's text: name+hash+base64, which anyone may see.
func (k Key) Public() string { return k.public }

// PublicKey checks what a key has signed.
type PublicKey struct {
	verifier note.Verifier
	raw      ed25519.PublicKey
	text     string
}

// ParsePublicKey reads a public key's text, blanks around it dropped.
func ParsePublicKey(text string) (PublicKey, error) {
	text = strings.TrimSpace(text)
	verifier, err := note.NewVerifier(text)
	if err != nil {
		return PublicKey{}, fmt.Errorf("not a public key (name+hash+base64, as kycvault seal keygen prints it): %w", ErrFormat)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.SplitN(text, "+", 3)[2]) // NewVerifier has checked the form
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algEd25519 {
		return PublicKey{}, fmt.Errorf("not an Ed25519 key: %w", ErrFormat)
	}
	return PublicKey{verifier: verifier, raw: raw[1:], text: text}, nil
}

// Name is the key's name.
func (k PublicKey) Name() string { return k.verifier.Name() }

// String is the key's text.
func (k PublicKey) String() string { return k.text }

// PEM is the key as openssl reads it.
func (k PublicKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.raw)
	if err != nil {
		return nil, fmt.Errorf("encode public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// ParsePEM reads what PEM writes; the name, which that lacks, is the origin of the checkpoints that the key signs.
func ParsePEM(name string, text []byte) (PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return PublicKey{}, fmt.Errorf("not a public key in PEM: %w", ErrFormat)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	raw, ours := parsed.(ed25519.PublicKey)
	if err != nil || !ours {
		return PublicKey{}, fmt.Errorf("not an Ed25519 key: %w", ErrFormat)
	}
	if err := CheckName(name); err != nil {
		return PublicKey{}, err
	}
	public, err := note.NewEd25519VerifierKey(name, raw)
	if err != nil {
		return PublicKey{}, fmt.Errorf("read public key: %w", err)
	}
	return ParsePublicKey(public)
}
