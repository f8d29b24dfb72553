// Package spool keeps a medium between the upstream's reply and the bucket: small ones in memory, large ones in a
// temporary file that has no name, so that memory does not grow with the video and nothing stays when the process dies
// (DESIGN section 1). Size and SHA-256 are known when the last byte is written.
package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// DefaultMemory is how many bytes a Spool keeps in memory when Options do not say.
const DefaultMemory = 1 << 20

// firstBuffer and fileBuffer are the sizes of the buffer at first, and once there is a file: few system calls, and
// little memory for a photo.
const (
	firstBuffer = 16 << 10
	fileBuffer  = 128 << 10
)

// Options are the choices that New leaves open. The zero value is good.
type Options struct {
	Memory int    // bytes kept in memory before anything is spilled; 0 is DefaultMemory
	Folder string // where spilled bytes go; "" is the system's folder for temporary files (TMPDIR)
}

// Spool is an io.Writer whose bytes can be read again. It is written by one goroutine; when that is done, any number may read.
type Spool struct {
	options Options
	digest  hash.Hash
	guard   hash.Hash32 // CRC-32C of the same bytes, which is next to nothing beside digest
	size    int64

	file   *os.File // nil until something is spilled
	inFile int64    // bytes in file; the rest follows in buffer
	buffer []byte
	err    error // the first error of a write, which all later ones repeat
}

// New makes an empty Spool. Nothing is allocated before the first byte comes. Close it to give back file and memory.
func New(options Options) *Spool {
	if options.Memory <= 0 {
		options.Memory = DefaultMemory
	}
	return &Spool{options: options, digest: sha256.New(), guard: crc32.New(crc32.MakeTable(crc32.Castagnoli))}
}

// Write implements io.Writer. After an error the Spool is of no use but to be closed.
func (s *Spool) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if err := s.write(p); err != nil {
		s.err = fmt.Errorf("spool medium: %w", err)
		return 0, s.err
	}
	_, _ = s.digest.Write(p)
	_, _ = s.guard.Write(p)
	s.size += int64(len(p))
	return len(p), nil
}

func (s *Spool) write(p []byte) error {
	if len(s.buffer)+len(p) > s.limit() {
		if err := s.spill(); err != nil {
			return err
		}
		if len(p) >= fileBuffer {
			return s.writeFile(p)
		}
	}
	s.grow(len(p))
	s.buffer = append(s.buffer, p...)
	return nil
}

// limit is how much the buffer may hold.
func (s *Spool) limit() int {
	if s.file == nil {
		return s.options.Memory
	}
	return fileBuffer
}

// grow makes room for n bytes more by doubling, but never above the limit as append would.
func (s *Spool) grow(n int) {
	need := len(s.buffer) + n
	if need <= cap(s.buffer) {
		return
	}
	buffer := make([]byte, len(s.buffer), max(need, min(max(2*cap(s.buffer), firstBuffer), s.limit())))
	copy(buffer, s.buffer)
	s.buffer = buffer
}

// spill moves what is buffered to the file, which it makes the first time; the large buffer is let go then.
func (s *Spool) spill() error {
	if s.file != nil {
		err := s.writeFile(s.buffer)
		s.buffer = s.buffer[:0]
		return err
	}
	file, err := unnamed(s.options.Folder)
	if err != nil {
		return err
	}
	s.file = file
	err = s.writeFile(s.buffer)
	s.buffer = make([]byte, 0, fileBuffer)
	return err
}

func (s *Spool) writeFile(p []byte) error {
	n, err := s.file.Write(p)
	s.inFile += int64(n)
	return err
}

// unnamed makes a temporary file, mode 0600, and takes its name away at once: it ends with the process, however that ends.
func unnamed(folder string) (*os.File, error) {
	file, err := os.CreateTemp(folder, "kycvault-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// Size is how many bytes were written.
func (s *Spool) Size() int64 { return s.size }

// Digest is the SHA-256 of the bytes written, 64 lower-case hex digits.
func (s *Spool) Digest() string { return hex.EncodeToString(s.digest.Sum(nil)) }

// Content gives what was written so far, ready for a bucket. Each call gives a Body of its own; all end with Close.
func (s *Spool) Content(mediaType string, retain bool) bucket.Content {
	return bucket.Content{
		Body:      io.NewSectionReader(s, 0, s.size),
		Size:      s.size,
		SHA256:    [sha256.Size]byte(s.digest.Sum(nil)),
		CRC32C:    s.guard.Sum(nil),
		MediaType: mediaType,
		Retain:    retain,
	}
}

// ReadAt implements io.ReaderAt over the bytes written so far.
func (s *Spool) ReadAt(p []byte, offset int64) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if offset < 0 {
		return 0, fmt.Errorf("read spool at %d: %w", offset, os.ErrInvalid)
	}
	n := 0
	if offset < s.inFile {
		part := p[:min(int64(len(p)), s.inFile-offset)]
		var err error
		if n, err = s.file.ReadAt(part, offset); n < len(part) {
			return n, fmt.Errorf("read spool: %w", err)
		}
		offset += int64(n)
	}
	if n < len(p) && offset-s.inFile < int64(len(s.buffer)) {
		n += copy(p[n:], s.buffer[offset-s.inFile:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Close gives back file and memory. Reading and writing fail from then on. It may be called again.
func (s *Spool) Close() error {
	file := s.file
	s.file, s.inFile, s.buffer, s.err = nil, 0, nil, fmt.Errorf("use spool: %w", os.ErrClosed)
	if file == nil {
		return nil
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("close spool: %w", err)
	}
	return nil
}
