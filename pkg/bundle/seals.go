package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/seal"
	"github.com/kycvault/kycvault/pkg/seal/stamp"
)

// readCA reads whom timestamps must lead to: those that were given, and those in the bag, which its README goes by.
func (c *checker) readCA() {
	if c.o.Roots != nil {
		c.roots = append(c.roots, c.o.Roots)
	}
	if !c.bag.Has(CAFile) {
		return
	}
	text, ok := c.read(CAFile, seal.BadTimestamp, "")
	if !ok {
		return
	}
	roots, err := stamp.ParseRoots(text)
	if err != nil {
		c.wrong(CAFile, seal.BadTimestamp, err.Error())
		return
	}
	c.sum.CA = true
	c.roots = append(c.roots, roots)
}

// seal checks a checkpoint: what it is about, who has signed it, and when it was there.
func (c *checker) seal(name string) {
	file := SealFile(name, archive.SealCheckpoint)
	signed, ok := c.read(file, seal.BadSeal, "the bag has other files of this seal")
	if !ok {
		return
	}
	p, err := seal.Peek(signed)
	if err == nil && archive.SealName(p.Window.Start) != name {
		err = errors.New("it is about another window")
	}
	if err == nil && signatures(signed) != 1 {
		err = errors.New("it has more than one signature, and the steps of the README look at the last one")
	}
	if err != nil {
		c.wrong(file, seal.BadSeal, err.Error())
		return
	}
	c.seals[name] = p
	found := Seal{Name: name, Until: p.Window.End, Key: c.signer(name, p, signed)}
	if len(c.o.Keys) > 0 {
		if _, err := seal.Open(signed, c.o.Keys); err != nil {
			c.wrong(file, seal.BadSeal, err.Error())
		}
	}
	found.Timestamp = c.token(name, p, signed)
	c.sum.Seals = append(c.sum.Seals, found)
}

// signatures counts the signatures of a signed note.
func signatures(signed []byte) int {
	_, lines, _ := bytes.Cut(signed, []byte("\n\n"))
	return bytes.Count(lines, []byte("\n"))
}

// signer gives the key in the bag, if it has signed the checkpoint.
func (c *checker) signer(name string, p seal.Checkpoint, signed []byte) string {
	file := SealFile(name, KeyFile)
	text, ok := c.read(file, seal.BadSeal, "the key that the checkpoint is signed with")
	if !ok {
		return ""
	}
	key, err := seal.ParsePEM(p.Origin, text)
	if err != nil {
		c.wrong(file, seal.BadSeal, err.Error())
		return ""
	}
	if _, err := seal.Open(signed, []seal.PublicKey{key}); err != nil {
		c.wrong(SealFile(name, archive.SealCheckpoint), seal.BadSeal, "the key beside it, "+KeyFile+", has not signed it")
		return ""
	}
	return key.String()
}

// token checks the timestamp of a checkpoint, and gives its time; zero is no good one.
func (c *checker) token(name string, p seal.Checkpoint, signed []byte) time.Time {
	file := SealFile(name, archive.SealToken)
	if !p.Timestamp && !c.bag.Has(file) {
		return time.Time{}
	}
	token, ok := c.read(file, seal.BadTimestamp, "its checkpoint says that there is one")
	if !ok {
		return time.Time{}
	}
	at, err := c.stamped(signed, token)
	if err == nil && at.Before(p.Window.End) {
		err = fmt.Errorf("it is of %s, before the window was over", at.Format(time.RFC3339))
	}
	if err != nil {
		c.wrong(file, seal.BadTimestamp, err.Error())
		return time.Time{}
	}
	return at
}

// stamped checks a token by each set of certificates that it must lead to; without any, by those that came within it.
func (c *checker) stamped(signed, token []byte) (at time.Time, err error) {
	for _, roots := range append([]*stamp.Roots{}, c.trusted()...) {
		t, err := stamp.Check(signed, token, roots)
		if err != nil {
			return time.Time{}, err
		}
		at = t.Time
	}
	return at, nil
}

// trusted are the certificates to check by; one nil trusts any.
func (c *checker) trusted() []*stamp.Roots {
	if len(c.roots) == 0 {
		return []*stamp.Roots{nil}
	}
	return c.roots
}
