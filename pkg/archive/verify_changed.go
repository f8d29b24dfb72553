package archive

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// changedFile is a file that is not what its name and manifest say.
type changedFile struct {
	order  Order
	key    string
	size   int64  // as the manifest says, or the listing
	digest string // as its name says
	got    measured
}

// tellChanged reports the changed files. Whose bytes they hold is looked up in the names of all evidence that was checked:
// two orders whose evidence is mixed up are the worst that can happen to an archive.
func (v *verifier) tellChanged(ctx context.Context) error {
	if len(v.changed) == 0 {
		return nil
	}
	slices.SortFunc(v.changed, func(a, b changedFile) int { return cmp.Compare(a.key, b.key) })
	owners, err := v.owners(ctx)
	if err != nil {
		return err
	}
	for _, c := range v.changed {
		v.report(c.damage(owners[c.got.digest]))
	}
	return nil
}

// owners gives, for the digest of each changed file's bytes, the first key that is named after it.
func (v *verifier) owners(ctx context.Context) (map[string]string, error) {
	owners := make(map[string]string)
	for _, c := range v.changed {
		owners[c.got.digest] = ""
	}
	for _, prefix := range v.checkedPrefixes() {
		for obj, err := range v.a.b.List(ctx, prefix, "") {
			if err != nil {
				return nil, fmt.Errorf("list evidence: %w", err)
			}
			name, ok := ParseFileName(obj.Key[strings.LastIndexByte(obj.Key, '/')+1:])
			if key, asked := owners[name.Digest]; ok && asked && key == "" {
				owners[name.Digest] = obj.Key
			}
		}
	}
	return owners, nil
}

// checkedPrefixes are where the evidence that was checked lies: of a part of the archive, the orders with changed files.
func (v *verifier) checkedPrefixes() []string {
	if len(v.options.Orders) == 0 && !v.timed() {
		return []string{ordersPrefix}
	}
	var prefixes []string
	for _, c := range v.changed {
		prefixes = append(prefixes, orderPrefix(c.order))
	}
	return slices.Compact(prefixes) // sorted, as the files are
}

// damage says how a file is changed. owner is the key whose bytes it holds, "" when none is known.
func (c changedFile) damage(owner string) Damage {
	d := Damage{Order: c.order, Key: c.key, Kind: Changed}
	switch {
	case owner != "" && owner != c.key:
		d.How, d.From = Swapped, owner
		d.What = "its bytes are not those that its name and the manifest say: they are those of " + owner
	case c.got.digest == c.digest:
		d.How, d.What = Miscounted, fmt.Sprintf("its bytes are those that its name says, but the manifest says %d of them, and there are %d", c.size, c.got.size)
	case c.got.size < c.size:
		d.How, d.What = Truncated, fmt.Sprintf("its bytes are not those that its name and the manifest say: cut short, %d of %d bytes", c.got.size, c.size)
	case c.got.size > c.size:
		d.How, d.What = Extended, fmt.Sprintf("its bytes are not those that its name and the manifest say: %d bytes instead of %d", c.got.size, c.size)
	default:
		d.How, d.What = Altered, "its bytes are not those that its name and the manifest say"
	}
	return d
}
