package agekey

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/kycvault/kycvault/pkg/smallfile"
)

// Identities are secret keys. Their holders decrypt; no function ever reads one.
type Identities []age.Identity

// ReadIdentities reads files of secret keys as age-keygen and kycvault keygen write them: one a line, comments begin with #.
// An error names the file and holds nothing of its content.
func ReadIdentities(files ...string) (Identities, error) {
	var all Identities
	for _, name := range files {
		data, err := smallfile.Read(name)
		if err != nil {
			return nil, fmt.Errorf("read secret keys of %s: %w", name, err)
		}
		keys, err := ParseIdentities(data)
		if err != nil {
			return nil, fmt.Errorf("read secret keys of %s: %w", name, err)
		}
		all = append(all, keys...)
	}
	return all, nil
}

// ParseIdentities reads the content of such a file.
func ParseIdentities(data []byte) (Identities, error) {
	switch text := string(data[:min(len(data), 64)]); {
	case len(data) > smallfile.Most:
		return nil, errors.New("it is too large for a file of keys")
	case strings.HasPrefix(text, "age-encryption.org/"), strings.HasPrefix(text, "-----BEGIN AGE"):
		return nil, errors.New("it is encrypted itself; decrypt it first, with age -d")
	}
	keys, err := age.ParseIdentities(bytes.NewReader(data))
	if err != nil {
		return nil, errors.New("it is no file of secret keys of age: lines AGE-SECRET-KEY-1…, and comments that begin with #")
	}
	return keys, nil
}

// ErrOtherKey says that none of the identities can open a file.
var ErrOtherKey = errors.New("none of the given secret keys opens it")

// Decrypt gives a reader of the plain bytes of the encrypted file r. What it gives is genuine up to there; the end is, once it
// returned io.EOF.
func (i Identities) Decrypt(r io.Reader) (io.Reader, error) {
	plain, err := age.Decrypt(r, i...)
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, ErrOtherKey
	}
	if err != nil {
		return nil, fmt.Errorf("begin decryption: %w", err)
	}
	return plain, nil
}

// Pair is a fresh key pair.
type Pair struct {
	Public string // age1…
	File   []byte // the secret key's file, in age-keygen's format
}

// NewPair makes a pair from the system's randomness.
func NewPair(now time.Time) (Pair, error) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		return Pair{}, fmt.Errorf("make key pair: %w", err)
	}
	public := key.Recipient().String()
	text := fmt.Sprintf("# created: %s\n# public key: %s\n%s\n", now.Format(time.RFC3339), public, key)
	return Pair{Public: public, File: []byte(text)}, nil
}
