package media

import (
	"bufio"
	"errors"
	"io"
)

// scanBuffer is all the memory that looking at a photo takes.
const scanBuffer = 32 << 10

// scanner reads forward. Its methods fail with errCut where nothing is left. How many bytes are left it knows from the
// beginning, or, of bytes that pass by, at their end.
type scanner struct {
	r       *bufio.Reader
	left    int64
	passing bool // left is not known
	end     func() (tail [2]byte, size int64, err error)
}

// newScanner reads bytes that lie there.
func newScanner(r io.ReaderAt, size int64) *scanner {
	s := &scanner{r: bufio.NewReaderSize(io.NewSectionReader(r, 0, size), scanBuffer), left: size}
	s.end = func() (tail [2]byte, _ int64, err error) {
		return tail, size, readAt(r, tail[:], size-int64(len(tail)))
	}
	return s
}

// rest is how many bytes are left.
func (s *scanner) rest() (int64, error) {
	if !s.passing {
		return s.left, nil
	}
	n, err := io.Copy(io.Discard, s.r)
	return n, err
}

func (s *scanner) byte() (byte, error) {
	b, err := s.r.ReadByte()
	if err != nil {
		return 0, s.fail(err)
	}
	s.left--
	return b, nil
}

// fill reads len(p) bytes.
func (s *scanner) fill(p []byte) error {
	n, err := io.ReadFull(s.r, p)
	s.left -= int64(n)
	return s.fail(err)
}

// pass hands the next n bytes to use, piece by piece.
func (s *scanner) pass(n int64, use func([]byte)) error {
	if !s.passing && n > s.left {
		return errCut
	}
	for n > 0 {
		piece, err := s.r.Peek(int(min(n, scanBuffer)))
		if err != nil {
			return s.fail(err)
		}
		use(piece)
		k, _ := s.r.Discard(len(piece)) // they are in the buffer
		n -= int64(k)
		s.left -= int64(k)
	}
	return nil
}

func (s *scanner) skip(n int64) error { return s.pass(n, func([]byte) {}) }

// after goes behind the next byte that is b.
func (s *scanner) after(b byte) error {
	for {
		piece, err := s.r.ReadSlice(b)
		s.left -= int64(len(piece))
		if !errors.Is(err, bufio.ErrBufferFull) {
			return s.fail(err)
		}
	}
}

// fail tells the end of the bytes, where it was due, from one that comes before their size, and from other errors.
func (s *scanner) fail(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		if s.left > 0 && !s.passing {
			return io.ErrUnexpectedEOF
		}
		return errCut
	}
	return err
}
