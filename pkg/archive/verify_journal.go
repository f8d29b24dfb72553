package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// journal checks that every journal entry has its manifest: those of the given orders, or (nil) all.
func (v *verifier) journal(ctx context.Context, only map[Order]bool) error {
	for obj, err := range v.a.b.List(ctx, journalPrefix, "") {
		if err != nil {
			return fmt.Errorf("list journal: %w", err)
		}
		e, err := parseJournalKey(obj.Key)
		switch {
		case only != nil && !only[e.Order]:
			continue
		case err != nil:
			v.report(Damage{Key: obj.Key, Kind: Unknown, What: err.Error()})
			continue
		}
		there, err := v.committed(ctx, e)
		if err != nil {
			return err
		}
		if !there {
			v.report(Damage{Order: e.Order, Key: obj.Key, Kind: NoManifest, What: "no manifest of this order has the digest of this journal entry"})
		}
	}
	return nil
}

// committed looks for a manifest with the digest of a journal entry, by key as long as there is no gap. What the bytes
// say does not matter here.
func (v *verifier) committed(ctx context.Context, e JournalEntry) (bool, error) {
	var listed []int
	for n := 1; ; n++ {
		data, found, err := v.a.read(ctx, FileKey(e.Order, ManifestName(n)))
		if err != nil && !errors.Is(err, ErrDamaged) {
			return false, err
		}
		if sum := sha256.Sum256(data); found && hex.EncodeToString(sum[:]) == e.ManifestDigest {
			return true, nil
		}
		if found || err != nil {
			continue
		}
		if listed == nil {
			if listed, err = v.manifestNumbers(ctx, e.Order); err != nil {
				return false, err
			}
		}
		next, more := numberAfter(listed, n)
		if !more {
			return false, nil
		}
		n = next - 1
	}
}

// manifestNumbers lists the numbers of an order's manifests.
func (v *verifier) manifestNumbers(ctx context.Context, o Order) ([]int, error) {
	numbers := []int{}
	for obj, err := range v.a.b.List(ctx, orderPrefix(o)+"manifest", "") {
		if err != nil {
			return nil, fmt.Errorf("list manifests of order %s: %w", o, err)
		}
		if n, ok := parseManifestName(strings.TrimPrefix(obj.Key, orderPrefix(o))); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}
