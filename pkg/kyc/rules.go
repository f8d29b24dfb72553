package kyc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
)

// The rules for racing, repeated and dying steps (DESIGN section 3) stand in this file. Each closes a hole that an exploration of
// the flow found; explore_test.go walks the interleavings, and rules_test.go holds the code to each rule alone: one can hide that
// another is missing.
//
//  1. A marker whose closed/ key exists is not pending: stillOpen.
//  2. A closed or partial end clears only its own opening's keys; a complete manifest clears all it saw: finish.
//  3. A manifest covers an order when it names all evidence listed and nothing is missing: covers.
//  4. Manifest n+1 is the union of manifest n and what I have: union; compared by files and missing: Manifest.SameAs.
//  5. Coverage comes before the marker check: Puller.Step calls settle before it looks at its marker.
//  6. A step first journals every manifest it reads that lacks its entry: journalAll.
//  7. List markers before orders/; clear notes, list orders/ once more, then clear the marker: look, finish.
//  8. A message is acknowledged only after its step ended: the platforms.
//  9. Manifests are read by key, upwards; before n+1, journal n: Archive.Manifests, commit.
//  10. A conflict on one's own fresh key is one's own success: Archive.OpenMarker; a step goes on if its own marker exists: Step.

// stillOpen drops the markers whose closed entry exists: a listing may show a marker that its closer is about to clear (rule 1).
func stillOpen(ctx context.Context, a *archive.Archive, markers []archive.Listed) ([]archive.Listed, error) {
	var open []archive.Listed
	for _, l := range markers {
		closed, err := a.IsClosed(ctx, l.Mark)
		if err != nil {
			return nil, err
		}
		if !closed {
			open = append(open, l)
		}
	}
	return open, nil
}

// view is what a step knows of its order.
type view struct {
	order     archive.Order
	seen      archive.Seen
	listed    []archive.Evidence // what the listing showed and what this step stored
	manifests []archive.Stored
	confirmed []string // digests of odd media that count as there
	looks     map[string]mediaLook
	own       map[string]archive.Evidence // files that this step stored, or found there already: what is stored is known
	result    *archive.Verdict            // where it is known without reading
	ended     time.Time                   // when this step gave the order the state that it has now, by the store's clock; zero: it did not
}

// mediaLook is what is known of a medium's bytes beyond its name.
type mediaLook struct{ mediaType, flag string }

// look reads an order's state: markers first, then evidence (rule 7), then the manifests by key (rule 9).
func look(ctx context.Context, a *archive.Archive, o archive.Order) (*view, error) {
	v := &view{order: o, looks: make(map[string]mediaLook), own: make(map[string]archive.Evidence)}
	var err error
	if v.seen, err = a.Markers(ctx, o); err != nil {
		return nil, err
	}
	if v.listed, err = a.ListEvidence(ctx, o); err != nil {
		return nil, err
	}
	v.manifests, err = a.Manifests(ctx, o)
	return v, err
}

func highest(all []archive.Stored) *archive.Stored {
	if len(all) == 0 {
		return nil
	}
	return &all[len(all)-1]
}

// unnamed tells whether evidence is listed that the highest manifest lacks.
func (v *view) unnamed() bool {
	last := highest(v.manifests)
	return slices.ContainsFunc(v.listed, func(e archive.Evidence) bool { return last == nil || !last.Names(e.File()) })
}

// covers tells whether the highest manifest names all evidence listed and a file for every medium wanted (rule 3). That
// its writer found an odd file to count as there shows in its own missing list.
func (v *view) covers(want Media) bool {
	last := highest(v.manifests)
	return last != nil && !v.unnamed() && v.lacking(want) == 0
}

// lacking gives the media of want that are not there: neither an unflagged file, nor an odd one that counts as there,
// nor a manifest that says its medium is not missing.
func (v *view) lacking(want Media) Media {
	for _, e := range v.listed {
		if !e.Odd() || slices.Contains(v.confirmed, e.Digest) {
			want &^= mediumOf(e.Kind)
		}
	}
	if last := highest(v.manifests); last != nil {
		for _, f := range last.Files {
			if !slices.Contains(last.Missing, string(f.Kind)) {
				want &^= mediumOf(f.Kind)
			}
		}
	}
	return want
}

