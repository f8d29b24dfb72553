package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
)

// order checks a folder of data/orders: its manifests from the first on, and that they name all that is in it.
func (c *checker) order(name string) error {
	o, err := archive.ParseOrder(name)
	if err != nil {
		c.wrong(OrderFile(archive.Order(name), ""), archive.Unknown, "its name is no order number")
		return nil
	}
	known := make(map[string]bool)
	previous := ""
	for n := 1; n <= max(1, c.manifests(o)); n++ {
		manifest := archive.ManifestName(n)
		known[manifest], known[manifest+proofExt] = true, true
		m, digest, ok := c.manifest(o, manifest)
		if !ok {
			previous = "" // nothing can be said of the link
			continue
		}
		if n == 1 && m.Previous != "" || previous != "" && m.Previous != previous {
			c.bad(o, manifest, archive.BadManifest, "it does not follow the manifest before it")
		}
		previous = digest
		for _, f := range m.Files {
			if err := c.evidence(o, manifest, f, known); err != nil {
				return err
			}
		}
	}
	for _, file := range c.orders[name] {
		if !known[file] {
			c.bad(o, file, archive.Unknown, "no sealed manifest of the order names it")
		}
	}
	if !c.hurt[o] {
		c.sum.Orders++
	}
	return nil
}

// manifests gives the highest number that a manifest of the order has. One that is higher than the number of files belongs to no
// order.
func (c *checker) manifests(o archive.Order) int {
	files := len(c.orders[string(o)])
	for n := files; n > 0; n-- {
		if c.bag.Has(OrderFile(o, archive.ManifestName(n))) {
			return n
		}
	}
	return 0
}

// manifest reads a manifest and checks that it is in a sealed tree.
func (c *checker) manifest(o archive.Order, name string) (m archive.Manifest, digest string, ok bool) {
	data, ok := c.read(OrderFile(o, name), archive.BadManifest, "an order has its manifests from the first on")
	if !ok {
		return m, "", false
	}
	m, err := archive.ParseManifest(data)
	if err == nil && m.Order != o {
		err = fmt.Errorf("it is about another order: %w", archive.ErrDamaged)
	}
	if err != nil {
		c.bad(o, name, archive.BadManifest, err.Error())
		return m, "", false
	}
	sum := sha256.Sum256(data)
	digest = hex.EncodeToString(sum[:])
	c.proof(o, name, m, digest)
	return m, digest, true
}

// proof checks that a manifest is a leaf of the tree that a checkpoint in the bag has the root of.
func (c *checker) proof(o archive.Order, manifest string, m archive.Manifest, digest string) {
	file := ProofFile(o, manifest)
	data, ok := c.read(file, seal.Unsealed, "the proof that the manifest is sealed")
	if !ok {
		return
	}
	p, err := seal.ParseProof(data)
	if err != nil {
		c.bad(o, manifest+proofExt, seal.Unsealed, err.Error())
		return
	}
	checkpoint, there := c.seals[p.Seal]
	if !there {
		c.bad(o, manifest, seal.Unsealed, "its seal, "+SealFile(p.Seal, archive.SealCheckpoint)+", is not there or not good")
		return
	}
	c.hurt[o] = c.hurt[o] || c.broken[p.Seal]
	leaf, err := p.Check(o, digest, checkpoint)
	if err == nil && !leaf.Late && !checkpoint.Window.Has(m.ArchivedAt.Truncate(time.Second)) {
		err = fmt.Errorf("it is of %s, which is not in the window of its seal", m.ArchivedAt.Format(time.RFC3339))
	}
	if err != nil {
		c.bad(o, manifest, seal.Unsealed, "by its proof it is not in the sealed tree: "+err.Error())
	}
}
