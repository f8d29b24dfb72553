package archive

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Every key of an archive is made and parsed in this file, and nowhere else (DESIGN section 4).
const (
	pendingPrefix = "pending/"
	retryPrefix   = "retry/"
	quietPrefix   = "quiet/"
	closedPrefix  = "closed/"
	ordersPrefix  = "orders/"
	journalPrefix = "journal/"
	sealsPrefix   = "seals/"
	ticketPrefix  = "system/ticket/"
	leasePrefix   = "system/lease/"
	backoffKey    = "system/backoff"
	probePrefix   = "system/probe/"
	trialPrefix   = "system/doctor/"
)

// TicketPrefix is where the generations of the SIGN ticket lie, in ascending order.
const TicketPrefix = ticketPrefix

// LeasePrefix is where the refresh leases lie, in ascending order.
const LeasePrefix = leasePrefix

// TicketKey is the key of generation n of the SIGN ticket (DESIGN section 5).
func TicketKey(n int64) string { return ticketPrefix + padded(n) }

// LeaseKey is the key of the lease to make generation n (DESIGN section 5).
func LeaseKey(n int64) string { return leasePrefix + padded(n) }

// padded makes numbers sort as text: 12 digits are enough for one refresh a second for 30,000 years.
func padded(n int64) string { return fmt.Sprintf("%012d", n) }

