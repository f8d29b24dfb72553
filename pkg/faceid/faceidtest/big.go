package faceidtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
)

const (
	mebibyte   = 1 << 20
	maxBigMiB  = 2048 // a box length is 32 bits
	boxHeadLen = 8
)

// bigVideo is a valid MP4 of exactly the given number of MiB: a ftyp box, then a mdat box of pseudo-random bytes that
// depend on the order number alone. It is made while it is read.
func bigVideo(order string, mib int) Medium {
	size := mib * mebibyte
	brands := []byte("isom\x00\x00\x02\x00isommp42")
	ftyp := slices.Concat(box("ftyp", len(brands)), brands)
	filling := size - len(ftyp) - boxHeadLen
	head := slices.Concat(ftyp, box("mdat", filling))
	return Medium{mediaType: "video/mp4", size: int64(size), open: func() io.Reader {
		noise := rand.NewChaCha8(sha256.Sum256([]byte(order)))
		return io.MultiReader(bytes.NewReader(head), io.LimitReader(noise, int64(filling)))
	}}
}

// box is the head of an MP4 box with n bytes in it.
func box(kind string, n int) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(boxHeadLen+n)), kind...)
}
