package kyc

import (
	"context"
	"iter"
	"sync"
)

// aheadOf is how many elements ahead looks at side by side: a store over a network takes as long for sixteen as for one.
const aheadOf = 16

// ahead looks at the elements of a sequence side by side, and yields what it finds in their order. look tells whether there
// is anything to yield. Errors of the sequence are passed on in their place.
func ahead[T, R any](ctx context.Context, in iter.Seq2[T, error], look func(context.Context, T) (R, bool, error)) iter.Seq2[R, error] {
	type finding struct {
		what R
		ok   bool
		err  error
	}
	return func(yield func(R, error) bool) {
		var wg sync.WaitGroup
		defer wg.Wait()
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		places := make(chan chan finding, aheadOf)
		wg.Go(func() {
			defer close(places)
			for element, err := range in {
				place := make(chan finding, 1)
				select {
				case places <- place:
				case <-ctx.Done():
					return
				}
				if err != nil {
					place <- finding{err: err}
					continue
				}
				wg.Go(func() {
					var f finding
					f.what, f.ok, f.err = look(ctx, element)
					place <- f
				})
			}
		})
		for place := range places {
			if f := <-place; (f.ok || f.err != nil) && !yield(f.what, f.err) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none R
			yield(none, err)
		}
	}
}
