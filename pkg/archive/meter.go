package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
)

// meter measures what is read through it, and keeps an error of the reader, so that it can be told from one of what reads.
type meter struct {
	r    io.Reader
	hash hash.Hash
	size int64
	err  error
}

func newMeter(r io.Reader) *meter { return &meter{r: r, hash: sha256.New()} }

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	_, _ = m.hash.Write(p[:n]) // never fails
	m.size += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}

func (m *meter) sum() measured { return measured{m.size, hex.EncodeToString(m.hash.Sum(nil))} }
