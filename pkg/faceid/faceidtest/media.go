package faceidtest

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
)

//go:embed media/photo.jpg
var photoJPEG []byte

//go:embed media/photo.png
var photoPNG []byte

//go:embed media/video-small.mp4
var videoMP4 []byte

// Photo gives a copy of the sample photo, a JPEG of 66,293 bytes: what most cases send.
func Photo() []byte { return bytes.Clone(photoJPEG) }

// PhotoPNG gives a copy of the sample photo as a PNG: what "png…" sends.
func PhotoPNG() []byte { return bytes.Clone(photoPNG) }

// Video gives a copy of the sample video, an MP4 of 51,253 bytes: what most cases send.
func Video() []byte { return bytes.Clone(videoMP4) }

// Medium is a photo or a video of any size that can be read as often as wanted and need not fit into memory. The zero
// Medium is none.
type Medium struct {
	mediaType string
	size      int64
	open      func() io.Reader
}

// Empty tells whether there is no medium.
func (m Medium) Empty() bool { return m.size == 0 }

// Size is the length of the plain bytes.
func (m Medium) Size() int64 { return m.size }

// Open reads the plain bytes from the start.
func (m Medium) Open() io.Reader {
	if m.open == nil {
		return bytes.NewReader(nil)
	}
	return m.open()
}

// SHA256 is the digest of the plain bytes, in lower-case hex; it reads the whole medium.
func (m Medium) SHA256() string {
	h := sha256.New()
	if _, err := io.Copy(h, m.Open()); err != nil {
		panic(fmt.Sprintf("faceidtest: read a medium: %v", err)) // it is made in memory: only a mistake in this package can do that
	}
	return hex.EncodeToString(h.Sum(nil))
}

func inMemory(mediaType string, b []byte) Medium {
	return Medium{mediaType: mediaType, size: int64(len(b)), open: func() io.Reader { return bytes.NewReader(b) }}
}

func jpeg(b []byte) Medium { return inMemory("image/jpeg", b) }

func mp4(b []byte) Medium { return inMemory("video/mp4", b) }

// withTail is bytes that go on after their end: what makes a medium odd.
func withTail(b []byte, tail string) []byte { return slices.Concat(b, []byte(tail)) }

// markedJPEG puts a comment segment with the order number behind the start of the sample photo.
func markedJPEG(order string) []byte {
	const startOfImage = 2
	comment := append([]byte{0xff, 0xfe, 0, byte(2 + len(order))}, order...)
	return slices.Concat(photoJPEG[:startOfImage], comment, photoJPEG[startOfImage:])
}

// markedMP4 appends a "free" box with the order number to the sample video.
func markedMP4(order string) []byte {
	return slices.Concat(videoMP4, box("free", len(order)), []byte(order))
}
