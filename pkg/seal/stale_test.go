package seal_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// stale is a bucket whose listings do not show some keys yet, as COS's may (PLATFORMS, Tencent COS).
type stale struct {
	bucket.Bucket
	hides func(key string) bool
}

func (s stale) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		for o, err := range s.Bucket.List(ctx, prefix, after) {
			if (err != nil || !s.hides(o.Key)) && !yield(o, err) {
				return
			}
		}
	}
}

func (s stale) Properties() bucket.Properties {
	p := s.Bucket.Properties()
	p.StrongListing = false
	return p
}

// blind is the archive as a process sees it whose listings hide some keys.
func (v *vault) blind(hides func(key string) bool) *archive.Archive {
	return archive.New(stale{v.mem, hides})
}

// TestEntryThatNoListingShows: an order whose entry is not listed when its window is sealed is in the next seal, although it was
// stored in time.
func TestEntryThatNoListingShows(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.Add(time.Minute))
	v.archived("b", monday.Add(2*time.Minute))
	s := v.sealer(time.Hour)
	s.Archive = v.blind(func(key string) bool { return strings.Contains(key, ".b.") })
	v.pass(s, monday.Add(2*time.Hour))
	s = v.sealer(time.Hour)
	s.Archive = v.blind(func(string) bool { return false })
	v.pass(s, monday.Add(3*time.Hour))
	v.wantChain("20261123T000000Z 20261123T010000Z: a", "20261123T010000Z 20261123T020000Z: b(late)")
	v.pass(s, monday.Add(4*time.Hour))
	v.wantChain("20261123T000000Z 20261123T010000Z: a", "20261123T010000Z 20261123T020000Z: b(late)", "20261123T020000Z 20261123T030000Z:")
}

// TestSealsThatNoListingShows: a process that sees none of the seals that there are, or not the last ones, takes them as they are
// and goes on from there; no order is sealed twice.
func TestSealsThatNoListingShows(t *testing.T) {
	for shown := range 4 {
		v := newVault(t, monday)
		for hour, order := range []string{"a", "b", "c", "d"} {
			v.archived(order, monday.Add(time.Duration(hour)*time.Hour+time.Minute))
		}
		v.journal("late", monday.Add(time.Second)) // after three hours
		v.pass(v.sealer(time.Hour), monday.Add(3*time.Hour+45*time.Minute))
		from := "seals/" + archive.SealName(monday.Add(time.Duration(shown)*time.Hour))
		s := v.sealer(time.Hour)
		s.Archive = v.blind(func(key string) bool { return strings.HasPrefix(key, "seals/") && key >= from })
		v.pass(s, monday.Add(4*time.Hour+30*time.Minute))
		v.wantChain("20261123T000000Z 20261123T010000Z: a late", "20261123T010000Z 20261123T020000Z: b",
			"20261123T020000Z 20261123T030000Z: c", "20261123T030000Z 20261123T040000Z: d")
	}
}

// TestLeavesThatNoListingConfirms: of two that seal at once one sees less of the journal. It signs nothing that it can not confirm,
// and the next pass does.
func TestLeavesThatNoListingConfirms(t *testing.T) {
	v := newVault(t, monday)
	v.archived("a", monday.Add(time.Minute))
	v.archived("b", monday.Add(2*time.Minute))
	first := v.sealer(time.Hour)
	first.Archive = archive.New(hooked{v.mem, func(call, key string) (error, error) {
		if call == "create" && strings.HasSuffix(key, "/checkpoint") {
			return errPlanned, nil
		}
		return nil, nil
	}})
	v.now = monday.Add(2 * time.Hour)
	if _, err := first.Pass(t.Context(), false); !errors.Is(err, errPlanned) {
		t.Fatal(err)
	}
	hides := ".b."
	second := v.sealer(time.Hour)
	second.Archive = v.blind(func(key string) bool { return hides != "" && strings.Contains(key, hides) })
	if _, err := second.Pass(t.Context(), false); !errors.Is(err, archive.ErrDamaged) || !strings.Contains(err.Error(), "a listing may be behind") {
		t.Errorf("%v", err)
	}
	v.wantChain()
	hides = ""
	v.pass(second, v.now)
	v.wantChain("20261123T000000Z 20261123T010000Z: a b")
}
