package media

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// watchMP4 is checkMP4 for bytes that pass by: where they end, and so whether a box fits, is known when they have.
func watchMP4(s *scanner) (string, error) {
	for i := range maxBoxes {
		head, err := s.r.Peek(8)
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if len(head) == 0 {
			return "", nil
		}
		flag, err := watchBox(s, head, i == 0)
		if errors.Is(err, errCut) {
			return flagBoxes, nil
		}
		if err != nil || flag != "" {
			return flag, err
		}
	}
	return "MP4 with too many boxes", nil
}

// watchBox passes one box; errCut says that it does not fit.
func watchBox(s *scanner, head []byte, first bool) (flag string, err error) {
	if len(head) < 8 {
		return flagBoxes, nil
	}
	kind, length, header := string(head[4:8]), uint64(binary.BigEndian.Uint32(head)), uint64(8)
	if err := s.skip(8); err != nil {
		return "", err
	}
	if length == 1 { // the length follows in 64 bits
		var long [8]byte
		if err := s.fill(long[:]); err != nil {
			return "", err
		}
		length, header = binary.BigEndian.Uint64(long[:]), 16
	}
	switch {
	case length == 0 && header == 8: // to the end of the file
		_, err = s.rest()
	case length < header || length > math.MaxInt64:
		return flagBoxes, nil
	default:
		err = s.skip(int64(length - header))
	}
	if err == nil && (!printable(kind) || kind == "ftyp" && !first) {
		flag = "MP4 with a strange box"
	}
	return flag, err
}
