package seal

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Leaf is one leaf of a seal's tree: a manifest, by its digest.
type Leaf struct {
	Order  archive.Order
	Digest string // SHA-256 of the manifest's bytes, lower-case hex
	Late   bool   // its window was sealed before its journal entry came
}

// lateWord ends the line of a late leaf.
const lateWord = "late"

// LeafOf is the leaf of a journal entry.
func LeafOf(e archive.JournalEntry) Leaf { return Leaf{Order: e.Order, Digest: e.ManifestDigest} }

// String is the leaf's line without the line break: these bytes are hashed.
func (l Leaf) String() string { return string(l.appendTo(nil)) }

// appendTo appends the line to b.
func (l Leaf) appendTo(b []byte) []byte {
	b = append(append(append(b, l.Order...), ' '), l.Digest...)
	if l.Late {
		b = append(append(b, ' '), lateWord...)
	}
	return b
}

// onTime is the leaf as it would be in its own window: what tells whether two leaves are about the same manifest.
func (l Leaf) onTime() Leaf {
	l.Late = false
	return l
}

// ParseLeaf reads a leaf's line, without the line break.
func ParseLeaf(line string) (Leaf, error) {
	order, rest, _ := strings.Cut(line, " ")
	digest, word, more := strings.Cut(rest, " ")
	l := Leaf{Order: archive.Order(order), Digest: digest, Late: more}
	if _, err := archive.ParseOrder(order); err != nil || !isHex(digest, 64) || more && word != lateWord {
		return Leaf{}, fmt.Errorf("parse leaf: %w", ErrFormat)
	}
	return l, nil
}

// isHex takes n lower-case hex digits.
func isHex(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789abcdef") == "" }

// compareLeaves is the order of leaves: that of the bytes of their lines, for a blank comes before letters and digits. A leaf and
// the same one late are equal.
func compareLeaves(a, b Leaf) int {
	return cmp.Or(strings.Compare(string(a.Order), string(b.Order)), strings.Compare(a.Digest, b.Digest))
}

// SortLeaves puts leaves into the order that a seal has. One that is there twice stays once: the one that is on time, if either is.
func SortLeaves(leaves []Leaf) []Leaf {
	slices.SortFunc(leaves, func(a, b Leaf) int {
		if c := compareLeaves(a, b); c != 0 || a.Late == b.Late {
			return c
		} else if a.Late {
			return 1
		}
		return -1
	})
	return slices.CompactFunc(leaves, func(a, b Leaf) bool { return a.onTime() == b.onTime() })
}

// WriteLeaves writes sorted leaves, a line each.
func WriteLeaves(w io.Writer, leaves []Leaf) error {
	out := bufio.NewWriter(w)
	var line []byte
	for _, l := range leaves {
		line = append(l.appendTo(line[:0]), '\n')
		_, _ = out.Write(line)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write leaves: %w", err)
	}
	return nil
}

// maxLine bounds a leaf's line: an order number, a digest and a word.
const maxLine = 32 + 1 + 64 + 1 + len(lateWord) + 1

// ReadLeaves reads leaves one by one, as they are in a file: sorted, each once, the last line ended too. An error ends it.
func ReadLeaves(r io.Reader) iter.Seq2[Leaf, error] {
	return func(yield func(Leaf, error) bool) {
		in := bufio.NewReaderSize(r, 64<<10)
		var before Leaf
		for n := 1; ; n++ {
			l, err := readLeaf(in)
			if errors.Is(err, io.EOF) {
				return
			}
			if err == nil && n > 1 && compareLeaves(before, l) >= 0 {
				err = fmt.Errorf("not sorted: %w", ErrFormat)
			}
			if err != nil {
				yield(Leaf{}, fmt.Errorf("line %d: %w", n, err))
				return
			}
			if !yield(l, nil) {
				return
			}
			before = l
		}
	}
}

// readLeaf reads one line; io.EOF itself is the end.
func readLeaf(in *bufio.Reader) (Leaf, error) {
	line, err := in.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return Leaf{}, io.EOF
	case errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) || err == nil && len(line) > maxLine:
		return Leaf{}, fmt.Errorf("no line of a leaf: %w", ErrFormat)
	case err != nil:
		return Leaf{}, err
	}
	return ParseLeaf(string(line[:len(line)-1]))
}
