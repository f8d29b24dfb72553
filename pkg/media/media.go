// Package media tells whether bytes look like the photo or video that they should be. It looks at structure alone, from
// the first byte to the last, so that evidence which was cut, padded or swapped gets a name and a flag of its own. It
// decodes nothing.
package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Look is what bytes look like.
type Look struct {
	Ext       string // of the file's name: "jpg", "png", "mp4", or "bin" for anything odd
	MediaType string // RFC 6838; application/octet-stream for anything odd
	Flag      string // why it is odd, in a few words and without a byte of it; "" when it looks right
}

// format is what the first bytes say.
type format struct {
	Look
	name  string
	kind  archive.Kind
	begin func(head []byte) bool
	check func(r io.ReaderAt, size int64) (flag string, err error)
	watch func(s *scanner) (flag string, err error) // the same of bytes that pass by
}

// scanned makes the check of a format that is read from its first byte to its last.
func scanned(watch func(*scanner) (string, error)) func(io.ReaderAt, int64) (string, error) {
	return func(r io.ReaderAt, size int64) (string, error) { return watch(newScanner(r, size)) }
}

// formats are the ones that the upstream sends (PROTOCOL section 4).
func formats() []format {
	return []format{
		{Look{Ext: "jpg", MediaType: "image/jpeg"}, "JPEG", archive.Photo, prefix("\xff\xd8\xff"), scanned(checkJPEG), checkJPEG},
		{Look{Ext: "png", MediaType: "image/png"}, "PNG", archive.Photo, prefix(pngSignature), scanned(checkPNG), checkPNG},
		{Look{Ext: "mp4", MediaType: "video/mp4"}, "MP4", archive.Video, beginsMP4, checkMP4, watchMP4},
	}
}

func prefix(s string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(s)) }
}

// headLen is enough to know each format by.
const headLen = 8

// Inspect looks at the size bytes of r that should be a medium of the kind. The same bytes always look the same. An
// error is one of reading.
func Inspect(kind archive.Kind, r io.ReaderAt, size int64) (Look, error) {
	flag, ok, err := inspect(kind, r, size)
	if err != nil {
		return Look{}, fmt.Errorf("inspect %s: %w", kind, err)
	}
	return looked(flag, ok), nil
}

// looked is what bytes look like that a check has flagged, or found to be ok.
func looked(flag string, ok Look) Look {
	if flag == "" {
		return ok
	}
	return Look{Ext: "bin", MediaType: "application/octet-stream", Flag: flag}
}

func inspect(kind archive.Kind, r io.ReaderAt, size int64) (flag string, ok Look, err error) {
	if size <= 0 {
		return "empty", ok, nil
	}
	head := make([]byte, min(headLen, size))
	if err := readAt(r, head, 0); err != nil {
		return "", ok, err
	}
	for _, f := range formats() {
		if !f.begin(head) {
			continue
		}
		return f.judge(kind, func() (string, error) { return f.check(r, size) })
	}
	return unknown(kind), ok, nil
}

// judge checks bytes that begin as the format does.
func (f format) judge(kind archive.Kind, check func() (string, error)) (flag string, ok Look, err error) {
	if f.kind != kind {
		return fmt.Sprintf("%s where a %s was due", f.name, kind), ok, nil
	}
	flag, err = check()
	if errors.Is(err, errCut) {
		return f.name + " that is cut short", ok, nil
	}
	return flag, f.Look, err
}

func unknown(kind archive.Kind) string {
	switch kind {
	case archive.Photo:
		return "not a JPEG or PNG"
	case archive.Video:
		return "not an MP4"
	}
	return "no known kind of medium"
}

// errCut says that the format goes on where the bytes end.
var errCut = errors.New("cut short")

// readAt fills p. The caller has made sure that the bytes should be there.
func readAt(r io.ReaderAt, p []byte, offset int64) error {
	n, err := r.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF // fewer bytes than the size that was given
	}
	return err
}

func uint32At(p []byte, i int) int64 { return int64(binary.BigEndian.Uint32(p[i:])) }
