package kyc

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"
)

// newOpening makes a fresh sortable id: 48 bits of milliseconds, then 80 random bits, in 26 lower-case characters whose
// order is that of the time.
func newOpening(now time.Time, random io.Reader) (string, error) {
	var b [18]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now.UnixMilli())) //nolint:gosec // after 1970
	if _, err := io.ReadFull(random, b[8:]); err != nil {
		return "", fmt.Errorf("draw opening: %w", err)
	}
	return strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(b[2:])), nil
}
