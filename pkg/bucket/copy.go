package bucket

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// ErrMismatch says that the bytes of a Content are not what its Size and SHA256 say.
var ErrMismatch = errors.New("content does not match its size or digest")

// copyBuffer is large enough for few system calls and small enough for many copies at once.
const copyBuffer = 128 << 10

// Copy writes the bytes of c to w from their beginning, and fails with ErrMismatch when they are not the ones that c
// promises; w has then got some of them. It is for drivers whose store checks neither length nor digest.
func Copy(ctx context.Context, w io.Writer, c Content) error {
	if c.Size < 0 {
		return fmt.Errorf("size %d: %w", c.Size, ErrMismatch)
	}
	if _, err := c.Body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("rewind content: %w", err)
	}
	digest := sha256.New()
	body := io.LimitReader(reader{ctx, c.Body}, c.Size+1) // one byte more, to see a body that is too long
	n, err := io.CopyBuffer(io.MultiWriter(w, digest), body, make([]byte, min(copyBuffer, c.Size+1)))
	switch {
	case err != nil:
		return err
	case n > c.Size:
		return fmt.Errorf("more than %d bytes: %w", c.Size, ErrMismatch)
	case n < c.Size:
		return fmt.Errorf("%d of %d bytes: %w", n, c.Size, ErrMismatch)
	case [sha256.Size]byte(digest.Sum(nil)) != c.SHA256:
		return fmt.Errorf("another SHA-256: %w", ErrMismatch)
	}
	return nil
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
