package media

import (
	"errors"
	"fmt"
)

// Markers of ITU-T T.81, table B.1: the byte after 0xFF.
const (
	markerSOF0 = 0xc0
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerCOM  = 0xfe
)

// checkJPEG looks for what PROTOCOL section 4 says of a JPEG: that it ends with the end-of-image marker, and, where its
// segments and scans can be followed (a progressive picture has several), that nothing comes after that. Cameras write
// segments that no standard knows, so what can not be followed is not odd for that alone.
func checkJPEG(s *scanner) (string, error) {
	walked := toEndOfImage(s)
	if walked != nil && !errors.Is(walked, errCut) && !errors.Is(walked, errStrange) {
		return "", walked
	}
	left, err := s.rest()
	if err != nil {
		return "", err
	}
	if walked == nil && left > 0 {
		return fmt.Sprintf("JPEG with %d bytes after its end", left), nil
	}
	tail, size, err := s.end()
	if err != nil {
		return "", err
	}
	if size < shortestJPEG || tail != [2]byte{0xff, markerEOI} {
		return "", errCut
	}
	return "", nil
}

// shortestJPEG is the two markers alone.
const shortestJPEG = 4

// errStrange says that a JPEG's segments can not be followed.
var errStrange = errors.New("strange segment")

// toEndOfImage walks behind the end-of-image marker.
func toEndOfImage(s *scanner) error {
	if err := s.skip(2); err != nil { // start of image
		return err
	}
	marker, err := nextMarker(s)
	for err == nil && marker != markerEOI {
		marker, err = afterSegment(s, marker)
	}
	return err
}

// afterSegment passes a segment and what belongs to it, and gives the next marker.
func afterSegment(s *scanner, marker byte) (next byte, err error) {
	if marker < markerSOF0 || marker > markerCOM || marker >= markerRST0 && marker <= markerSOI {
		return 0, errStrange
	}
	var length [2]byte
	if err := s.fill(length[:]); err != nil {
		return 0, err
	}
	n := int64(length[0])<<8 | int64(length[1])
	if n < 2 { // the length counts itself
		return 0, errStrange
	}
	if err := s.skip(n - 2); err != nil {
		return 0, err
	}
	if marker == markerSOS {
		return afterScan(s)
	}
	return nextMarker(s)
}

// nextMarker reads a marker, with any number of fill bytes before it.
func nextMarker(s *scanner) (byte, error) {
	b, err := s.byte()
	if err == nil && b != 0xff {
		err = errStrange
	}
	if err != nil {
		return 0, err
	}
	return unfilled(s)
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
