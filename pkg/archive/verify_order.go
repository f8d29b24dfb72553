package archive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// look is one look at an order: its manifests, every file they name, and what lies there unnamed.
type look struct {
	v      *verifier
	order  Order
	damage []Damage

	found    map[string]bucket.Object // evidence that the listing shows
	numbers  []int                    // of the manifests that it shows
	last     *Stored                  // the last manifest that can be read
	readable bool                     // and there is no later one
	keys     []string                 // journal keys of the manifests
	suspect  bool
	changed  []changedFile
	sum      Checked
}

// order checks one order. Of a listing of the whole archive only "all is well" is believed: what looks like damage may be a
// step that ended since, so the order is looked at again, markers first.
func (v *verifier) order(ctx context.Context, g group) error {
	l := look{v: v, order: g.order}
	if len(v.options.Orders) == 0 {
		if err := l.hasty(ctx, g.objects); err != nil {
			return err
		}
	}
	if len(v.options.Orders) > 0 || l.trouble() {
		l = look{v: v, order: g.order}
		if err := l.careful(ctx); err != nil {
			return err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range l.damage {
		v.report(d)
	}
	v.changed = append(v.changed, l.changed...)
	for _, key := range l.keys {
		v.manifests.add(key)
	}
	if l.suspect {
		v.suspects[l.order] = true
	}
	v.sum = Checked{Orders: v.sum.Orders + 1, Files: v.sum.Files + l.sum.Files, Bytes: v.sum.Bytes + l.sum.Bytes}
	v.options.Progress(v.sum, max(v.entries.count, v.sum.Orders))
	return nil
}

// trouble tells whether a hasty look found anything that a careful one has to judge.
func (l *look) trouble() bool {
	return len(l.damage)+len(l.changed) > 0 || l.last != nil && l.last.State == Archived && l.v.waiting.any(l.order)
}

// hasty looks at what a listing showed, nil for none, and takes markers from the listings at the beginning.
func (l *look) hasty(ctx context.Context, objects []bucket.Object) error {
	var err error
	if objects == nil {
		objects, err = l.list(ctx)
	}
	if err != nil {
		return err
	}
	return l.judge(ctx, objects, l.v.waiting.marked(l.order))
}

// careful lists the order's markers, then the order.
func (l *look) careful(ctx context.Context) error {
	seen, err := l.v.a.Markers(ctx, l.order) // before the evidence: what is stored meanwhile has a marker
	if err != nil {
		return err
	}
	objects, err := l.list(ctx)
	if err != nil {
		return err
	}
	if err := l.judge(ctx, objects, len(seen.Pending) > 0); err != nil {
		return err
	}
	if l.last != nil && l.last.State == Archived {
		l.leftovers(seen)
	}
	return nil
}

func (l *look) list(ctx context.Context) (objects []bucket.Object, err error) {
	for obj, err := range l.v.a.b.List(ctx, orderPrefix(l.order), "") {
		if err != nil {
			return nil, fmt.Errorf("list order %s: %w", l.order, err)
		}
		objects = append(objects, obj)
	}
	return objects, nil
}

// judge compares what is listed with what the manifests say.
func (l *look) judge(ctx context.Context, objects []bucket.Object, waits bool) error {
	l.sort(objects)
	if err := l.chain(ctx); err != nil {
		return err
	}
	l.suspect = l.suspect || l.last == nil
	if err := l.files(ctx); err != nil {
		return err
	}
	if l.readable && !waits {
		l.unnamed()
	}
	return nil
}

func (l *look) tell(key, kind, what string) {
	l.damage = append(l.damage, Damage{Order: l.order, Key: key, Kind: kind, What: what})
}

// sort sorts what is listed into evidence and manifests; the rest is unknown.
func (l *look) sort(objects []bucket.Object) {
	l.found = make(map[string]bucket.Object, len(objects))
	for _, obj := range objects {
		name := strings.TrimPrefix(obj.Key, orderPrefix(l.order))
		if n, ok := parseManifestName(name); ok {
			l.numbers = append(l.numbers, n)
		} else if _, ok := ParseFileName(name); ok {
			l.found[name] = obj
		} else {
			l.tell(obj.Key, Unknown, "not a name that this version makes")
		}
	}
}

// leftovers reports the markers and notes of an archived order.
func (l *look) leftovers(seen Seen) {
	for _, part := range []struct {
		list []Listed
		key  func(Mark) string
	}{{seen.Pending, Mark.PendingKey}, {seen.Retry, Mark.RetryKey}, {seen.Quiet, Mark.QuietKey}} {
		for _, m := range part.list {
			l.tell(part.key(m.Mark), Leftover, "marker or note of an archived order")
		}
	}
}

// unnamed reports the evidence that the last manifest, nil for none, does not name.
func (l *look) unnamed() {
	for _, name := range slices.Sorted(maps.Keys(l.found)) {
		if l.last == nil || !l.last.Names(name) {
			l.tell(FileKey(l.order, name), Unnamed, "no manifest names this evidence")
		}
	}
}

// files re-reads every file that the last manifest names, and every other that the listing showed.
func (l *look) files(ctx context.Context) error {
	due := make(map[string]expected, len(l.found))
	for file, obj := range l.found {
		due[file] = listed(file, obj.Size)
	}
	if l.last != nil {
		for _, f := range l.last.Files {
			due[f.Name] = named(f)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(due)) {
		key, want := FileKey(l.order, file), due[file]
		got, err := l.v.measure(ctx, key, want.encrypted)
		switch {
		case errors.Is(err, bucket.ErrNotFound):
			l.tell(key, Missing, "named by the manifest, and not there")
		case err != nil:
			return err
		case errors.Is(got.trouble, agekey.ErrOtherKey) && want.storedAs(got.measured):
			l.tell(key, Locked, "what is stored is as it should be; none of the given secret keys opens it")
		case !want.fits(got):
			l.changed = append(l.changed, changedFile{order: l.order, key: key, want: want, got: got})
		default:
			l.sum.Files++
			l.sum.Bytes += want.size
		}
	}
	return nil
}