// ParseGeneration reads the number back out of a ticket or lease key.
func ParseGeneration(key string) (int64, bool) {
	digits, ok := strings.CutPrefix(key, ticketPrefix)
	if !ok {
		digits, ok = strings.CutPrefix(key, leasePrefix)
	}
	if !ok || len(digits) != len(padded(0)) {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n > 0 && padded(n) == digits
}

// BackoffKey is the note that makes everyone back off together (DESIGN section 3).
func BackoffKey() string { return backoffKey }

// ProbeKey is the create-once right to probe the upstream during the back-off note of the given id.
func ProbeKey(id string) string { return probePrefix + id }

// trialKey is a key that Try works with: of the run of the given id, and of nobody else.
func trialKey(id, name string) string { return trialPrefix + id + "." + name }

// Mark names one opening of an order: what pending/, retry/, quiet/ and closed/ keys are about.
type Mark struct {
	Order   Order
	Opening string
}

func (m Mark) tail() string { return string(m.Order) + "." + m.Opening }

// PendingKey is the key of the marker that keeps an opening from being forgotten.
func (m Mark) PendingKey() string { return pendingPrefix + m.tail() }

// RetryKey is the key of the note on tries that brought something or failed.
func (m Mark) RetryKey() string { return retryPrefix + m.tail() }

// QuietKey is the key of the note on tries of an order of which the service knows nothing.
func (m Mark) QuietKey() string { return quietPrefix + m.tail() }

// ClosedKey is the key of the entry that says how an opening ended without a manifest.
func (m Mark) ClosedKey() string { return closedPrefix + m.tail() }

// maxOpeningLen bounds an opening; ours are 26 long, another version's may differ.
const maxOpeningLen = 64

// parseMark reads order and opening out of the last element of a marker key (without its prefix).
func parseMark(tail string) (Mark, error) {
	order, opening, ok := strings.Cut(tail, ".")
	if !ok {
		return Mark{}, fmt.Errorf("no dot between order and opening")
	}
	o, err := ParseOrder(order)
	if err != nil {
		return Mark{}, err
	}
	if err := CheckOpening(opening); err != nil {
		return Mark{}, err
	}
	return Mark{Order: o, Opening: opening}, nil
}

// CheckOpening refuses what can not be an opening: other than 1 to 64 letters and digits.
func CheckOpening(s string) error {
	if s == "" || len(s) > maxOpeningLen {
		return fmt.Errorf("opening must be 1 to %d letters and digits", maxOpeningLen)
	}
	for i := range len(s) {
		if !alphanumeric(s[i]) {
			return fmt.Errorf("opening must be 1 to %d letters and digits", maxOpeningLen)
		}
	}
	return nil
}

// orderPrefix is the folder of one order.
func orderPrefix(o Order) string { return ordersPrefix + string(o) + "/" }

// FileKey is the key of an evidence file of an order.
func FileKey(o Order, name string) string { return orderPrefix(o) + name }

// ManifestName is the name of manifest n: manifest.json, then manifest.2.json, …
func ManifestName(n int) string {
	if n == 1 {
		return "manifest.json"
	}
	return "manifest." + strconv.Itoa(n) + ".json"
}

// parseManifestName reads the number back.
func parseManifestName(name string) (int, bool) {
	if name == "manifest.json" {
		return 1, true
	}
	digits, ok := strings.CutPrefix(name, "manifest.")
	if !ok {
		return 0, false
	}
	digits, ok = strings.CutSuffix(digits, ".json")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 1 && strconv.Itoa(n) == digits
}

// extensions are the ones an evidence file of each kind can have; the last is for media that look odd.
var extensions = map[Kind][]string{Photo: {"jpg", "png", oddExt}, Video: {"mp4", oddExt}, Result: {"json"}}

const oddExt = "bin"

// ageExt ends the name of a file that is stored encrypted, behind the extension of its plain bytes.
const ageExt = ".age"

// EncryptedExt is the extension of a file that is stored encrypted and whose plain bytes have the given one.
func EncryptedExt(plain string) string { return plain + ageExt }

// FileName is the name of evidence: kind, digest of the plain bytes, extension.
func FileName(kind Kind, digest, ext string) string { return string(kind) + "." + digest + "." + ext }

// Name is a parsed evidence file name.
type Name struct {
	Kind   Kind
	Digest string // SHA-256 of the plain bytes, 64 lower-case hex digits
	Ext    string // that of the plain bytes, and ".age" where they are stored encrypted
}

// Odd tells whether the file is one whose bytes look odd; a name alone says so.
func (n Name) Odd() bool { return n.PlainExt() == oddExt }

// Encrypted tells whether the file is stored encrypted.
func (n Name) Encrypted() bool { return strings.HasSuffix(n.Ext, ageExt) }

// PlainExt is the extension of the plain bytes.
func (n Name) PlainExt() string { return strings.TrimSuffix(n.Ext, ageExt) }

// ParseFileName reads an evidence file's name; false for anything else.
func ParseFileName(s string) (Name, bool) {
	parts := strings.SplitN(s, ".", 3)
	if len(parts) != 3 || !isDigest(parts[1]) {
		return Name{}, false
	}
	n := Name{Kind: Kind(parts[0]), Digest: parts[1], Ext: parts[2]}
	for _, ext := range extensions[n.Kind] {
		if ext == n.PlainExt() {
			return n, true
		}
	}
	return Name{}, false
}

func isDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// JournalKey is the key of the entry for a manifest that was archived at the given time.
func JournalKey(at time.Time, o Order, manifestDigest string) string {
	return journalTimePrefix(at) + "." + string(o) + "." + manifestDigest
}

// journalTimePrefix is what the keys of all entries of one second begin with.
func journalTimePrefix(at time.Time) string {
	return journalPrefix + at.UTC().Format("2006-01-02/150405")
}

// JournalEntry is a parsed journal key.
type JournalEntry struct {
	At             time.Time // UTC, to the second
	Order          Order
	ManifestDigest string
	Stored         time.Time // by the store's clock; only of a listing
}

// parseJournalKey reads a journal key back.
func parseJournalKey(key string) (JournalEntry, error) {
	rest, ok := strings.CutPrefix(key, journalPrefix)
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 3 || !isDigest(parts[2]) {
		return JournalEntry{}, fmt.Errorf("not a journal key")
	}
	at, err := time.Parse("2006-01-02/150405", parts[0])
	if err != nil {
		return JournalEntry{}, fmt.Errorf("not a journal key: %w", err)
	}
	o, err := ParseOrder(parts[1])
	if err != nil {
		return JournalEntry{}, fmt.Errorf("not a journal key: %w", err)
	}
	if JournalKey(at, o, parts[2]) != key { // time.Parse takes "150405,5" too
		return JournalEntry{}, fmt.Errorf("not a journal key")
	}
	return JournalEntry{At: at, Order: o, ManifestDigest: parts[2]}, nil
}

// SealName is the folder of the seal of the window that starts at the given time, to the second.
func SealName(start time.Time) string { return start.UTC().Format(sealForm) }

const sealForm = "20060102T150405Z"

// ParseSealName reads a window's start back.
func ParseSealName(s string) (time.Time, bool) {
	start, err := time.Parse(sealForm, s)
	return start, err == nil && SealName(start) == s // time.Parse takes "150405,5" too
}

// The objects of a seal. The checkpoint is its commit: a seal exists when that does.
const (
	SealLeaves     = "leaves"
	SealCheckpoint = "checkpoint"
	SealToken      = "checkpoint.tsr" // RFC 3161
)

// SealKey is the key of one object of a seal.
func SealKey(start time.Time, object string) string {
	return sealsPrefix + SealName(start) + "/" + object
}

// parseSealKey reads a seal's key back.
func parseSealKey(key string) (start time.Time, object string, err error) {
	name, object, _ := strings.Cut(strings.TrimPrefix(key, sealsPrefix), "/")
	start, ok := ParseSealName(name)
	if !ok || SealKey(start, object) != key || object != SealLeaves && object != SealCheckpoint && object != SealToken {
		return time.Time{}, "", fmt.Errorf("not a seal's key")
	}
	return start, object, nil
}
