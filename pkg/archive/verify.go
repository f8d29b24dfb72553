package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Damage is what Verify found at one key.
type Damage struct {
	Order Order  `json:"orderNo"`
	Key   string `json:"key"`
	Kind  string `json:"kind"`
	What  string `json:"what"`
}

// The kinds of damage.
const (
	Missing     = "missing"      // a manifest names a file that is not there
	Changed     = "changed"      // a file's bytes are not those its name and manifest say
	BadManifest = "bad-manifest" // a manifest can not be read, or does not follow the one before
	Unnamed     = "unnamed"      // evidence that no manifest names, of an order that does not wait: verify mends it
	Unjournaled = "unjournaled"  // a manifest without its journal entry: verify mends it
	Unknown     = "unknown"      // an object below orders/ or journal/ that this version does not know
	NoManifest  = "no-manifest"  // a journal entry without its manifest
	Leftover    = "leftover"     // a marker or note of an order that is archived: verify mends it
)

// Mendable tells whether a pull step on the order mends the damage.
func (d Damage) Mendable() bool {
	return d.Kind == Unnamed || d.Kind == Unjournaled || d.Kind == Leftover
}

// Checked sums up a Verify run.
type Checked struct {
	Orders int   `json:"orders"`
	Files  int   `json:"files"`
	Bytes  int64 `json:"bytes"`
}

// Verify re-reads the archive, or only the given orders, and reports each damage. An error means that the check itself
// could not go on. It writes nothing.
func (a *Archive) Verify(ctx context.Context, report func(Damage), orders ...Order) (Checked, error) {
	v := verifier{a: a, report: report}
	if len(orders) > 0 {
		for _, o := range orders {
			if err := v.order(ctx, o); err != nil {
				return v.sum, err
			}
		}
		return v.sum, nil
	}
	for o, err := range a.Orders(ctx) {
		if err == nil {
			err = v.order(ctx, o)
		}
		if err != nil {
			return v.sum, err
		}
	}
	return v.sum, v.journal(ctx)
}

// Orders lists the orders that have anything below orders/, in ascending order. Keys of no order are passed over.
func (a *Archive) Orders(ctx context.Context) iter.Seq2[Order, error] {
	return func(yield func(Order, error) bool) {
		var last Order
		for obj, err := range a.b.List(ctx, ordersPrefix, "") {
			if err != nil {
				yield("", fmt.Errorf("list orders: %w", err))
				return
			}
			name, _, _ := strings.Cut(strings.TrimPrefix(obj.Key, ordersPrefix), "/")
			o, err := ParseOrder(name)
			if err != nil || o == last {
				continue
			}
			last = o
			if !yield(o, nil) {
				return
			}
		}
	}
}

type verifier struct {
	a      *Archive
	report func(Damage)
	sum    Checked
}

// order checks one order: its manifests, every file they name, and what lies there unnamed.
func (v *verifier) order(ctx context.Context, o Order) error {
	v.sum.Orders++
	seen, err := v.a.Markers(ctx, o) // before the evidence: what is stored meanwhile has a marker
	if err != nil {
		return err
	}
	found, top, err := v.listing(ctx, o)
	if err != nil {
		return err
	}
	last, err := v.chain(ctx, o, top)
	if err != nil {
		return err
	}
	if err := v.files(ctx, o, found, last); err != nil {
		return err
	}
	if last != nil && last.State == Archived {
		for _, m := range seen.Marks() {
			v.report(Damage{Order: o, Key: m.PendingKey(), Kind: Leftover, What: "marker or note of an archived order"})
		}
	}
	waiting := len(seen.Pending) > 0
	for name := range found {
		if !waiting && (last == nil || !last.Names(name)) {
			v.report(Damage{Order: o, Key: FileKey(o, name), Kind: Unnamed, What: "no manifest names this evidence"})
		}
	}
	return nil
}

// listing gives the evidence that a listing shows, and the highest manifest number.
func (v *verifier) listing(ctx context.Context, o Order) (found map[string]bucket.Object, top int, err error) {
	found = make(map[string]bucket.Object)
	for obj, err := range v.a.b.List(ctx, orderPrefix(o), "") {
		if err != nil {
			return nil, 0, fmt.Errorf("list order %s: %w", o, err)
		}
		name := strings.TrimPrefix(obj.Key, orderPrefix(o))
		if n, ok := parseManifestName(name); ok {
			top = max(top, n)
		} else if _, ok := ParseFileName(name); ok {
			found[name] = obj
		} else {
			v.report(Damage{Order: o, Key: obj.Key, Kind: Unknown, What: "not a name that this version makes"})
		}
	}
	return found, top, nil
}

