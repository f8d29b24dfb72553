package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// ErrMismatch says that the bytes of a Content are not what its Size and SHA256 say.
var ErrMismatch = errors.New("content does not match its size or digest")

// copyBuffer is large enough for few system calls and small enough for many copies at once.
const copyBuffer = 128 << 10

// Copy writes the bytes of c to w from their beginning, and fails with ErrMismatch when they are not the ones that c
// promises; w has then got some of them. It is for drivers whose store checks neither length nor digest.
//
// Of a large medium, SHA-256 is most of what a copy costs. It was taken when the bytes came, and what can go wrong between
// then and now is an accident on this machine; where CRC32C was taken as well, that is what is compared.
func Copy(ctx context.Context, w io.Writer, c Content) error {
	if c.Size < 0 {
		return fmt.Errorf("size %d: %w", c.Size, ErrMismatch)
	}
	if _, err := c.Body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind content: %w", err)
	}
	sum, want := c.sum()
	body := io.LimitReader(reader{ctx, c.Body}, c.Size+1) // one byte more, to see a body that is too long
	n, err := io.CopyBuffer(io.MultiWriter(w, sum), body, make([]byte, min(copyBuffer, c.Size+1)))
	switch {
	case err != nil:
		return err
	case n > c.Size:
		return fmt.Errorf("more than %d bytes: %w", c.Size, ErrMismatch)
	case n < c.Size:
		return fmt.Errorf("%d of %d bytes: %w", n, c.Size, ErrMismatch)
	case !bytes.Equal(sum.Sum(nil), want):
		return fmt.Errorf("another digest: %w", ErrMismatch)
	}
	return nil
}

// sum gives the cheapest hash that c knows the outcome of, and that outcome.
func (c Content) sum() (hash.Hash, []byte) {
	if c.CRC32C != nil {
		return crc32.New(crc32.MakeTable(crc32.Castagnoli)), c.CRC32C
	}
	return sha256.New(), c.SHA256[:]
}

// reader ends reading when its context ends. It hides WriteTo, which would hand over everything at once.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
