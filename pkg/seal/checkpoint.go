package seal

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Checkpoint is what the keeper of an archive signs for a window.
type Checkpoint struct {
	Origin        string // the key's name
	Size          uint64 // of the tree
	Root          Hash   // of the tree
	Window        Window
	PreviousStart time.Time // of the window before; zero for the first one
	Previous      string    // SHA-256 of that window's checkpoint, signature and all; "" for the first one
	Late          int       // leaves whose own window was sealed before
	Timestamp     bool      // a trusted timestamp is to lie beside it
}

// Digest is the SHA-256 of a signed checkpoint's bytes: what the next one names, and what sha256sum prints.
func Digest(signed []byte) string {
	sum := sha256.Sum256(signed)
	return hex.EncodeToString(sum[:])
}

// Text is the checkpoint without signature: the three lines of C2SP, then the extension lines.
func (c Checkpoint) Text() string {
	previous, wanted := "none", "none"
	if c.Previous != "" {
		previous = archive.SealName(c.PreviousStart) + " " + c.Previous
	}
	if c.Timestamp {
		wanted = "wanted"
	}
	return strings.Join([]string{
		c.Origin,
		strconv.FormatUint(c.Size, 10),
		base64.StdEncoding.EncodeToString(c.Root[:]),
		"kycvault-seal " + strconv.Itoa(Version),
		"window " + c.Window.String(),
		"previous " + previous,
		"late " + strconv.Itoa(c.Late),
		"timestamp " + wanted,
		"",
	}, "\n")
}

// Sign signs the checkpoint as a note. Equal checkpoints give equal bytes: Ed25519 has no randomness.
func (c Checkpoint) Sign(k Key) ([]byte, error) {
	c.Origin = k.Name()
	signed, err := note.Sign(&note.Note{Text: c.Text()}, k.signer)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// ErrUnsigned says that none of the given keys has signed a checkpoint, or that a signature is wrong.
var ErrUnsigned = errors.New("not signed by a given key")

// Open reads a signed checkpoint; one of the keys must have signed it.
func Open(signed []byte, keys []PublicKey) (Checkpoint, error) {
	verifiers := make([]note.Verifier, len(keys))
	for i, k := range keys {
		verifiers[i] = k.verifier
	}
	n, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("open checkpoint: %w", ErrUnsigned)
	}
	return parseNote(signed, n)
}

// Peek reads a signed checkpoint without a look at who has signed it.
func Peek(signed []byte) (Checkpoint, error) {
	_, err := note.Open(signed, note.VerifierList())
	unverified, ok := errors.AsType[*note.UnverifiedNoteError](err)
	if !ok {
		return Checkpoint{}, fmt.Errorf("read checkpoint: not a signed note: %w", ErrFormat)
	}
	return parseNote(signed, unverified.Note)
}

// parseNote takes a note with one signature, as Sign writes it: a note would have the same meaning, and another digest, with more of
// them, or with bits that Base64 leaves over.
func parseNote(signed []byte, n *note.Note) (Checkpoint, error) {
	written := ""
	for _, s := range slices.Concat(n.Sigs, n.UnverifiedSigs) {
		raw, _ := base64.StdEncoding.DecodeString(s.Base64) // note has done so
		written += "— " + s.Name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
	}
	if len(n.Sigs)+len(n.UnverifiedSigs) != 1 || string(signed) != n.Text+"\n"+written {
		return Checkpoint{}, fmt.Errorf("read checkpoint: it must have one signature, as it would be written: %w", ErrFormat)
	}
	return parseText(n.Text)
}

// parseText reads what Text writes, and nothing else: other bytes that mean the same would have another digest in the chain.
func parseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 {
		return Checkpoint{}, fmt.Errorf("read checkpoint: too few lines: %w", ErrFormat)
	}
	version, ours := strings.CutPrefix(lines[3], "kycvault-seal ")
	if n, err := strconv.Atoi(version); ours && err == nil && n > Version {
		return Checkpoint{}, fmt.Errorf("read checkpoint: version %d: %w", n, archive.ErrNewer)
	}
	if len(lines) != 9 { // 8, each ended
		return Checkpoint{}, fmt.Errorf("read checkpoint: not 8 lines: %w", ErrFormat)
	}
	c := parseLines([8]string(lines))
	if c.Text() != text {
		return Checkpoint{}, fmt.Errorf("read checkpoint: not as it would be written: %w", ErrFormat)
	}
	return c, c.check()
}

// parseLines takes from the lines what can be taken; what is wrong in them then shows, since Text writes something else.
func parseLines(lines [8]string) Checkpoint {
	c := Checkpoint{Origin: lines[0]}
	c.Size, _ = strconv.ParseUint(lines[1], 10, 63)
	root, _ := base64.StdEncoding.DecodeString(lines[2])
	copy(c.Root[:], root)
	start, end, _ := strings.Cut(strings.TrimPrefix(lines[4], "window "), " ")
	c.Window.Start, _ = archive.ParseSealName(start)
	c.Window.End, _ = archive.ParseSealName(end)
	if before, digest, more := strings.Cut(strings.TrimPrefix(lines[5], "previous "), " "); more {
		c.PreviousStart, _ = archive.ParseSealName(before)
		c.Previous = digest
	}
	c.Late, _ = strconv.Atoi(strings.TrimPrefix(lines[6], "late "))
	c.Timestamp = lines[7] == "timestamp wanted"
	return c
}

// check looks whether the values can be.
func (c Checkpoint) check() error {
	switch {
	case CheckName(c.Origin) != nil, !c.Window.Start.Before(c.Window.End), c.Late < 0, uint64(max(c.Late, 0)) > c.Size:
		return fmt.Errorf("read checkpoint: its values can not be: %w", ErrFormat)
	case c.Previous != "" && (!isHex(c.Previous, 64) || !c.PreviousStart.Before(c.Window.Start)):
		return fmt.Errorf("read checkpoint: it names no checkpoint before it: %w", ErrFormat)
	}
	return nil
}
