package seal

import (
	"crypto/sha256"
	"fmt"
	"iter"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// Hash is a node of a tree.
type Hash = [sha256.Size]byte

// Tree hashes leaves as they come (RFC 6962 section 2.1), in memory that grows with the logarithm of their number.
type Tree struct {
	nodes *compact.Range
	wants map[compact.NodeID][]byte // of proofs: nodes to keep; nil is none
	line  []byte                    // of the last leaf: its memory is used again
}

// NewTree makes an empty tree.
func NewTree() *Tree {
	factory := compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}
	return &Tree{nodes: factory.NewEmptyRange(0)}
}

// Add appends a leaf.
func (t *Tree) Add(l Leaf) {
	keep := func(id compact.NodeID, hash []byte) {
		if _, wanted := t.wants[id]; wanted {
			t.wants[id] = hash
		}
	}
	t.line = l.appendTo(t.line[:0])
	if err := t.nodes.Append(rfc6962.DefaultHasher.HashLeaf(t.line), keep); err != nil {
		panic("a tree that begins at its first leaf can always be appended to: " + err.Error())
	}
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.nodes.End() }

// Root is the hash of the whole tree.
func (t *Tree) Root() Hash {
	root, err := t.nodes.GetRootHash(nil)
	if err != nil {
		panic("a tree that begins at its first leaf has a root: " + err.Error())
	}
	if root == nil {
		root = rfc6962.DefaultHasher.EmptyRoot()
	}
	return Hash(root)
}

// TreeOf makes the tree of leaves.
func TreeOf(leaves []Leaf) *Tree {
	t := NewTree()
	for _, l := range leaves {
		t.Add(l)
	}
	return t
}

// Prove gives the inclusion proof of the leaf at index: the hashes from its neighbour up (RFC 6962 section 2.1.1).
func Prove(leaves []Leaf, index uint64) ([]Hash, error) {
	return prove(func(yield func(Leaf, error) bool) {
		for _, l := range leaves {
			if !yield(l, nil) {
				return
			}
		}
	}, index, uint64(len(leaves)))
}

// prove is Prove for leaves that come one by one, and are so many.
func prove(leaves iter.Seq2[Leaf, error], index, size uint64) ([]Hash, error) {
	needed, err := proof.Inclusion(index, size)
	if err != nil {
		return nil, fmt.Errorf("prove leaf %d of %d: %w", index, size, err)
	}
	t := NewTree()
	t.wants = make(map[compact.NodeID][]byte, len(needed.IDs))
	for _, id := range needed.IDs {
		t.wants[id] = nil
	}
	for l, err := range leaves {
		if err != nil {
			return nil, fmt.Errorf("prove leaf %d of %d: %w", index, size, err)
		}
		if t.Add(l); t.Size() == size {
			break
		}
	}
	hashes := make([][]byte, len(needed.IDs))
	for i, id := range needed.IDs {
		hashes[i] = t.wants[id]
	}
	if hashes, err = needed.Rehash(hashes, rfc6962.DefaultHasher.HashChildren); err != nil {
		return nil, fmt.Errorf("prove leaf %d of %d: %w", index, size, err)
	}
	path := make([]Hash, len(hashes))
	for i, h := range hashes {
		path[i] = Hash(h)
	}
	return path, nil
}

// CheckProof tells whether the leaf is the one at index of a tree of size leaves with this root.
func CheckProof(l Leaf, index, size uint64, path []Hash, root Hash) error {
	hashes := make([][]byte, len(path))
	for i := range path {
		hashes[i] = path[i][:]
	}
	leaf := rfc6962.DefaultHasher.HashLeaf(l.appendTo(nil))
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf, hashes, root[:]); err != nil {
		return fmt.Errorf("check inclusion of a leaf: %w", err)
	}
	return nil
}
