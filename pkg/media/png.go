package media

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngMaxChunk is the longest chunk that the format allows.
const pngMaxChunk = 1<<31 - 1

// pngChunk is the part of a chunk before its data.
type pngChunk struct {
	length int64
	kind   string
}

// checkPNG walks the chunks from IHDR to IEND and checks their sums; IEND must be the end.
func checkPNG(s *scanner) (string, error) {
	if err := s.skip(int64(len(pngSignature))); err != nil {
		return "", err
	}
	var data bool
	for first := true; ; first = false {
		c, flag, err := nextChunk(s)
		switch {
		case err != nil || flag != "":
			return flag, err
		case first != (c.kind == "IHDR") || first && c.length != 13:
			return "PNG with a strange header", nil
		case c.kind == "IDAT":
			data = true
		case c.kind == "IEND":
			return pngEnd(s, c, data)
		}
	}
}

func pngEnd(s *scanner, end pngChunk, data bool) (string, error) {
	left, err := s.rest()
	switch {
	case err != nil:
		return "", err
	case left > 0:
		return fmt.Sprintf("PNG with %d bytes after its end", left), nil
	case end.length > 0:
		return "PNG with a strange end", nil
	case !data:
		return "PNG without a picture", nil
	}
	return "", nil
}

// nextChunk passes a chunk whose sum is right.
func nextChunk(s *scanner) (c pngChunk, flag string, err error) {
	var head [8]byte
	if err := s.fill(head[:]); err != nil {
		return c, "", err
	}
	c = pngChunk{uint32At(head[:], 0), string(head[4:])}
	if c.length > pngMaxChunk || !letters(c.kind) {
		return c, "PNG with a strange chunk", nil
	}
	sum := crc32.ChecksumIEEE(head[4:])
	if err := s.pass(c.length, func(piece []byte) { sum = crc32.Update(sum, crc32.IEEETable, piece) }); err != nil {
		return c, "", err
	}
	var want [4]byte
	if err := s.fill(want[:]); err != nil {
		return c, "", err
	}
	if binary.BigEndian.Uint32(want[:]) != sum {
		return c, "PNG with a wrong checksum", nil
	}
	return c, "", nil
}

func letters(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}
