package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

// counting counts what is read.
type counting struct {
	bucket.Bucket
	mu    sync.Mutex
	gets  map[string]int
	lists map[string]int
	onGet func(key string)
}

func count(b bucket.Bucket) *counting {
	return &counting{Bucket: b, gets: map[string]int{}, lists: map[string]int{}, onGet: func(string) {}}
}

func (c *counting) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	c.mu.Lock()
	c.gets[key]++
	c.mu.Unlock()
	c.onGet(key)
	return c.Bucket.Get(ctx, key)
}

func (c *counting) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	c.mu.Lock()
	c.lists[prefix]++
	c.mu.Unlock()
	return c.Bucket.List(ctx, prefix, after)
}

// archivedAt makes a whole order that was archived at a time.
func archivedAt(t *testing.T, a *archive.Archive, o archive.Order, at time.Time) archive.Stored {
	t.Helper()
	return commit(t, a, 1, archive.Manifest{
		Order: o, State: archive.Archived, FirstSeen: at, ArchivedAt: at,
		Files: []archive.File{
			keep(t, a, o, archive.Photo, "jpg", []byte("photo of "+o)),
			keep(t, a, o, archive.Video, "mp4", []byte("video of "+o)),
		},
	})
}

// check collects the damage.
func check(t *testing.T, a *archive.Archive, o archive.VerifyOptions) (all []archive.Damage, sum archive.Checked) {
	t.Helper()
	sum, err := a.VerifyWith(t.Context(), func(d archive.Damage) { all = append(all, d) }, o)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b archive.Damage) int { return strings.Compare(a.Key+a.Kind, b.Key+b.Kind) })
	return all, sum
}

func kindsOf(all []archive.Damage) (kinds []string) {
	for _, d := range all {
		kinds = append(kinds, string(d.Order)+" "+d.Kind)
	}
	return kinds
}

// TestVerifyReadsEverythingOnce: the whole of a healthy archive takes one listing of each part, and every object is read once,
// also where many orders wait with evidence.
func TestVerifyReadsEverythingOnce(t *testing.T) {
	mem := membucket.New(func() time.Time { return epoch })
	a := archive.New(mem)
	for i := range 50 {
		archivedAt(t, a, archive.Order(fmt.Sprintf("order%d", i)), epoch.Add(time.Duration(i)*7*time.Hour))
		waits := archive.Order(fmt.Sprintf("waits%d", i))
		put(t, mem, "pending/"+string(waits)+".a", nil)
		keep(t, a, waits, archive.Photo, "jpg", []byte("photo of "+waits))
	}
	c := count(mem)
	if damage, sum := check(t, archive.New(c), archive.VerifyOptions{}); len(damage) > 0 || sum.Orders != 100 || sum.Files != 150 {
		t.Fatalf("%+v, %+v", damage, sum)
	}
	for key, n := range c.gets {
		if n > 1 {
			t.Errorf("%s is read %d times", key, n)
		}
	}
	want := map[string]int{"retry/": 1, "quiet/": 1, "pending/": 1, "journal/": 1, "orders/": 1}
	if diff := cmp.Diff(want, c.lists); diff != "" {
		t.Errorf("listings (-want +got):\n%s", diff)
	}
}

// TestVerifyReadsOneDayAgain: of a journal with an entry too many only that day is looked at entry by entry.
func TestVerifyReadsOneDayAgain(t *testing.T) {
	mem := membucket.New(func() time.Time { return epoch })
	a := archive.New(mem)
	for i := range 10 {
		archivedAt(t, a, archive.Order(fmt.Sprintf("order%d", i)), epoch.AddDate(0, 0, i))
	}
	extra := archive.JournalKey(epoch.AddDate(0, 0, 3), "gone1", digestOf(nil))
	put(t, mem, extra, nil)
	c := count(mem)
	damage, _ := check(t, archive.New(c), archive.VerifyOptions{})
	if len(damage) != 1 || damage[0].Kind != archive.NoManifest || damage[0].Key != extra {
		t.Errorf("%+v", damage)
	}
	for i := range 10 {
		want := 1
		if i == 3 {
			want = 2
		}
		if n := c.gets[fmt.Sprintf("orders/order%d/manifest.json", i)]; n != want {
			t.Errorf("the manifest of day %d is read %d times", i, n)
		}
	}
}