// chain reads the manifests one by one, checks that each names the one before, and gives the last readable one.
func (v *verifier) chain(ctx context.Context, o Order, top int) (*Stored, error) {
	var last *Stored
	for n := 1; ; n++ {
		key := FileKey(o, ManifestName(n))
		s, there, err := v.a.manifest(ctx, o, n)
		switch {
		case errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer):
			v.report(Damage{Order: o, Key: key, Kind: BadManifest, What: unreadable(err)})
			last = nil
			continue
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", key, err)
		case !there && n <= top:
			v.report(Damage{Order: o, Key: key, Kind: Missing, What: "a later manifest exists"})
			last = nil
			continue
		case !there:
			return last, nil
		}
		if want := digestOf(last); n > 1 && last != nil && s.Previous != want || n == 1 && s.Previous != "" {
			v.report(Damage{Order: o, Key: key, Kind: BadManifest, What: "does not name the manifest before it"})
		}
		journaled, err := v.a.Journaled(ctx, s)
		if err != nil {
			return nil, err
		}
		if !journaled {
			if err := v.unjournaled(ctx, s); err != nil {
				return nil, err
			}
		}
		last = &s
	}
}

func unreadable(err error) string {
	if errors.Is(err, ErrNewer) {
		return ErrNewer.Error()
	}
	return "can not be read"
}

// unjournaled reports a manifest without its journal entry: left by a step that died, unless that day's journal has an
// entry of the order for a manifest that is not there; then this one stands in its place.
func (v *verifier) unjournaled(ctx context.Context, s Stored) error {
	v.report(Damage{Order: s.Order, Key: FileKey(s.Order, ManifestName(s.N)), Kind: Unjournaled, What: "has no journal entry " + s.journalKey()})
	day, _, _ := strings.Cut(strings.TrimPrefix(s.journalKey(), journalPrefix), "/")
	return v.journalBelow(ctx, journalPrefix+day+"/", s.Order)
}

func digestOf(s *Stored) string {
	if s == nil {
		return ""
	}
	return s.Digest
}

// files re-reads every file that the last manifest names, and every other that the listing showed.
func (v *verifier) files(ctx context.Context, o Order, found map[string]bucket.Object, last *Stored) error {
	sizes := make(map[string]int64)
	for name, obj := range found {
		sizes[name] = obj.Size
	}
	if last != nil {
		for _, f := range last.Files {
			sizes[f.Name] = f.Size
		}
	}
	for file, size := range sizes {
		name, _ := ParseFileName(file)
		key := FileKey(o, file)
		err := v.a.checkFile(ctx, key, size, name.Digest)
		switch {
		case errors.Is(err, bucket.ErrNotFound):
			v.report(Damage{Order: o, Key: key, Kind: Missing, What: "named by the manifest, and not there"})
		case errors.Is(err, ErrDamaged):
			v.report(Damage{Order: o, Key: key, Kind: Changed, What: "its bytes are not those that its name and the manifest say"})
		case err != nil:
			return err
		default:
			v.sum.Files++
			v.sum.Bytes += size
		}
	}
	return nil
}

// journal checks that every journal entry has its manifest.
func (v *verifier) journal(ctx context.Context) error {
	return v.journalBelow(ctx, journalPrefix, "")
}

// journalBelow checks the entries below a prefix, of one order or ("") of all.
func (v *verifier) journalBelow(ctx context.Context, prefix string, only Order) error {
	for obj, err := range v.a.b.List(ctx, prefix, "") {
		if err != nil {
			return fmt.Errorf("list journal: %w", err)
		}
		e, err := parseJournalKey(obj.Key)
		if err != nil {
			if only == "" {
				v.report(Damage{Key: obj.Key, Kind: Unknown, What: err.Error()})
			}
			continue
		}
		if only != "" && e.Order != only {
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

func (v *verifier) committed(ctx context.Context, e JournalEntry) (bool, error) {
	all, err := v.a.Manifests(ctx, e.Order)
	if errors.Is(err, ErrDamaged) || errors.Is(err, ErrNewer) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for _, s := range all {
		if s.Digest == e.ManifestDigest {
			return true, nil
		}
	}
	return false, nil
}
