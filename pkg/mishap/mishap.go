// Package mishap decides which calls the faults of a test server hit. A run can be repeated: nothing counts but the seed and the calls.
package mishap

import (
	"encoding/binary"
	"hash/fnv"
	"math"
)

// Share says which of the calls that a fault is about it hits.
type Share struct {
	Skip  int     // so many pass first
	Times int     // so many are hit then; 0 is one, or with a Rate all; negative is all
	Rate  float64 // above 0: each is hit with this chance, drawn from the seed, the call's key and the how-manieth it is of that key
}

func (s Share) limit() int {
	switch {
	case s.Times > 0:
		return s.Times
	case s.Times == 0 && s.Rate == 0:
		return 1
	default:
		return math.MaxInt
	}
}

// Faults are the faults in force, oldest first. The lock of their server guards them.
type Faults[F any] struct {
	Seed uint64
	all  []*active[F]
}

// active is a fault and what it has met.
type active[F any] struct {
	fault        F
	share        Share
	matched, hit int
	calls        map[string]int // matched calls, by key
}

// Add puts a fault in force, behind those that are.
func (fs *Faults[F]) Add(f F, s Share) {
	fs.all = append(fs.all, &active[F]{fault: f, share: s, calls: make(map[string]int)})
}

// Clear ends all faults.
func (fs *Faults[F]) Clear() { fs.all = nil }

// Hits is how many calls the fault that is the i-th in force has hit.
func (fs *Faults[F]) Hits(i int) int { return fs.all[i].hit }

// Next gives the fault that hits this call, if any. All that match count the call; the first that is due hits.
func (fs *Faults[F]) Next(key string, matches func(F) bool) (F, bool) {
	var hit *active[F]
	for _, f := range fs.all {
		if !matches(f.fault) {
			continue
		}
		f.matched++
		f.calls[key]++
		if hit == nil && f.due(fs.Seed, key) {
			hit = f
			f.hit++
		}
	}
	if hit == nil {
		var none F
		return none, false
	}
	return hit.fault, true
}

func (f *active[F]) due(seed uint64, key string) bool {
	if f.matched <= f.share.Skip || f.hit >= f.share.limit() {
		return false
	}
	return f.share.Rate == 0 || chance(seed, key, f.calls[key]) < f.share.Rate
}

// chance draws a number from 0 to 1 that depends on nothing but its arguments.
func chance(seed uint64, key string, n int) float64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, seed))
	_, _ = h.Write([]byte(key))
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) //nolint:gosec // a count
	x := h.Sum64()
	x ^= x >> 31 // FNV's high bits hardly change with its last byte: mix them (the finalizer of splitmix64)
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	return float64(x>>11) / (1 << 53)
}
