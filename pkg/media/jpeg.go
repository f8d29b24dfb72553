package media

import (
	"fmt"
	"io"
)

// Markers of ITU-T T.81, table B.1: the byte after 0xFF.
const (
	markerSOF0 = 0xc0
	markerDHT  = 0xc4
	markerJPG  = 0xc8
	markerDAC  = 0xcc
	markerSOFF = 0xcf
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerCOM  = 0xfe
)

// checkJPEG walks the segments and scans (a progressive picture has several) to the end-of-image marker, which must be
// the last bytes.
func checkJPEG(r io.ReaderAt, size int64) (string, error) {
	s := newScanner(r, size)
	if err := s.skip(2); err != nil { // start of image
		return "", err
	}
	var frame, scan bool
	marker, flag, err := nextMarker(s)
	for err == nil && flag == "" && marker != markerEOI {
		frame = frame || isFrame(marker)
		scan = scan || marker == markerSOS
		marker, flag, err = afterSegment(s, marker)
	}
	switch {
	case err != nil || flag != "":
		return flag, err
	case s.left > 0:
		return fmt.Sprintf("JPEG with %d bytes after its end", s.left), nil
	case !frame || !scan:
		return "JPEG without a picture", nil
	}
	return "", nil
}

// afterSegment passes a segment and what belongs to it, and gives the next marker.
func afterSegment(s *scanner, marker byte) (next byte, flag string, err error) {
	if marker < markerSOF0 || marker > markerCOM || marker >= markerRST0 && marker <= markerSOI {
		return 0, "JPEG with a strange marker", nil
	}
	var length [2]byte
	if err := s.fill(length[:]); err != nil {
		return 0, "", err
	}
	n := int64(length[0])<<8 | int64(length[1])
	if n < 2 { // the length counts itself
		return 0, "JPEG with a strange segment", nil
	}
	if err := s.skip(n - 2); err != nil {
		return 0, "", err
	}
	if marker == markerSOS {
		next, err := afterScan(s)
		return next, "", err
	}
	return nextMarker(s)
}

func isFrame(marker byte) bool {
	return marker >= markerSOF0 && marker <= markerSOFF && marker != markerDHT && marker != markerJPG && marker != markerDAC
}

// nextMarker reads a marker, with any number of fill bytes before it.
func nextMarker(s *scanner) (marker byte, flag string, err error) {
	b, err := s.byte()
	if err != nil {
		return 0, "", err
	}
	if b != 0xff {
		return 0, "JPEG with stray bytes between its segments", nil
	}
	marker, err = unfilled(s)
	return marker, "", err
}

// afterScan passes entropy-coded data, in which 0xFF is followed by 0x00 or is part of a restart marker.
func afterScan(s *scanner) (byte, error) {
	for {
		if err := s.after(0xff); err != nil {
			return 0, err
		}
		b, err := unfilled(s)
		if err != nil {
			return 0, err
		}
		if b != 0x00 && (b < markerRST0 || b > markerRST7) {
			return b, nil
		}
	}
}

// unfilled gives the first byte that is not the fill byte 0xFF.
func unfilled(s *scanner) (byte, error) {
	for {
		b, err := s.byte()
		if err != nil || b != 0xff {
			return b, err
		}
	}
}
