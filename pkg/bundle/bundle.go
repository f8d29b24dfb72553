// Package bundle checks a proof bundle: a bag (RFC 8493) with the evidence of orders and all that a third party needs to believe it,
// as `kycvault export` makes it (docs/evidence.md). It does what the README in the bag does with sha256sum, openssl and a page of
// Python, and names everything that is wrong. What is in a bag may be anybody's work.
package bundle

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bag"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
)

// The kinds of damage that only a bag has; the others are those of packages archive and seal.
const (
	Unlisted = bag.Unlisted // a file that no list of the bag names
	Refused  = bag.Refused  // a file that must not be taken: by its name, or for what it is
	BadList  = bag.BadList  // a file about the bag can not be read, or says what is not so
)

// Options say what a bag is checked by.
type Options struct {
	Keys       []seal.PublicKey  // each checkpoint must be signed by one of them; none: only by the key in the bag
	Roots      *stamp.Roots      // timestamps must lead to these; nil: only to the certificates in the bag, if there are any
	Identities agekey.Identities // that decrypt what is encrypted, to check its plain bytes too
	Progress   func(bytes int64) // is told how many were read; nil is nobody
}

// Seal is one that was found in the bag.
type Seal struct {
	Name      string    `json:"name"`  // of its folder
	Until     time.Time `json:"until"` // the end of its window
	Key       string    `json:"key"`   // that in the bag, if it has signed it, as kycvault seal public prints one
	Timestamp time.Time `json:"timestamp,omitzero"`
}

// Checked is what was found good, and what was not.
type Checked struct {
	archive.Checked
	Seals     []Seal
	Encrypted int              // files whose plain bytes were not looked at
	CA        bool             // the bag has certificates of a timestamp authority
	Damage    []archive.Damage // its keys are names in the bag
}

// Check checks a bag whole, in memory that does not grow with the size of its files. An error is that of the context.
func Check(ctx context.Context, b *bag.Reader, o Options) (Checked, error) {
	c := &checker{
		ctx: ctx, bag: b, o: o, told: make(map[[2]string]int), hurt: make(map[archive.Order]bool), checked: make(map[string]bool),
		orders: make(map[string][]string), sealed: make(map[string]bool), seals: make(map[string]seal.Checkpoint), broken: make(map[string]bool),
	}
	var err error
	if c.sums, err = b.Check(ctx, c.problem, o.Progress); err != nil {
		return c.sum, err
	}
	c.sort()
	c.readCA()
	for _, name := range slices.Sorted(maps.Keys(c.sealed)) {
		before := c.faults
		c.seal(name)
		c.broken[name] = c.faults > before
	}
	for _, name := range slices.Sorted(maps.Keys(c.orders)) {
		if err := c.order(name); err != nil {
			return c.sum, err
		}
	}
	return c.sum, nil
}

// checker is a check under way.
type checker struct {
	ctx     context.Context
	bag     *bag.Reader
	o       Options
	sums    map[string]bag.Sum
	sum     Checked
	told    map[[2]string]int // by file and kind: which damage it is
	hurt    map[archive.Order]bool
	faults  int             // that were noted, told before or not
	checked map[string]bool // evidence that was found good

	orders map[string][]string // files of each order's folder, sorted
	sealed map[string]bool     // folders of seals
	seals  map[string]seal.Checkpoint
	broken map[string]bool // seals that something is wrong with: no order is proven by them
	roots  []*stamp.Roots
}

// tell notes something once for each file and kind: the bag's list and a manifest may both say that a file is changed, and a file
// that is refused is not missing.
func (c *checker) tell(d archive.Damage) {
	d.Key = bag.Shown(d.Key)
	c.hurt[d.Order] = true
	c.faults++
	key := [2]string{d.Key, d.Kind}
	before, twice := c.told[key]
	_, refused := c.told[[2]string{d.Key, Refused}]
	switch {
	case twice && d.How != "":
		c.sum.Damage[before] = d
	case !twice && (!refused || d.Kind != archive.Missing):
		c.told[key] = len(c.sum.Damage)
		c.sum.Damage = append(c.sum.Damage, d)
	}
}

// wrong is tell for a file of no order.
func (c *checker) wrong(file, kind, what string) {
	c.tell(archive.Damage{Key: file, Kind: kind, What: what})
}

// bad is tell for a file of an order.
func (c *checker) bad(o archive.Order, file, kind, what string) {
	c.tell(archive.Damage{Order: o, Key: OrderFile(o, file), Kind: kind, What: what})
}

// problem notes what is wrong with the bag itself. One file may have several of a kind.
func (c *checker) problem(p bag.Problem) {
	order := orderOf(p.File)
	c.hurt[order] = true
	c.told[[2]string{p.File, p.Kind}] = len(c.sum.Damage)
	c.sum.Damage = append(c.sum.Damage, archive.Damage{Order: order, Key: p.File, Kind: p.Kind, What: p.What})
}

// orderOf is the order that a file belongs to; "" is none.
func orderOf(file string) archive.Order {
	group, _, _ := split(file, ordersFolder)
	order, err := archive.ParseOrder(group)
	if err != nil {
		return ""
	}
	return order
}

// sort puts each file where it belongs. What belongs nowhere is told: nothing in the bag proves it.
func (c *checker) sort() {
	for _, name := range c.bag.Names() {
		order, orderFile, ofOrder := split(name, ordersFolder)
		start, sealFile, ofSeal := split(name, sealsFolder)
		switch {
		case ofOrder:
			c.orders[order] = append(c.orders[order], orderFile)
		case ofSeal && slices.Contains([]string{archive.SealCheckpoint, archive.SealToken, KeyFile}, sealFile):
			c.sealed[start] = true
		case name != CAFile && !aboutBag[name]:
			c.wrong(name, archive.Unknown, "a bag of evidence has no such file: nothing in it says what this is")
		}
	}
	for _, needed := range []string{Readme, Script} {
		if !c.bag.Has(needed) {
			c.wrong(needed, archive.Missing, "without it nobody else can check the bag")
		}
	}
	if len(c.orders) == 0 {
		c.wrong(ordersFolder, archive.Missing, "there is no order in the bag")
	}
}

// maxSmall bounds the files that are read whole: manifests, proofs, checkpoints, timestamps, keys.
const maxSmall = 1 << 20

// read gives a small file; false when it is not there or can not be read, which has been told or is told here.
func (c *checker) read(file, kind, why string) ([]byte, bool) {
	if !c.bag.Has(file) {
		c.missing(file, why)
		return nil, false
	}
	if _, whole := c.sums[file]; !whole {
		return nil, false
	}
	data, err := c.bag.ReadSmall(file, maxSmall)
	if err != nil {
		c.tell(archive.Damage{Order: orderOf(file), Key: file, Kind: kind, What: err.Error()})
	}
	return data, err == nil
}

func (c *checker) missing(file, why string) {
	c.tell(archive.Damage{Order: orderOf(file), Key: file, Kind: archive.Missing, What: why})
}
