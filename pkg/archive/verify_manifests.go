package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// chain reads the manifests one by one upwards, past gaps with the help of the listed numbers, and checks that each follows
// the one before. It gives the last one that can be read; readable is false when a higher one can not.
func (v *verifier) chain(ctx context.Context, o Order, listed []int) (last *Stored, readable bool, err error) {
	readable = true
	digest := "" // of the manifest before, where that is known
	for n := 1; ; n++ {
		key := FileKey(o, ManifestName(n))
		s, there, err := v.a.manifest(ctx, o, n)
		switch {
		case errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer):
			v.report(Damage{Order: o, Key: key, Kind: BadManifest, What: unreadable(err)})
			readable, digest = false, unknown
			continue
		case err != nil:
			return nil, false, fmt.Errorf("read %s: %w", key, err)
		}
		if !there {
			next, more := numberAfter(listed, n)
			if !more {
				return last, readable, nil
			}
			v.report(Damage{Order: o, Key: key, Kind: Missing, What: "a later manifest exists"})
			n, digest = next-1, unknown
			continue
		}
		v.follows(s, digest, last)
		if err := v.journaled(ctx, s); err != nil {
			return nil, false, err
		}
		last, readable, digest = &s, true, s.Digest
	}
}

// unknown is the digest of a manifest that can not be read: any will do for what follows it.
const unknown = "?"

// numberAfter gives the least of the listed manifest numbers that is greater than n.
func numberAfter(listed []int, n int) (next int, found bool) {
	for _, m := range listed {
		if m > n && (!found || m < next) {
			next, found = m, true
		}
	}
	return next, found
}

// follows checks that a manifest names the one before by its digest, and every file that one names.
func (v *verifier) follows(s Stored, digest string, before *Stored) {
	what := ""
	if digest != unknown && s.Previous != digest {
		what = "does not name the manifest before it"
	} else if before != nil && slices.ContainsFunc(before.Files, func(f File) bool { return !s.Names(f.Name) }) {
		what = "does not name every file that the manifest before it names"
	}
	if what != "" {
		v.report(Damage{Order: s.Order, Key: FileKey(s.Order, ManifestName(s.N)), Kind: BadManifest, What: what})
	}
}

// journaled reports a manifest without its journal entry. A step that died left it; or it stands in the place of
// another, which a journal entry tells.
func (v *verifier) journaled(ctx context.Context, s Stored) error {
	there, err := v.a.Journaled(ctx, s)
	if err != nil || there {
		return err
	}
	v.suspects[s.Order] = true
	v.report(Damage{Order: s.Order, Key: FileKey(s.Order, ManifestName(s.N)), Kind: Unjournaled, What: "has no journal entry " + s.journalKey()})
	return nil
}

func unreadable(err error) string {
	if errors.Is(err, ErrNewer) {
		return ErrNewer.Error()
	}
	return "can not be read"
}