// journalAll writes the journal entry of every manifest read that lacks one (rule 6).
func journalAll(ctx context.Context, a *archive.Archive, all []archive.Stored) error {
	for _, s := range all {
		there, err := a.Journaled(ctx, s)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if err := a.Journal(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// commit writes the next manifest, the union of the highest one and what v holds, and journals it. Losing the number to
// another step means to read the manifests again; when the union adds nothing, the winner's manifest is ours too (rules 4 and 9).
func (p *Puller) commit(ctx context.Context, v *view, firstSeen time.Time, attempts int) error {
	for {
		last := highest(v.manifests)
		next, err := p.union(ctx, v, last)
		if err != nil {
			return err
		}
		if last != nil && next.SameAs(last.Manifest) {
			return nil
		}
		at, err := p.Archive.Now(ctx) // not the step's beginning: a long reply may lie between
		if err != nil {
			return err
		}
		next.ArchivedAt, next.FirstSeen, next.Attempts = at.UTC().Truncate(time.Millisecond), firstSeen.UTC(), attempts
		n := 1
		if last != nil {
			n, next.Previous = last.N+1, last.Digest
			next.FirstSeen, next.Attempts = earlier(last.FirstSeen, next.FirstSeen), max(attempts, last.Attempts)
		}
		stored, err := p.Archive.CreateManifest(ctx, n, next)
		if errors.Is(err, archive.ErrTaken) {
			if v.manifests, err = p.Archive.Manifests(ctx, v.order); err != nil {
				return err
			}
			v.noteEnd(last, next)
			if err := journalAll(ctx, p.Archive, v.manifests); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		v.manifests = append(v.manifests, stored)
		v.noteEnd(last, next)
		return p.Archive.Journal(ctx, stored)
	}
}

// noteEnd notes that next, which this step tried to write after last, is there, its own, and makes a new state. Its own it is
// also where the answer to its writing was lost and the store then said "taken" (rule 10): then the bytes are the same.
func (v *view) noteEnd(last *archive.Stored, next archive.Manifest) {
	changed := last == nil || last.State != next.State
	if changed && slices.ContainsFunc(v.manifests, func(s archive.Stored) bool { return sameBytes(s.Manifest, next) }) {
		v.ended = next.ArchivedAt
	}
}

func sameBytes(a, b archive.Manifest) bool {
	if !a.ArchivedAt.Equal(b.ArchivedAt) {
		return false
	}
	first, err := a.Encode()
	second, err2 := b.Encode()
	return err == nil && err2 == nil && bytes.Equal(first, second)
}

func earlier(a, b time.Time) time.Time {
	if b.IsZero() || !a.IsZero() && a.Before(b) {
		return a
	}
	return b
}

// finish clears what is over. All marks go when the manifest is complete, else only one's own (rule 2). Notes go first;
// then the evidence is listed once more, and what came meanwhile gets its manifest; then the markers (rule 7). The
// listing is left out where nothing can have come: a complete commit with no notes, on a store with strong listings.
func (p *Puller) finish(ctx context.Context, v *view, marks []archive.Mark, complete bool, again func() error) error {
	for _, m := range marks {
		if !v.seen.Notes() && complete {
			break
		}
		if err := p.Archive.DeleteNotes(ctx, m); err != nil {
			return err
		}
	}
	if !complete || v.seen.Notes() || !p.Archive.Bucket().Properties().StrongListing {
		listed, err := p.Archive.ListEvidence(ctx, v.order)
		if err != nil {
			return err
		}
		v.listed = merge(v.listed, listed)
		if len(v.listed) > 0 && v.unnamed() {
			if err := again(); err != nil {
				return err
			}
		}
	}
	for _, m := range marks {
		if err := p.Archive.CloseMarker(ctx, m); err != nil {
			return fmt.Errorf("after the end of order %s: %w", v.order, err)
		}
	}
	return nil
}

// stored adds evidence whose bytes this step has seen.
func (v *view) stored(e archive.Evidence) {
	v.listed = merge(v.listed, []archive.Evidence{e})
	v.own[e.File()] = e
}

// merge adds the evidence that is not in list yet.
func merge(list, more []archive.Evidence) []archive.Evidence {
	for _, e := range more {
		if !slices.ContainsFunc(list, func(have archive.Evidence) bool { return have.File() == e.File() }) {
			list = append(list, e)
		}
	}
	return list
}
