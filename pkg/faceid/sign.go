package faceid

import (
	"crypto/sha1"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Sign makes the service's signature: SHA-1 over the values, sorted by bytes and joined with nothing, as 40 upper-case hex
// digits (PROTOCOL section 2). Equal values are all kept. A query signs app id, order number, version, ticket and nonce;
// the H5 redirect app id, order number, ticket and code.
func Sign(values ...string) string {
	sorted := slices.Sorted(slices.Values(values))
	sum := sha1.Sum([]byte(strings.Join(sorted, "")))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// nonceBytes of randomness are exactly 32 Base32 characters: the length the service wants (PROTOCOL section 1).
const nonceBytes = 20

// Nonce makes 32 letters and digits out of 20 bytes of random.
func Nonce(random io.Reader) (string, error) {
	var b [nonceBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("read random bytes for a nonce: %w", err)
	}
	return base32.StdEncoding.EncodeToString(b[:]), nil
}
