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
	order Order
	key   string
	want  expected
	got   reading
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
	found := func(digest, key string) {
		if first, asked := owners[digest]; asked && first == "" {
			owners[digest] = key
		}
	}
	for _, prefix := range v.checkedPrefixes() {
		for obj, err := range v.a.b.List(ctx, prefix, "") {
			if err != nil {
				return nil, fmt.Errorf("list evidence: %w", err)
			}
			file := obj.Key[strings.LastIndexByte(obj.Key, '/')+1:]
			if name, ok := ParseFileName(file); ok && !name.Encrypted() {
				found(name.Digest, obj.Key)
			} else if _, ok := parseManifestName(file); ok && v.encryptedChanged() {
				if err := v.encryptedOwners(ctx, obj.Key, found); err != nil {
					return nil, err
				}
			}
		}
	}
	return owners, nil
}

// encryptedChanged tells whether one of the changed files is stored encrypted: what others hold stands in manifests then.
func (v *verifier) encryptedChanged() bool {
	return slices.ContainsFunc(v.changed, func(c changedFile) bool { return c.want.encrypted })
}

// encryptedOwners tells of each encrypted file that the manifest under the key names.
func (v *verifier) encryptedOwners(ctx context.Context, key string, found func(digest, key string)) error {
	data, _, err := v.a.read(ctx, key)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	m, err := ParseManifest(data)
	if err != nil {
		return nil //nolint:nilerr // told already: it is damage of its own
	}
	for _, f := range m.Files {
		if f.Stored != nil {
			found(f.Stored.SHA256, FileKey(m.Order, f.Name))
		}
	}
	return nil
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
	said, size, got := "its name and the manifest say", c.want.size, c.got.size
	if c.want.encrypted {
		said = "the manifest says"
	}
	switch {
	case owner != "" && owner != c.key:
		d.How, d.From = Swapped, owner
		d.What = "its bytes are not those that " + said + ": they are those of " + owner
	case c.want.storedAs(c.got.measured):
		d.How, d.What = Forged, "what is stored is not what its name says"
		if why := c.want.judge(c.got); why != nil {
			d.What += ": " + why.Error()
		}
	case c.got.digest == c.want.digest:
		d.How, d.What = Miscounted, fmt.Sprintf("its bytes are those that its name says, but the manifest says %d of them, and there are %d", size, got)
	case got < size:
		d.How, d.What = Truncated, fmt.Sprintf("its bytes are not those that %s: cut short, %d of %d bytes", said, got, size)
	case got > size:
		d.How, d.What = Extended, fmt.Sprintf("its bytes are not those that %s: %d bytes instead of %d", said, got, size)
	default:
		d.How, d.What = Altered, "its bytes are not those that "+said
	}
	return d
}
