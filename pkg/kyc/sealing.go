package kyc

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/media"
	"github.com/kycvault/kycvault/pkg/spool"
)

// sealing takes a medium's plain bytes and passes them on encrypted: no plain byte of it comes to rest. What must be known
// of them afterwards, it learns as they pass by: their digest, their number, and what they look like.
type sealing struct {
	digest  hash.Hash
	size    int64
	watcher *media.Watcher
	to      io.WriteCloser
}

// seal begins to encrypt what should be a medium of the kind. Its watcher is to be closed.
func seal(kind archive.Kind, into io.Writer, e Encrypter) (*sealing, error) {
	to, err := e.Encrypt(into, nil)
	if err != nil {
		return nil, fmt.Errorf("encrypt %s: %w", kind, err)
	}
	return &sealing{digest: sha256.New(), watcher: media.Watch(kind), to: to}, nil
}

// Write implements io.Writer.
func (s *sealing) Write(p []byte) (int, error) {
	_, _ = s.digest.Write(p)  // never fails
	_, _ = s.watcher.Write(p) // never fails
	s.size += int64(len(p))
	return s.to.Write(p)
}

// end writes the last of the ciphertext, and tells what the plain bytes were.
func (s *sealing) end() (archive.Plain, media.Look, error) {
	if err := s.to.Close(); err != nil {
		return archive.Plain{}, media.Look{}, err
	}
	look, err := s.watcher.Look()
	return archive.Plain{Size: s.size, Digest: hex.EncodeToString(s.digest.Sum(nil))}, look, err
}

// sealBytes encrypts a small file whole. The caller closes the spool.
func sealBytes(data []byte, note []byte, e Encrypter) (archive.Plain, *spool.Spool, error) {
	sp := spool.New(spool.Options{})
	to, err := e.Encrypt(sp, note)
	if err == nil {
		_, err = to.Write(data)
	}
	if err == nil {
		err = to.Close()
	}
	if err != nil {
		_ = sp.Close()
		return archive.Plain{}, nil, err
	}
	sum := sha256.Sum256(data)
	return archive.Plain{Size: int64(len(data)), Digest: hex.EncodeToString(sum[:])}, sp, nil
}

// encodeVerdict makes the note of an encrypted result file: what later steps and the manifest need of it, which is nothing
// personal. It stands in the same object as the ciphertext, so no step can find the one without the other.
func encodeVerdict(v archive.Verdict) ([]byte, error) {
	note, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode verdict: %w", err)
	}
	return note, nil
}

// parseVerdictNote reads it back.
func parseVerdictNote(note []byte) (v archive.Verdict, err error) {
	if err := json.Unmarshal(note, &v); err != nil {
		return archive.Verdict{}, fmt.Errorf("parse the note of an encrypted result: %w (%w)", archive.ErrDamaged, err)
	}
	return v, nil
}
