package local

import (
	"context"
	"sync"

	"github.com/kycvault/kycvault/pkg/archive"
)

// tidy does what a process left undone that died between an order's manifest and the clearing of its marker: the journal
// entry, and the marker itself. Only such an order has a marker beside a complete manifest.
func (b *backfill) tidy(ctx context.Context, order archive.Order) error {
	waits, err := b.markers.has(ctx, b.Archive, order)
	if err != nil || !waits {
		return err
	}
	return b.Puller.Mend(ctx, order)
}

// markers are the orders that had a marker when the first archived order was met. One listing serves a whole run: one order's
// markers alone may take as long to list as everybody's.
type markers struct {
	mu     sync.Mutex
	orders map[archive.Order]bool // nil before a listing came to its end
}

// has tells whether an order had a marker. A listing that fails is one order's trouble: the next order lists again.
func (m *markers) has(ctx context.Context, a *archive.Archive, order archive.Order) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.orders == nil {
		orders, err := listMarkers(ctx, a)
		if err != nil {
			return false, err
		}
		m.orders = orders
	}
	return m.orders[order], nil
}

func listMarkers(ctx context.Context, a *archive.Archive) (map[archive.Order]bool, error) {
	orders := make(map[archive.Order]bool)
	for l, err := range a.Scan(ctx, archive.ScanPending) {
		switch {
		case archive.Strange(err):
		case err != nil:
			return nil, err
		default:
			orders[l.Order] = true
		}
	}
	return orders, nil
}
