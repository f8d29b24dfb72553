package media

import (
	"encoding/binary"
	"io"
)

// maxBoxes bounds the work for a crafted file: a box header is a read. An hour of one-second fragments has 7,200.
const maxBoxes = 10_000

const flagBoxes = "MP4 whose boxes do not add up"

func beginsMP4(head []byte) bool { return len(head) >= 8 && string(head[4:8]) == "ftyp" }

// checkMP4 walks the outermost boxes (ISO/IEC 14496-12, section 4.2), reading their headers only. They must fill the
// file exactly (PROTOCOL section 4); which boxes there are is not looked at.
func checkMP4(r io.ReaderAt, size int64) (string, error) {
	offset := int64(0)
	for range maxBoxes {
		if offset == size {
			return "", nil
		}
		kind, length, err := readBox(r, offset, size-offset)
		if err != nil {
			return "", err
		}
		if length == 0 {
			return flagBoxes, nil
		}
		if !printable(kind) || kind == "ftyp" && offset > 0 {
			return "MP4 with a strange box", nil
		}
		offset += length
	}
	return "MP4 with too many boxes", nil
}

// readBox gives a box's type and whole length; length 0 for one that can not lie in the bytes left.
func readBox(r io.ReaderAt, offset, left int64) (kind string, length int64, err error) {
	var head [16]byte
	n := min(int64(len(head)), left)
	if err := readAt(r, head[:n], offset); err != nil {
		return "", 0, err
	}
	if n < 8 {
		return "", 0, nil
	}
	kind, header := string(head[4:8]), uint64(8)
	whole := uint64(binary.BigEndian.Uint32(head[:]))
	switch whole {
	case 0: // to the end of the file
		whole = uint64(left)
	case 1: // the length follows in 64 bits
		whole, header = binary.BigEndian.Uint64(head[8:]), 16
	}
	if whole < header || whole > uint64(left) {
		return kind, 0, nil
	}
	return kind, int64(whole), nil
}

func printable(s string) bool {
	for i := range len(s) {
		if (s[i] < ' ' || s[i] > '~') && s[i] != 0xa9 { // 0xA9, ©, begins types of QuickTime
			return false
		}
	}
	return true
}
