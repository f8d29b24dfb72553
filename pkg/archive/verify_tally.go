package archive

import (
	"hash/maphash"
	"slices"
	"strings"
)

// tally is which journal keys there are, so small that an archive of any size fits: for each day their number and the sum
// of their hashes. Two tallies that agree on a day hold the same keys of it; the seed is a secret of the run.
type tally struct {
	seed  maphash.Seed
	count int
	days  map[string]daySum
}

type daySum struct {
	count int
	sum   uint64
}

func newTally() tally { return tally{seed: maphash.MakeSeed(), days: make(map[string]daySum)} }

// add counts a journal key.
func (t *tally) add(key string) {
	day, _, _ := strings.Cut(strings.TrimPrefix(key, journalPrefix), "/")
	s := t.days[day]
	s.count++
	s.sum += maphash.String(t.seed, key)
	t.days[day] = s
	t.count++
}

// unlike gives the days of t, in ascending order, whose keys are not just those of other.
func (t *tally) unlike(other tally) []string {
	var days []string
	for day, s := range t.days {
		if other.days[day] != s {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days
}
