package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Checked sums up a Verify run.
type Checked struct {
	Orders int   `json:"orders"`
	Files  int   `json:"files"`
	Bytes  int64 `json:"bytes"`
}

// Verify re-reads the archive, or only the given orders, and reports each damage. An error means that the check itself
// could not go on. It writes nothing. That the last manifest of several has gone shows only in the journal, which is
// read when all is checked, or when a given order lacks a manifest or the journal entry of one.
func (a *Archive) Verify(ctx context.Context, report func(Damage), orders ...Order) (Checked, error) {
	v := verifier{a: a, report: report, suspects: make(map[Order]bool)}
	if len(orders) > 0 {
		err := v.some(ctx, orders)
		return v.sum, err
	}
	err := v.all(ctx)
	return v.sum, err
}

type verifier struct {
	a        *Archive
	report   func(Damage)
	sum      Checked
	suspects map[Order]bool // orders whose journal entries are worth a look: a manifest of theirs may have gone
}

// some checks the given orders. The journal is read for those only that lack a manifest or have one without its entry.
func (v *verifier) some(ctx context.Context, orders []Order) error {
	for _, o := range orders {
		if err := v.order(ctx, o); err != nil {
			return err
		}
	}
	if len(v.suspects) == 0 {
		return nil
	}
	return v.journal(ctx, v.suspects)
}

// all checks every order, and then the whole journal.
func (v *verifier) all(ctx context.Context) error {
	strange := func(key string) {
		v.report(Damage{Key: key, Kind: Unknown, What: "not below an order's number"})
	}
	for o, err := range v.a.orders(ctx, strange) {
		if err == nil {
			err = v.order(ctx, o)
		}
		if err != nil {
			return err
		}
	}
	return v.journal(ctx, nil)
}

// Orders lists the orders that have anything below orders/, in ascending order. Keys of no order are passed over.
func (a *Archive) Orders(ctx context.Context) iter.Seq2[Order, error] {
	return a.orders(ctx, func(string) {})
}

func (a *Archive) orders(ctx context.Context, strange func(key string)) iter.Seq2[Order, error] {
	return func(yield func(Order, error) bool) {
		var last Order
		for obj, err := range a.b.List(ctx, ordersPrefix, "") {
			if err != nil {
				yield("", fmt.Errorf("list orders: %w", err))
				return
			}
			name, _, inside := strings.Cut(strings.TrimPrefix(obj.Key, ordersPrefix), "/")
			o, err := ParseOrder(name)
			if err != nil || !inside {
				strange(obj.Key)
				continue
			}
			if o == last {
				continue
			}
			last = o
			if !yield(o, nil) {
				return
			}
		}
	}
}

// order checks one order: its manifests, every file they name, and what lies there unnamed.
func (v *verifier) order(ctx context.Context, o Order) error {
	v.sum.Orders++
	seen, err := v.a.Markers(ctx, o) // before the evidence: what is stored meanwhile has a marker
	if err != nil {
		return err
	}
	found, numbers, err := v.listing(ctx, o)
	if err != nil {
		return err
	}
	last, readable, err := v.chain(ctx, o, numbers)
	if err != nil {
		return err
	}
	if last == nil {
		v.suspects[o] = true
	}
	if err := v.files(ctx, o, found, last); err != nil {
		return err
	}
	if last != nil && last.State == Archived {
		v.leftovers(seen)
	}
	if readable && len(seen.Pending) == 0 {
		v.unnamed(o, found, last)
	}
	return nil
}

// leftovers reports the markers and notes of an archived order.
func (v *verifier) leftovers(seen Seen) {
	for _, part := range []struct {
		list []Listed
		key  func(Mark) string
	}{{seen.Pending, Mark.PendingKey}, {seen.Retry, Mark.RetryKey}, {seen.Quiet, Mark.QuietKey}} {
		for _, l := range part.list {
			v.report(Damage{Order: l.Order, Key: part.key(l.Mark), Kind: Leftover, What: "marker or note of an archived order"})
		}
	}
}

// unnamed reports the evidence that the last manifest, nil for none, does not name.
func (v *verifier) unnamed(o Order, found map[string]bucket.Object, last *Stored) {
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if last == nil || !last.Names(name) {
			v.report(Damage{Order: o, Key: FileKey(o, name), Kind: Unnamed, What: "no manifest names this evidence"})
		}
	}
}

// listing gives the evidence that a listing shows, and the numbers of the manifests.
func (v *verifier) listing(ctx context.Context, o Order) (found map[string]bucket.Object, numbers []int, err error) {
	found = make(map[string]bucket.Object)
	for obj, err := range v.a.b.List(ctx, orderPrefix(o), "") {
		if err != nil {
			return nil, nil, fmt.Errorf("list order %s: %w", o, err)
		}
		name := strings.TrimPrefix(obj.Key, orderPrefix(o))
		if n, ok := parseManifestName(name); ok {
			numbers = append(numbers, n)
		} else if _, ok := ParseFileName(name); ok {
			found[name] = obj
		} else {
			v.report(Damage{Order: o, Key: obj.Key, Kind: Unknown, What: "not a name that this version makes"})
		}
	}
	return found, numbers, nil
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
	for _, file := range slices.Sorted(maps.Keys(sizes)) {
		name, _ := ParseFileName(file)
		key, size := FileKey(o, file), sizes[file]
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
