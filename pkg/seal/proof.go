package seal

import (
	"context"
	"encoding/hex"
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

// proofIn looks for a leaf in one seal.
func proofIn(ctx context.Context, a *archive.Archive, c Checkpoint, leaf Leaf) (Proof, bool, error) {
	key := archive.SealKey(c.Window.Start, archive.SealLeaves)
	leaves, err := (&pass{Sealer: &Sealer{Archive: a}}).readLeaves(ctx, c.Window.Start)
	if errors.Is(err, bucket.ErrNotFound) || err == nil && TreeOf(leaves).Root() != c.Root {
		return Proof{}, false, fmt.Errorf("%s: not the leaves that were signed: %w", key, archive.ErrDamaged)
	} else if err != nil {
		return Proof{}, false, fmt.Errorf("read %s: %w", key, err)
	}
	for i, l := range leaves {
		if l.onTime() != leaf {
			continue
		}
		path, err := Prove(leaves, uint64(i))
		p := Proof{Version: ProofVersion, Seal: archive.SealName(c.Window.Start), Leaf: l.String(), Index: uint64(i), Size: c.Size, Path: []string{}}
		for _, h := range path {
			p.Path = append(p.Path, hex.EncodeToString(h[:]))
		}
		return p, true, err
	}
	return Proof{}, false, nil
}
