package seal

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// ProofVersion is written into every proof; see Version.
const ProofVersion = 1

// Proof says where in a seal's tree a manifest is, with the hashes that lead from it to the root.
type Proof struct {
	Version int      `json:"version"`
	Seal    string   `json:"seal"` // the folder of the seal below seals/
	Leaf    string   `json:"leaf"` // its line
	Index   uint64   `json:"index"`
	Size    uint64   `json:"size"` // of the tree
	Path    []string `json:"path"` // hex, from the leaf's neighbour up (RFC 6962 section 2.1.1)
}

// Encode writes a proof as it lies beside its manifest.
func (p Proof) Encode() ([]byte, error) {
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode proof: %w", err)
	}
	return append(text, '\n'), nil
}

// ParseProof reads what Encode writes, and nothing else, so that every reader understands it alike. A newer version's is
// archive.ErrNewer.
func ParseProof(data []byte) (Proof, error) {
	var p Proof
	if err := json.Unmarshal(data, &p); err != nil {
		return Proof{}, fmt.Errorf("read proof: %w (%w)", ErrFormat, err)
	}
	if p.Version > ProofVersion {
		return Proof{}, fmt.Errorf("read proof: version %d: %w", p.Version, archive.ErrNewer)
	}
	_, known := archive.ParseSealName(p.Seal)
	_, err := ParseLeaf(p.Leaf)
	if err != nil || !known || p.Version != ProofVersion || p.Path == nil || p.Index >= p.Size {
		return Proof{}, fmt.Errorf("read proof: its values can not be: %w", ErrFormat)
	}
	if again, err := p.Encode(); err != nil || !bytes.Equal(again, data) {
		return Proof{}, fmt.Errorf("read proof: not as it would be written: %w", ErrFormat)
	}
	return p, nil
}

// Check tells whether the proof is one of this manifest, by its digest, and leads to the checkpoint's root. It gives the leaf.
func (p Proof) Check(o archive.Order, manifestDigest string, c Checkpoint) (Leaf, error) {
	leaf, err := ParseLeaf(p.Leaf)
	if err != nil {
		return Leaf{}, err
	}
	if leaf.Order != o || leaf.Digest != manifestDigest {
		return Leaf{}, errors.New("it is of another manifest")
	}
	if p.Size != c.Size || p.Seal != archive.SealName(c.Window.Start) {
		return Leaf{}, errors.New("it is of another tree than the checkpoint's")
	}
	path := make([]Hash, len(p.Path))
	for i, text := range p.Path {
		if !isHex(text, 2*len(Hash{})) {
			return Leaf{}, fmt.Errorf("hash %d of its path: %w", i+1, ErrFormat)
		}
		_, _ = hex.Decode(path[i][:], []byte(text))
	}
	return leaf, CheckProof(leaf, p.Index, p.Size, path, c.Root)
}

// ErrUnsealed says that no seal has a manifest, yet or at all.
var ErrUnsealed = errors.New("not sealed")

// Find makes the proof of a manifest: in the seal of its window, or in a later one that took it in. It gives the signed
// checkpoint with it, whose root it has checked, but not who has signed it.
func Find(ctx context.Context, a *archive.Archive, s archive.Stored) (Proof, []byte, error) {
	at := s.ArchivedAt.Truncate(time.Second)
	leaf := Leaf{Order: s.Order, Digest: s.Digest}
	for o, err := range a.ScanSeals(ctx, at.Add(-MaxEvery)) {
		if archive.Strange(err) || err == nil && o.Object != archive.SealCheckpoint {
			continue
		} else if err != nil {
			return Proof{}, nil, err
		}
		signed, _, err := a.ReadSeal(ctx, o.Start, archive.SealCheckpoint)
		if err != nil {
			return Proof{}, nil, err
		}
		c, err := Peek(signed)
		if err != nil {
			return Proof{}, nil, fmt.Errorf("%s: %w", o.Key, err)
		}
		if !c.Window.End.After(at) || c.Late == 0 && !c.Window.Has(at) {
			continue
		}
		p, found, err := proofIn(ctx, a, c, leaf)
		if err != nil || found {
			return p, signed, err
		}
	}
	return Proof{}, nil, fmt.Errorf("%s of order %s: %w: its window may not be over yet; kycvault seal makes a pass", archive.ManifestName(s.N), s.Order, ErrUnsealed)
}

// proofIn looks for a leaf in one seal. It reads the leaves twice, and keeps none: whoever wrote them chose how many they are.
func proofIn(ctx context.Context, a *archive.Archive, c Checkpoint, leaf Leaf) (Proof, bool, error) {
	key := archive.SealKey(c.Window.Start, archive.SealLeaves)
	damaged := fmt.Errorf("%s: not the leaves that were signed: %w", key, archive.ErrDamaged)
	p := Proof{Version: ProofVersion, Seal: archive.SealName(c.Window.Start), Size: c.Size, Path: []string{}}
	tree := NewTree()
	for l, err := range openLeaves(ctx, a, c.Window.Start) {
		if errors.Is(err, bucket.ErrNotFound) || err == nil && tree.Size() == c.Size {
			return Proof{}, false, damaged
		} else if err != nil {
			return Proof{}, false, fmt.Errorf("read %s: %w", key, err)
		}
		if l.onTime() == leaf {
			p.Index, p.Leaf = tree.Size(), l.String()
		}
		tree.Add(l)
	}
	if tree.Size() != c.Size || tree.Root() != c.Root {
		return Proof{}, false, damaged
	}
	if p.Leaf == "" {
		return Proof{}, false, nil
	}
	path, err := prove(openLeaves(ctx, a, c.Window.Start), p.Index, c.Size)
	if err != nil {
		return Proof{}, false, fmt.Errorf("read %s: %w", key, err)
	}
	for _, h := range path {
		p.Path = append(p.Path, hex.EncodeToString(h[:]))
	}
	if _, err := p.Check(leaf.Order, leaf.Digest, c); err != nil { // the leaves are others than a moment ago
		return Proof{}, false, damaged
	}
	return p, true, nil
}
