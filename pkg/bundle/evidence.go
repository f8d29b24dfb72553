package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strings"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
)

const ageExt = ".age"

// evidence checks a file that a manifest names. One that was archived encrypted is here as it was stored (its name ends in .age), or
// decrypted, or both. An error is that of the context.
func (c *checker) evidence(o archive.Order, manifest string, f archive.File, known map[string]bool) error {
	forms := map[string]archive.StoredAs{f.Name: f.StoredAs()}
	if f.Stored != nil {
		forms[strings.TrimSuffix(f.Name, ageExt)] = archive.StoredAs{Size: f.Size, SHA256: f.SHA256}
	}
	found := false
	for name, want := range forms {
		if !c.bag.Has(OrderFile(o, name)) {
			continue
		}
		found, known[name] = true, true
		if err := c.form(o, manifest, name, f, want); err != nil {
			return err
		}
	}
	if !found {
		c.bad(o, f.Name, archive.Missing, manifest+" names it")
	}
	return nil
}

// form compares one form of a file with what the manifest says of it.
func (c *checker) form(o archive.Order, manifest, name string, f archive.File, want archive.StoredAs) error {
	file := OrderFile(o, name)
	sum, whole := c.sums[file]
	if !whole {
		return nil // told
	}
	if is := (archive.StoredAs{Size: sum.Size, SHA256: sum.SHA256}); is != want {
		c.tell(archive.Damage{Order: o, Key: file, Kind: archive.Changed, How: how(is, want), What: "it is not what " + manifest + " says"})
		return nil
	}
	if c.checked[file] {
		return nil // a manifest before this one names it too
	}
	if closed := f.Stored != nil && name == f.Name; closed && len(c.o.Identities) == 0 {
		c.sum.Encrypted++
	} else if closed {
		if good, err := c.inside(o, name, f); !good || err != nil {
			return err
		}
	}
	c.checked[file] = true
	c.sum.Files++
	c.sum.Bytes += sum.Size
	return nil
}

// how tells in what way a file is changed.
func how(is, want archive.StoredAs) string {
	switch {
	case is.SHA256 == want.SHA256:
		return archive.Miscounted
	case is.Size < want.Size:
		return archive.Truncated
	case is.Size > want.Size:
		return archive.Extended
	}
	return archive.Altered
}

// inside decrypts a file and tells whether it holds what its name and manifest say.
func (c *checker) inside(o archive.Order, name string, f archive.File) (good bool, err error) {
	is, err := c.decrypted(OrderFile(o, name))
	forged := archive.Damage{Order: o, Key: OrderFile(o, name), Kind: archive.Changed, How: archive.Forged, What: "its plain bytes are not those that its name says"}
	switch {
	case c.ctx.Err() != nil:
		return false, c.ctx.Err()
	case errors.Is(err, agekey.ErrOtherKey):
		c.bad(o, name, archive.Locked, err.Error())
		return false, nil
	case err != nil:
		forged.What = "it can not be decrypted: " + err.Error()
	case is == archive.StoredAs{Size: f.Size, SHA256: f.SHA256}:
		return true, nil
	}
	c.tell(forged)
	return false, nil
}

// decrypted measures the plain bytes of an encrypted file.
func (c *checker) decrypted(file string) (archive.StoredAs, error) {
	r, err := c.bag.Open(file)
	if err != nil {
		return archive.StoredAs{}, err
	}
	defer func() { _ = r.Close() }()
	plain, err := c.o.Identities.Decrypt(r)
	if err != nil {
		return archive.StoredAs{}, err
	}
	m := measure{c: c, Hash: sha256.New()}
	size, err := io.Copy(&m, plain)
	return archive.StoredAs{Size: size, SHA256: hex.EncodeToString(m.Sum(nil))}, err
}

// measure hashes what is written to it, until the context ends.
type measure struct {
	c *checker
	hash.Hash
}

func (m *measure) Write(p []byte) (int, error) {
	if err := m.c.ctx.Err(); err != nil {
		return 0, err
	}
	return m.Hash.Write(p)
}
