package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// readJournal counts the entries, all or those of a time, and gives the orders of the latter. Keys that are none are reported.
func (v *verifier) readJournal(ctx context.Context) (named map[Order]bool, err error) {
	named = make(map[Order]bool)
	for key, e := range v.entriesBelow(ctx, "", &err) {
		v.entries.add(key)
		if v.timed() {
			named[e.Order] = true
		}
	}
	return named, err
}

// entriesBelow lists the journal, or one day of it: the entries of the time that is checked. What is no entry is
// reported, unless it is a day's, which is listed again.
func (v *verifier) entriesBelow(ctx context.Context, day string, failed *error) iter.Seq2[string, JournalEntry] {
	prefix, after := journalPrefix, ""
	if day != "" {
		prefix += day + "/"
	} else if !v.options.From.IsZero() {
		after = journalTimePrefix(v.options.From)
	}
	return func(yield func(string, JournalEntry) bool) {
		for obj, err := range v.a.b.List(ctx, prefix, after) {
			if err != nil {
				*failed = fmt.Errorf("list journal: %w", err)
				return
			}
			e, err := parseJournalKey(obj.Key)
			switch {
			case err != nil && day == "":
				v.tell(Damage{Key: obj.Key, Kind: Unknown, What: err.Error()})
			case err != nil:
			case !v.options.To.IsZero() && !e.At.Before(v.options.To):
				return // they ascend
			case v.within(e.At) && !yield(obj.Key, e):
				return
			}
		}
	}
}

// journal checks that journal entries have their manifest: those of a day, or ("") of all days, of the given orders or (nil) of all.
func (v *verifier) journal(ctx context.Context, day string, only map[Order]bool) (err error) {
	for key, e := range v.entriesBelow(ctx, day, &err) {
		if only != nil && !only[e.Order] {
			continue
		}
		if err := v.entry(ctx, key, e); err != nil {
			return err
		}
	}
	return err
}

// elsewhere checks the journal entries of suspects outside the time that is checked: a manifest without its entry may stand in the
// place of one that was archived at another time.
func (v *verifier) elsewhere(ctx context.Context) error {
	for e, err := range v.a.ScanJournal(ctx, time.Time{}, time.Time{}) {
		switch {
		case Strange(err):
			continue
		case err != nil:
			return err
		case !v.suspects[e.Order] || v.within(e.At):
			continue
		}
		if err := v.entry(ctx, JournalKey(e.At, e.Order, e.ManifestDigest), e); err != nil {
			return err
		}
	}
	return nil
}

// entry checks that a journal entry has its manifest.
func (v *verifier) entry(ctx context.Context, key string, e JournalEntry) error {
	there, err := v.committed(ctx, e)
	if err == nil && !there {
		v.tell(Damage{Order: e.Order, Key: key, Kind: NoManifest, What: "no manifest of this order has the digest of this journal entry"})
	}
	return err
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
