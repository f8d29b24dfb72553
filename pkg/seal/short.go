package seal

import (
	"context"
	"slices"
	"time"
)

// closeShort closes a window before it is over, in a pass by hand that has found late entries and no window to take them in: others, who
// look back for a week only, are nearly always quicker to close one. The next window goes on from there, and ends where it would have.
func (p *pass) closeShort(ctx context.Context) error {
	if !p.whole || p.last == nil || p.found {
		return nil
	}
	w := p.window().cut(p.now.Add(-p.Grace))
	if w.End.Sub(w.Start) < MinEvery {
		return nil
	}
	leaves, err := p.leaves(ctx, w)
	if err != nil || !slices.ContainsFunc(leaves, func(l Leaf) bool { return l.Late }) {
		return err
	}
	return p.keep(ctx, w, leaves)
}

// cut ends a window at a whole second that is not after t, so that neither part looks like a whole window: verify goes by that.
func (w Window) cut(t time.Time) Window {
	c := Window{Start: w.Start, End: t.Truncate(time.Second).UTC()}
	for c.End.After(c.Start) && (c.whole() || (Window{Start: c.End, End: w.End}).whole()) {
		c.End = c.End.Add(-time.Second)
	}
	return c
}

// whole says that the window is one of a period, from one multiple of it to the next.
func (w Window) whole() bool {
	return w.Start.Before(w.End) && w == windowOf(w.Start, w.End.Sub(w.Start))
}
