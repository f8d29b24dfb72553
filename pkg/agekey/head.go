package agekey

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// HeadMost is how many of a file's first bytes ReadHead needs to see. 100 recipients take a sixth of it.
const HeadMost = 64 << 10

// Head is what stands in the open before an encrypted file's ciphertext. Nothing of it is proven without a key.
type Head struct {
	Note []byte // nil for none
	size int64  // of the header
}

// ErrNoAge says that bytes are not a file of age.
var ErrNoAge = errors.New("not a whole file of age")

// ReadHead reads the header of a file from its first bytes, HeadMost of them or all there are.
func ReadHead(first []byte) (Head, error) {
	header, err := age.ExtractHeader(bytes.NewReader(first))
	if err != nil {
		return Head{}, ErrNoAge
	}
	var stanzas lookedAt
	if _, err := age.DecryptHeader(header, &stanzas); !errors.Is(err, errLooked) {
		return Head{}, ErrNoAge
	}
	h := Head{size: int64(len(header))}
	for _, s := range stanzas {
		if s.Type == noteType {
			h.Note = append([]byte{}, s.Body...)
		}
	}
	return h, nil
}

// errLooked ends a decryption that only was to show the stanzas.
var errLooked = errors.New("looked at the stanzas")

// lookedAt implements age.Identity: it unwraps nothing, and keeps what it was shown.
type lookedAt []*age.Stanza

// Unwrap implements age.Identity.
func (l *lookedAt) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	*l = stanzas
	return nil, errLooked
}

// The layout of age's payload (age-encryption.org/v1, "Payload"): a nonce, then chunks, each with a tag.
const (
	nonceSize = 16
	chunkSize = 64 << 10
	tagSize   = 16
)

// PlainSize is how many plain bytes a whole file of the given size holds: the layout tells. ErrNoAge: no file has that size.
func (h Head) PlainSize(stored int64) (int64, error) {
	payload := stored - h.size - nonceSize
	chunks := (payload + chunkSize + tagSize - 1) / (chunkSize + tagSize)
	plain := payload - chunks*tagSize
	if plain < 0 || payload <= 0 || plain > 0 && plain <= (chunks-1)*chunkSize {
		return 0, fmt.Errorf("%d bytes: %w", stored, ErrNoAge)
	}
	return plain, nil
}

// Begin keeps a stream's first HeadMost bytes, for ReadHead.
type Begin struct{ first []byte }

var _ io.Writer = (*Begin)(nil)

// Write implements io.Writer. It never fails.
func (b *Begin) Write(p []byte) (int, error) {
	b.first = append(b.first, p[:min(len(p), HeadMost-len(b.first))]...)
	return len(p), nil
}

// Head reads the header out of what was kept.
func (b *Begin) Head() (Head, error) { return ReadHead(b.first) }
