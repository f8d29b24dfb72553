package archive

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"strings"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// group is an order to be checked, and what a listing of the whole archive showed of it; nil when it is not listed yet.
type group struct {
	order   Order
	objects []bucket.Object
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
			if o, ok := orderOf(obj.Key); ok && o != last {
				last = o
				if !yield(o, nil) {
					return
				}
			}
		}
	}
}

// orderOf gives the order that a key below orders/ is about.
func orderOf(key string) (Order, bool) {
	name, _, inside := strings.Cut(strings.TrimPrefix(key, ordersPrefix), "/")
	o, err := ParseOrder(name)
	return o, err == nil && inside
}

// groups lists all orders with what lies below them, in one listing. Keys of no order are reported.
func (v *verifier) groups(ctx context.Context) iter.Seq2[group, error] {
	return func(yield func(group, error) bool) {
		var g group
		for obj, err := range v.a.b.List(ctx, ordersPrefix, "") {
			if err != nil {
				yield(group{}, fmt.Errorf("list orders: %w", err))
				return
			}
			o, ok := orderOf(obj.Key)
			if !ok {
				v.tell(Damage{Key: obj.Key, Kind: Unknown, What: "not below an order's number"})
				continue
			}
			if o != g.order {
				if g.order != "" && !yield(g, nil) {
					return
				}
				g = group{order: o}
			}
			g.objects = append(g.objects, obj)
		}
		if g.order != "" {
			yield(g, nil)
		}
	}
}

// waiting is which orders had a marker or a note when it was read: as hashes, 100,000 of them take a few megabytes.
type waiting struct {
	seed    maphash.Seed
	pending map[uint64]struct{}
	noted   map[uint64]struct{}
}

// read lists all notes and markers. It comes before the evidence: what is stored meanwhile has a marker (DESIGN section 3, rule 7).
func (w *waiting) read(ctx context.Context, a *Archive) error {
	w.seed, w.pending, w.noted = maphash.MakeSeed(), make(map[uint64]struct{}), make(map[uint64]struct{})
	for _, part := range []struct {
		prefix string
		into   map[uint64]struct{}
	}{{retryPrefix, w.noted}, {quietPrefix, w.noted}, {pendingPrefix, w.pending}} {
		for l, err := range a.Scan(ctx, part.prefix) {
			switch {
			case Strange(err):
			case err != nil:
				return err
			default:
				part.into[w.hash(l.Order)] = struct{}{}
			}
		}
	}
	return nil
}

func (w *waiting) hash(o Order) uint64 { return maphash.String(w.seed, string(o)) }

// marked tells whether an order had a marker.
func (w *waiting) marked(o Order) bool {
	_, ok := w.pending[w.hash(o)]
	return ok
}

// any tells whether an order had a marker or a note.
func (w *waiting) any(o Order) bool {
	_, noted := w.noted[w.hash(o)]
	return noted || w.marked(o)
}
