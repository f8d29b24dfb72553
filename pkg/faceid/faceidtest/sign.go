package faceidtest

import (
	"crypto/sha1"
	"encoding/hex"
	"slices"
	"strings"
)

// sign is PROTOCOL section 2, written a second time on purpose: the client's own function cannot vouch for itself.
func sign(values ...string) string {
	sorted := slices.Sorted(slices.Values(values))
	sum := sha1.Sum([]byte(strings.Join(sorted, "")))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
