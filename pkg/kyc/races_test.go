package kyc_test

import (
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket/membucket"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// race is two processes at once.
type race struct {
	limits
	set func(t *testing.T, w *world)
}

// Every race below is explored in all interleavings of its bucket calls; afterwards everything is delivered, passes run, and
// the order must have the state that is wanted, with no marker left and nothing that Verify finds.
func TestRaces(t *testing.T) {
	otherPhoto := answer{code: "0", class: kyc.OK, photo: tinyPNG(2), video: tinyMP4("a")}
	oddPhoto := answer{code: "0", class: kyc.OK, photo: append(tinyPNG(1), "tail"...), video: tinyMP4("a")}
	races := map[string]race{
		"two steps, odd bytes, one dies": {limits{deaths: 1}, func(t *testing.T, w *world) {
			m := w.open(t)
			w.step(m, oddPhoto)
			w.step(m, whole)
		}},
		"two steps of one opening, same bytes": {limits{}, func(t *testing.T, w *world) {
			m := w.open(t)
			w.step(m, whole)
			w.step(m, whole)
		}},
		"two steps of one opening, one dies": {limits{deaths: 1}, func(t *testing.T, w *world) {
			m := w.open(t)
			w.step(m, whole)
			w.step(m, whole)
		}},
		"two steps of one opening, stale listing": {limits{stales: 1}, func(t *testing.T, w *world) {
			m := w.open(t)
			w.step(m, whole)
			w.step(m, whole)
		}},
		"two steps, other bytes, one dies": {limits{deaths: 1}, func(t *testing.T, w *world) {
			m := w.open(t)
			w.step(m, whole)
			w.step(m, otherPhoto)
		}},
		"two steps, other bytes, stale listing": {limits{stales: 2}, func(t *testing.T, w *world) {
			m := w.open(t)
			w.step(m, whole)
			w.step(m, otherPhoto)
		}},
		"two openings, one dies": {limits{deaths: 1}, func(t *testing.T, w *world) {
			w.step(w.mark(t, "a"), whole)
			w.step(w.mark(t, "b"), otherPhoto)
		}},
		"whole and late video": {limits{deaths: 1, stales: 1}, func(t *testing.T, w *world) {
			m := w.open(t)
			w.step(m, whole)
			w.step(m, noVideo)
		}},
		"a completion meets the commit": {limits{deaths: 1, stales: 1}, func(t *testing.T, w *world) {
			w.step(w.open(t), whole)
			w.complete()
		}},
		"a completion meets the closing": {limits{deaths: 1, stales: 1}, func(t *testing.T, w *world) {
			w.want = append(w.want, kyc.StateUnavailable)
			m := w.open(t)
			w.now = w.now.Add(w.settings.Deadline)
			w.step(m, none)
			w.complete()
		}},
		"a completion that sees no marker meets the giving up": {limits{stales: 1}, func(t *testing.T, w *world) {
			w.want = append(w.want, kyc.StatePartial)
			w.old = membucket.New(nil)
			m := w.open(t)
			w.now = w.now.Add(w.settings.Deadline)
			w.step(m, noVideo)
			w.complete()
		}},
		"a completion that sees no marker meets the commit": {limits{stales: 1, deaths: 1}, func(t *testing.T, w *world) {
			w.old = membucket.New(nil)
			w.step(w.open(t), whole)
			w.complete()
		}},
		"a partial order that was opened again": {limits{deaths: 1}, func(t *testing.T, w *world) {
			w.partial(t)
			m := w.open(t)
			w.step(m, whole)
			w.step(m, whole)
		}},
		"a completion meets the giving up": {limits{deaths: 1}, func(t *testing.T, w *world) {
			w.want = append(w.want, kyc.StatePartial)
			m := w.open(t)
			w.now = w.now.Add(w.settings.Deadline)
			w.step(m, noVideo)
			w.complete()
		}},
		"a late step meets the giving up": {limits{deaths: 1}, func(t *testing.T, w *world) {
			w.want = append(w.want, kyc.StatePartial)
			m := w.open(t)
			w.now = w.now.Add(w.settings.Deadline)
			w.step(m, noVideo)
			w.step(m, whole)
		}},
		"a late step meets the closing": {limits{deaths: 1}, func(t *testing.T, w *world) {
			w.want = append(w.want, kyc.StatePartial, kyc.StateUnavailable)
			m := w.open(t)
			w.now = w.now.Add(w.settings.Deadline)
			w.step(m, none)
			w.step(m, whole)
		}},
		"two completions at once": {limits{deaths: 1, stales: 1}, func(_ *testing.T, w *world) {
			w.complete()
			w.complete()
		}},
		"a pass meets the commit": {limits{deaths: 1, stales: 1}, func(t *testing.T, w *world) {
			m := w.open(t)
			w.note(t, m)
			w.now = w.now.Add(time.Hour)
			w.step(m, whole)
			w.refetch()
		}},
	}
	for name, race := range races {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bounds := race.limits
			if testing.Short() { // under the race detector: the interleavings alone
				bounds = limits{}
			}
			race.explore(t, bounds, newWorld)
		})
	}
	// The races for evidence once more, with everything encrypted, where no two processes store the same bytes. Deaths are for those
	// whose interleavings are few enough.
	for name, again := range map[string]struct {
		limits
		sample bool // under the race detector too
	}{
		"two steps of one opening, one dies": {limits{deaths: 1}, false}, "two steps, other bytes, one dies": {limits{deaths: 1}, true},
		"two steps, other bytes, stale listing": {limits{stales: 1}, false},
		"whole and late video":                  {limits{}, true}, "two steps, odd bytes, one dies": {limits{deaths: 1}, true},
		"a partial order that was opened again": {limits{deaths: 1}, false}, "a completion meets the giving up": {limits{deaths: 1}, true},
	} {
		if testing.Short() && !again.sample {
			continue
		}
		if testing.Short() {
			again.limits = limits{}
		}
		t.Run("encrypted/"+name, func(t *testing.T) {
			t.Parallel()
			races[name].explore(t, again.limits, encrypted)
		})
	}
}

// explore explores a race in new worlds.
func (r race) explore(t *testing.T, bounds limits, fresh func() *world) {
	runs := explore(t, scenario{limits: bounds, world: func(t *testing.T) *world {
		w := fresh()
		w.weak = r.stales > 0
		r.set(t, w)
		return w
	}})
	t.Logf("%d runs", runs)
}
