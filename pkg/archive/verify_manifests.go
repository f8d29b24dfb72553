package archive

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// chain reads the manifests one by one upwards, past gaps with the help of the listed numbers, and checks that each follows
// the one before.
func (l *look) chain(ctx context.Context) error {
	l.readable = true
	digest := "" // of the manifest before, where that is known
	for n := 1; ; n++ {
		key := FileKey(l.order, ManifestName(n))
		s, there, err := l.v.a.manifest(ctx, l.order, n)
		switch {
		case errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer):
			l.tell(key, BadManifest, unreadable(err))
			l.readable, digest = false, unknown
			continue
		case err != nil:
			return fmt.Errorf("read %s: %w", key, err)
		}
		if !there {
			next, more := numberAfter(l.numbers, n)
			if !more {
				return nil
			}
			l.tell(key, Missing, "a later manifest exists")
			n, digest = next-1, unknown
			continue
		}
		l.follows(s, digest)
		if err := l.journaled(ctx, s); err != nil {
			return err
		}
		l.last, l.readable, digest = &s, true, s.Digest
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
func (l *look) follows(s Stored, digest string) {
	what := ""
	if digest != unknown && s.Previous != digest {
		what = "does not name the manifest before it"
	} else if l.last != nil && slices.ContainsFunc(l.last.Files, func(f File) bool { return !s.Names(f.Name) }) {
		what = "does not name every file that the manifest before it names"
	}
	if what != "" {
		l.tell(FileKey(s.Order, ManifestName(s.N)), BadManifest, what)
	}
}

// journaled reports a manifest without its journal entry. A step that died left it; or it stands in the place of
// another, which a journal entry tells.
func (l *look) journaled(ctx context.Context, s Stored) error {
	there, err := l.v.a.Journaled(ctx, s)
	if err != nil {
		return err
	}
	if !there {
		l.suspect = true
		l.tell(FileKey(s.Order, ManifestName(s.N)), Unjournaled, "has no journal entry "+s.journalKey())
	} else if l.v.within(s.ArchivedAt.Truncate(time.Second)) {
		l.keys = append(l.keys, s.journalKey())
	}
	return nil
}

func unreadable(err error) string {
	if errors.Is(err, ErrNewer) {
		return ErrNewer.Error()
	}
	return "can not be read"
}
