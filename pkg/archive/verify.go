package archive

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
)

// Checked sums up a Verify run.
type Checked struct {
	Orders int   `json:"orders"`
	Files  int   `json:"files"`
	Bytes  int64 `json:"bytes"`
}

// VerifyOptions say what is checked and how. The zero value is the whole archive.
type VerifyOptions struct {
	Orders   []Order   // these alone
	From, To time.Time // the orders that the journal names from From up to and without To; a zero time is no bound
	Parallel int       // orders checked at once; 0 is a default
	// Keys open encrypted files, so that their plain bytes are checked too; nil checks what is stored.
	Keys agekey.Identities
	// Progress is told, one call at a time, after each order; about is how many orders there will be, as the journal tells. It may be nil.
	Progress func(done Checked, about int)
}

// defaultParallel is enough to keep a few processors, or a store that is far away, busy.
const defaultParallel = 16

// Verify re-reads the archive, or only the given orders, and reports each damage. An error means that the check itself
// could not go on. It writes nothing. That the last manifest of several has gone shows only in the journal, which is
// read when all is checked, or when a given order lacks a manifest or the journal entry of one.
func (a *Archive) Verify(ctx context.Context, report func(Damage), orders ...Order) (Checked, error) {
	return a.VerifyWith(ctx, report, VerifyOptions{Orders: orders})
}

// VerifyWith is Verify with options. Report is called for one damage at a time, in no order. Memory is bounded by the
// number of orders that wait, the days of the journal and the damage, not by the archive's size; with From or To also by
// the number of orders in that time. Of such a time only what the journal names is seen.
func (a *Archive) VerifyWith(ctx context.Context, report func(Damage), o VerifyOptions) (Checked, error) {
	if o.Parallel <= 0 {
		o.Parallel = defaultParallel
	}
	if o.Progress == nil {
		o.Progress = func(Checked, int) {}
	}
	v := &verifier{a: a, options: o, report: report, suspects: make(map[Order]bool), manifests: newTally(), entries: newTally()}
	v.entries.seed = v.manifests.seed
	err := v.run(ctx)
	return v.sum, err
}

// verifier is a check under way. The fields below mu are written by many goroutines.
type verifier struct {
	a       *Archive
	options VerifyOptions
	report  func(Damage)
	waiting waiting // what had a marker or note when the check began; of given orders it is not read
	entries tally   // the journal's

	mu        sync.Mutex
	sum       Checked
	manifests tally          // of what the manifests that were read should have in the journal
	suspects  map[Order]bool // orders whose journal entries are worth a look: a manifest of theirs may have gone
	changed   []changedFile
}

func (v *verifier) run(ctx context.Context) error {
	var err error
	if len(v.options.Orders) > 0 {
		err = v.some(ctx)
	} else {
		err = v.all(ctx)
	}
	if err != nil {
		for _, c := range v.changed { // what is found is told, also when the rest can not be looked at
			v.report(c.damage(""))
		}
		return err
	}
	return v.tellChanged(ctx)
}

// some checks the given orders. The journal is read for those only that lack a manifest or have one without its entry.
func (v *verifier) some(ctx context.Context) error {
	v.entries.count = len(v.options.Orders)
	err := v.each(ctx, func(yield func(group, error) bool) {
		for _, o := range v.options.Orders {
			if !yield(group{order: o}, nil) {
				return
			}
		}
	})
	if err != nil || len(v.suspects) == 0 {
		return err
	}
	return v.journal(ctx, "", v.suspects)
}

// all checks every order, or those that the journal names in a time, and then the journal: each day whose entries are not
// just those of the manifests that were read is looked at entry by entry.
func (v *verifier) all(ctx context.Context) error {
	if err := v.waiting.read(ctx, v.a); err != nil {
		return err
	}
	named, err := v.readJournal(ctx)
	if err != nil {
		return err
	}
	groups := v.groups(ctx)
	if v.timed() {
		groups = func(yield func(group, error) bool) {
			for o := range named {
				if !yield(group{order: o}, nil) {
					return
				}
			}
		}
	}
	if err := v.each(ctx, groups); err != nil {
		return err
	}
	for _, day := range v.entries.unlike(v.manifests) {
		if err := v.journal(ctx, day, nil); err != nil {
			return err
		}
	}
	if v.timed() && len(v.suspects) > 0 {
		return v.elsewhere(ctx)
	}
	return nil
}

// timed tells whether only a time of the journal is checked.
func (v *verifier) timed() bool { return !v.options.From.IsZero() || !v.options.To.IsZero() }

// within tells whether a time, to the second, is one that is checked.
func (v *verifier) within(at time.Time) bool {
	return !at.Before(v.options.From.Truncate(time.Second)) && (v.options.To.IsZero() || at.Before(v.options.To))
}

// each checks the orders of groups, several at once. The first error ends it.
func (v *verifier) each(ctx context.Context, groups iter.Seq2[group, error]) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	queue := make(chan group)
	var workers sync.WaitGroup
	for range v.options.Parallel {
		workers.Go(func() {
			for g := range queue {
				if err := v.order(ctx, g); err != nil {
					fail(err)
				}
			}
		})
	}
	for g, err := range groups {
		if err != nil {
			fail(err)
		}
		if ctx.Err() != nil {
			break
		}
		queue <- g
	}
	close(queue)
	workers.Wait()
	return context.Cause(ctx)
}

// tell reports damage, one at a time.
func (v *verifier) tell(all ...Damage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, d := range all {
		v.report(d)
	}
}