// TestVerifyMissesNoEntryByCounting: an order that is archived during the check makes up for the entry of one that has gone,
// in number only. A strange key of that day is told once.
func TestVerifyMissesNoEntryByCounting(t *testing.T) {
	mem := membucket.New(func() time.Time { return epoch })
	a := archive.New(mem)
	for i := range 5 {
		archivedAt(t, a, archive.Order(fmt.Sprintf("order%d", i)), epoch)
	}
	put(t, mem, archive.JournalKey(epoch, "gone1", digestOf(nil)), nil)
	put(t, mem, "journal/2026-11-23/strange", nil)
	c := count(mem)
	var once sync.Once
	c.onGet = func(string) { once.Do(func() { archivedAt(t, a, "order9", epoch.Add(time.Minute)) }) }
	damage, sum := check(t, archive.New(c), archive.VerifyOptions{Parallel: 1})
	if diff := cmp.Diff([]string{"gone1 no-manifest", " unknown"}, kindsOf(damage)); diff != "" || sum.Orders != 6 {
		t.Errorf("%d orders, -want +got:\n%s", sum.Orders, diff)
	}
}

// TestVerifyOfATime checks what the journal names, and nothing else.
func TestVerifyOfATime(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		for i := range 4 { // one a day, each with its photo gone
			s := archivedAt(t, a, archive.Order(fmt.Sprintf("order%d", i)), epoch.AddDate(0, 0, i))
			remove(t, b, key(s, 0))
		}
		day := epoch.Truncate(24 * time.Hour)
		gone := archivedAt(t, a, "gone1", epoch.AddDate(0, 0, 2))
		for _, key := range keysOf(t, b, "orders/gone1/") {
			remove(t, b, key)
		}
		put(t, b, "pending/order2.a", nil)
		for name, test := range map[string]struct {
			from, to time.Time
			want     []string
			orders   int
		}{
			"a day":               {day.AddDate(0, 0, 2), day.AddDate(0, 0, 3), []string{"gone1 no-manifest", "order2 missing", "order2 leftover"}, 2},
			"since":               {day.AddDate(0, 0, 1), time.Time{}, []string{"gone1 no-manifest", "order1 missing", "order2 missing", "order3 missing", "order2 leftover"}, 4},
			"since, to the hour":  {epoch.AddDate(0, 0, 1).Add(time.Second), time.Time{}, []string{"gone1 no-manifest", "order2 missing", "order3 missing", "order2 leftover"}, 3},
			"since, its own time": {epoch.AddDate(0, 0, 3), time.Time{}, []string{"order3 missing"}, 1},
			"until":               {time.Time{}, epoch.AddDate(0, 0, 1), []string{"order0 missing"}, 1},
			"an empty time":       {day.AddDate(1, 0, 0), time.Time{}, nil, 0},
		} {
			damage, sum := check(t, a, archive.VerifyOptions{From: test.from, To: test.to})
			if diff := cmp.Diff(test.want, kindsOf(damage)); diff != "" || sum.Orders != test.orders {
				t.Errorf("%s: %d orders, -want +got:\n%s", name, sum.Orders, diff)
			}
		}
		_ = gone
	})
}

// TestVerifyOfATimeWithSeveralManifests: an order's other manifests may be of another time, and are no damage of this one.
func TestVerifyOfATimeWithSeveralManifests(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		s := archivedAt(t, a, "order1", epoch)
		m := s.Manifest
		m.Previous, m.ArchivedAt = s.Digest, epoch.AddDate(0, 0, 5)
		s2 := commit(t, a, 2, m)
		for _, from := range []time.Time{epoch, epoch.AddDate(0, 0, 5)} {
			if damage, sum := check(t, a, archive.VerifyOptions{From: from, To: from.AddDate(0, 0, 1)}); len(damage) > 0 || sum.Orders != 1 {
				t.Errorf("%+v, %+v", damage, sum)
			}
		}
		remove(t, b, "orders/order1/manifest.2.json")
		damage, _ := check(t, a, archive.VerifyOptions{From: epoch.AddDate(0, 0, 5)})
		if len(damage) != 1 || damage[0].Kind != archive.NoManifest || damage[0].Key != journalKey(s2) {
			t.Errorf("%+v", damage)
		}
	})
}

// TestVerifyTellsHowAFileIsChanged names the way, and whose bytes a swapped file holds.
func TestVerifyTellsHowAFileIsChanged(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		var s []archive.Stored
		for i := range 8 {
			s = append(s, archived(t, a, archive.Order(fmt.Sprintf("order%d", i))))
		}
		photo := func(i int) []byte { return get(t, b, key(s[i], 0)) }
		put(t, b, key(s[0], 0), photo(0)[:3])
		put(t, b, key(s[1], 0), append(photo(1), 'x'))
		changed := photo(2)
		changed[0] ^= 1
		put(t, b, key(s[2], 0), changed)
		three, four := photo(3), photo(4) // two orders' photos, swapped
		put(t, b, key(s[3], 0), four)
		put(t, b, key(s[4], 0), three)
		put(t, b, key(s[5], 0), photo(6)) // one order's photo over another's
		next(t, a, 2, s[7], func(m *archive.Manifest) { m.Files[0].Size++ })
		damage, _ := check(t, a, archive.VerifyOptions{})
		var got [][3]string
		for _, d := range damage {
			if d.Kind != archive.Changed || d.What == "" {
				t.Errorf("%+v", d)
			}
			got = append(got, [3]string{string(d.Order), d.How, d.From})
		}
		want := [][3]string{
			{"order0", archive.Truncated, ""}, {"order1", archive.Extended, ""}, {"order2", archive.Altered, ""},
			{"order3", archive.Swapped, key(s[4], 0)}, {"order4", archive.Swapped, key(s[3], 0)}, {"order5", archive.Swapped, key(s[6], 0)},
			{"order7", archive.Miscounted, ""},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestVerifyBesideAStep: a step that ends while the archive is read is no damage, whatever an older listing showed.
func TestVerifyBesideAStep(t *testing.T) {
	mem := membucket.New(func() time.Time { return epoch })
	a := archive.New(mem)
	archivedAt(t, a, "order1", epoch)
	keep(t, a, "order2", archive.Photo, "jpg", []byte("photo of order2")) // its marker came after the markers were listed
	c := count(mem)
	var once sync.Once
	c.onGet = func(key string) {
		if strings.HasPrefix(key, "orders/order2/manifest") {
			once.Do(func() { put(t, mem, "pending/order2.a", nil) })
		}
	}
	if damage, _ := check(t, archive.New(c), archive.VerifyOptions{Parallel: 1}); len(damage) > 0 {
		t.Errorf("%+v", damage)
	}
}

// TestVerifyProgress: it is told of every order, and of how many there are.
func TestVerifyProgress(t *testing.T) {
	a := archive.New(membucket.New(func() time.Time { return epoch }))
	for i := range 30 {
		archived(t, a, archive.Order(fmt.Sprintf("order%d", i)))
	}
	last := 0
	_, sum := check(t, a, archive.VerifyOptions{Progress: func(done archive.Checked, about int) {
		if done.Orders != last+1 || about != 30 {
			t.Errorf("%d of %d after %d", done.Orders, about, last)
		}
		last = done.Orders
	}})
	if last != 30 || sum.Orders != 30 {
		t.Errorf("told up to %d; %+v", last, sum)
	}
}

// TestVerifyIsInterrupted: it ends soon, with the reason, and tells what it has found.
func TestVerifyIsInterrupted(t *testing.T) {
	mem := membucket.New(func() time.Time { return epoch })
	a := archive.New(mem)
	put(t, mem, key(archived(t, a, "order0"), 0), []byte("x"))
	for i := range 100 {
		archived(t, a, archive.Order(fmt.Sprintf("order1%d", i)))
	}
	var found []archive.Damage
	ctx, cancel := context.WithCancel(t.Context())
	sum, err := a.VerifyWith(ctx, func(d archive.Damage) { found = append(found, d) }, archive.VerifyOptions{
		Parallel: 1, Progress: func(done archive.Checked, _ int) {
			if done.Orders == 10 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || sum.Orders < 10 || sum.Orders > 15 {
		t.Errorf("%+v, %v", sum, err)
	}
	if len(found) != 1 || found[0].Order != "order0" || found[0].How != archive.Truncated {
		t.Errorf("found %+v", found)
	}
}

// TestVerifyOfATimeSeesAnotherInPlace: a manifest without its journal entry is told to stand in the place of another, though that was
// archived outside the time that is checked; of other orders nothing outside is told.
func TestVerifyOfATimeSeesAnotherInPlace(t *testing.T) {
	mem := membucket.New(func() time.Time { return epoch })
	a := archive.New(mem)
	s := archivedAt(t, a, "order1", epoch)
	m := s.Manifest
	m.Previous, m.ArchivedAt = s.Digest, epoch.AddDate(0, 0, 5)
	s2 := commit(t, a, 2, m)
	put(t, mem, "orders/order1/manifest.2.json", append(get(t, mem, "orders/order1/manifest.2.json"), '\n'))
	put(t, mem, archive.JournalKey(epoch.AddDate(0, 0, 5), "gone1", digestOf(nil)), nil)
	for name, o := range map[string]archive.VerifyOptions{
		"its first day": {From: epoch, To: epoch.AddDate(0, 0, 1)},
		"until then":    {To: epoch.AddDate(0, 0, 1)},
		"the order":     {Orders: []archive.Order{"order1"}},
	} {
		damage, _ := check(t, a, o)
		if diff := cmp.Diff([]string{"order1 no-manifest", "order1 unjournaled"}, kindsOf(damage)); diff != "" || damage[0].Key != journalKey(s2) {
			t.Errorf("%s: %+v, -want +got:\n%s", name, damage, diff)
		}
	}
}
