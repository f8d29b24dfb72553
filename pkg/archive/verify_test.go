package archive_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// found is what a test expects of one damage.
type found struct{ Kind, Key string }

// damaged makes a healthy archive of four orders and damages it; every way of looking must find what is expected of it.
type damaged struct {
	name   string
	damage func(t *testing.T, b bucket.Bucket, a *archive.Archive, s archive.Stored)
	want   func(s archive.Stored) []found // with the order given, and without
	always []found                        // only when the whole archive is read
}

// key gives the key of the n-th file of a manifest: 0 photo, 1 video, 2 result.
func key(s archive.Stored, n int) string { return archive.FileKey(s.Order, s.Files[n].Name) }

func manifestKey(n int) string { return "orders/order1/" + archive.ManifestName(n) }

func journalKey(s archive.Stored) string { return archive.JournalKey(s.ArchivedAt, s.Order, s.Digest) }

func one(kind string, key func(s archive.Stored) string) func(archive.Stored) []found {
	return func(s archive.Stored) []found { return []found{{kind, key(s)}} }
}

func fixed(all ...found) func(archive.Stored) []found {
	return func(archive.Stored) []found { return all }
}

func nthFile(n int) func(archive.Stored) string {
	return func(s archive.Stored) string { return key(s, n) }
}

// next writes manifest n as the follower of s, changed by edit.
func next(t *testing.T, a *archive.Archive, n int, s archive.Stored, edit func(m *archive.Manifest)) archive.Stored {
	t.Helper()
	m := s.Manifest
	m.Previous, m.Files, m.ArchivedAt = s.Digest, slices.Clone(m.Files), m.ArchivedAt.Add(time.Hour)
	if edit != nil {
		edit(&m)
	}
	return commit(t, a, n, m)
}

var damages = []damaged{
	{"missing", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, s archive.Stored) { remove(t, b, key(s, 0)) },
		one(archive.Missing, nthFile(0)), nil},
	{"changed in one bit", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, s archive.Stored) {
		data := get(t, b, key(s, 1))
		data[len(data)/2] ^= 1
		put(t, b, key(s, 1), data)
	}, one(archive.Changed, nthFile(1)), nil},
	{"cut short", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, s archive.Stored) {
		put(t, b, key(s, 1), get(t, b, key(s, 1))[:100])
	}, one(archive.Changed, nthFile(1)), nil},
	{"empty", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, s archive.Stored) { put(t, b, key(s, 2), nil) },
		one(archive.Changed, nthFile(2)), nil},
	{"two files swapped", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, s archive.Stored) {
		photo, video := get(t, b, key(s, 0)), get(t, b, key(s, 1))
		put(t, b, key(s, 0), video)
		put(t, b, key(s, 1), photo)
	}, func(s archive.Stored) []found {
		return []found{{archive.Changed, key(s, 0)}, {archive.Changed, key(s, 1)}}
	}, nil},
	{"size in the manifest", func(t *testing.T, _ bucket.Bucket, a *archive.Archive, s archive.Stored) {
		next(t, a, 2, s, func(m *archive.Manifest) { m.Files[0].Size++ })
	}, one(archive.Changed, nthFile(0)), nil},
	{"unnamed", func(t *testing.T, _ bucket.Bucket, a *archive.Archive, _ archive.Stored) {
		keep(t, a, "order1", archive.Photo, "jpg", []byte("late"))
	}, fixed(found{archive.Unnamed, "orders/order1/photo." + digestOf([]byte("late")) + ".jpg"}), nil},
	{"unnamed and changed", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		put(t, b, "orders/order1/photo."+digestOf([]byte("late"))+".jpg", []byte("LATE"))
	}, fixed(found{archive.Changed, "orders/order1/photo." + digestOf([]byte("late")) + ".jpg"}, found{archive.Unnamed, "orders/order1/photo." + digestOf([]byte("late")) + ".jpg"}), nil},
	{"unjournaled", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, s archive.Stored) { remove(t, b, journalKey(s)) },
		fixed(found{archive.Unjournaled, manifestKey(1)}), nil},
	{"no manifest", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		remove(t, b, manifestKey(1))
	},
		func(s archive.Stored) []found {
			return []found{{archive.NoManifest, journalKey(s)}, {archive.Unnamed, key(s, 0)}, {archive.Unnamed, key(s, 1)}, {archive.Unnamed, key(s, 2)}}
		}, nil},
	{"nothing left of an order", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		for _, key := range keysOf(t, b, "orders/order1/") {
			remove(t, b, key)
		}
	}, one(archive.NoManifest, journalKey), nil},
	{"last manifest gone", func(t *testing.T, b bucket.Bucket, a *archive.Archive, s archive.Stored) {
		next(t, a, 2, s, nil)
		remove(t, b, manifestKey(2))
	}, fixed(), []found{{archive.NoManifest, "journal/2026-11-23/100000.order1."}}},
	{"another manifest in its place", func(t *testing.T, b bucket.Bucket, a *archive.Archive, s archive.Stored) {
		remove(t, b, manifestKey(1))
		m := s.Manifest
		m.ArchivedAt = m.ArchivedAt.Add(-72 * time.Hour) // of another day
		if _, err := a.CreateManifest(t.Context(), 1, m); err != nil {
			t.Fatal(err)
		}
	}, func(s archive.Stored) []found {
		return []found{{archive.NoManifest, journalKey(s)}, {archive.Unjournaled, manifestKey(1)}}
	}, nil},
	{"manifest cut short", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		put(t, b, manifestKey(1), get(t, b, manifestKey(1))[:50])
	}, func(s archive.Stored) []found {
		return []found{{archive.BadManifest, manifestKey(1)}, {archive.NoManifest, journalKey(s)}}
	}, nil},
	{"manifest endless", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, s archive.Stored) {
		put(t, b, manifestKey(1), append(get(t, b, manifestKey(1)), bytes.Repeat([]byte(" "), 2<<20)...))
	}, func(s archive.Stored) []found {
		return []found{{archive.BadManifest, manifestKey(1)}, {archive.NoManifest, journalKey(s)}}
	}, nil},
	{"manifest of a newer version", func(t *testing.T, _ bucket.Bucket, a *archive.Archive, s archive.Stored) {
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		data = bytes.Replace(data, []byte(`"version": 1`), []byte(`"version": 2`), 1)
		put(t, a.Bucket(), manifestKey(2), data)
		put(t, a.Bucket(), archive.JournalKey(epoch, "order1", digestOf(data)), nil) // and is no damage of the journal
	}, fixed(found{archive.BadManifest, manifestKey(2)}), nil},
	{"first manifest bad, second good", func(t *testing.T, b bucket.Bucket, a *archive.Archive, s archive.Stored) {
		next(t, a, 2, s, nil)
		put(t, b, manifestKey(1), []byte("{}"))
	}, fixed(found{archive.BadManifest, manifestKey(1)}), []found{{archive.NoManifest, "journal/2026-11-23/090000.order1."}}},
	{"second manifest bad, a file of the first gone", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, s archive.Stored) {
		put(t, b, manifestKey(2), []byte("{}"))
		remove(t, b, key(s, 0))
	}, func(s archive.Stored) []found {
		return []found{{archive.BadManifest, manifestKey(2)}, {archive.Missing, key(s, 0)}}
	}, nil},
	{"manifest of another order", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		put(t, b, manifestKey(1), get(t, b, "orders/order2/manifest.json"))
	}, func(s archive.Stored) []found {
		return []found{{archive.BadManifest, manifestKey(1)}, {archive.NoManifest, journalKey(s)}}
	}, nil},
	{"second manifest names another first", func(t *testing.T, _ bucket.Bucket, a *archive.Archive, s archive.Stored) {
		next(t, a, 2, s, func(m *archive.Manifest) { m.Previous = digestOf([]byte("other")) })
	}, fixed(found{archive.BadManifest, manifestKey(2)}), nil},
	{"second manifest names none before it", func(t *testing.T, _ bucket.Bucket, a *archive.Archive, s archive.Stored) {
		next(t, a, 2, s, func(m *archive.Manifest) { m.Previous = "" })
	}, fixed(found{archive.BadManifest, manifestKey(2)}), nil},
	{"first manifest names one before it", func(t *testing.T, b bucket.Bucket, a *archive.Archive, s archive.Stored) {
		remove(t, b, manifestKey(1))
		remove(t, b, journalKey(s))
		next(t, a, 1, s, nil)
	}, fixed(found{archive.BadManifest, manifestKey(1)}), nil},
	{"second manifest drops a file that is gone", func(t *testing.T, b bucket.Bucket, a *archive.Archive, s archive.Stored) {
		next(t, a, 2, s, func(m *archive.Manifest) { m.Files = m.Files[1:] })
		remove(t, b, key(s, 0))
	}, fixed(found{archive.BadManifest, manifestKey(2)}), nil},
	{"manifest 3 without 2", func(t *testing.T, _ bucket.Bucket, a *archive.Archive, s archive.Stored) {
		next(t, a, 3, s, nil)
	}, fixed(found{archive.Missing, manifestKey(2)}), nil},
	{"a huge number", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		put(t, b, manifestKey(2147483647), []byte("{}"))
	}, fixed(found{archive.BadManifest, manifestKey(2147483647)}, found{archive.Missing, manifestKey(2)}), nil},
	{"leftovers", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		put(t, b, "pending/order1.a", nil)
		put(t, b, "retry/order1.a", nil)
		put(t, b, "quiet/order1.b", nil)
	}, fixed(found{archive.Leftover, "pending/order1.a"}, found{archive.Leftover, "quiet/order1.b"}, found{archive.Leftover, "retry/order1.a"}), nil},
	{"unknown names of an order", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		put(t, b, "orders/order1/notes.txt", nil)
		put(t, b, "orders/order1/manifest.02.json", nil)
		put(t, b, "orders/order1/photo.jpg", nil)
		put(t, b, "orders/order1/deep/manifest.json", nil)
	}, fixed(found{archive.Unknown, "orders/order1/deep/manifest.json"}, found{archive.Unknown, "orders/order1/manifest.02.json"},
		found{archive.Unknown, "orders/order1/notes.txt"}, found{archive.Unknown, "orders/order1/photo.jpg"}), nil},
	{"unknown names of no order", func(t *testing.T, b bucket.Bucket, _ *archive.Archive, _ archive.Stored) {
		put(t, b, "orders/or_der/manifest.json", nil)
		put(t, b, "orders/lonely", nil)
		put(t, b, "journal/2026-11-23/notes.txt", nil)
	}, fixed(), []found{{archive.Unknown, "journal/2026-11-23/notes.txt"}, {archive.Unknown, "orders/lonely"}, {archive.Unknown, "orders/or_der/manifest.json"}}},
	{"nothing", func(*testing.T, bucket.Bucket, *archive.Archive, archive.Stored) {}, fixed(), nil},
}

func TestVerifyFindsDamage(t *testing.T) {
	for _, d := range damages {
		t.Run(strings.ReplaceAll(d.name, " ", "-"), func(t *testing.T) {
			onStores(t, d.check)
		})
	}
}

func (d damaged) check(t *testing.T, b bucket.Bucket) {
	a := archive.New(b)
	for _, o := range []archive.Order{"order0", "order11", "order2"} {
		archived(t, a, o)
	}
	s := archived(t, a, "order1")
	d.damage(t, b, a, s)
	before := keysOf(t, b, "")
	for given, want := range map[archive.Order][]found{"order1": d.want(s), "": slices.Concat(d.want(s), d.always), "order2": {}} {
		var orders []archive.Order
		if given != "" {
			orders = append(orders, given)
		}
		got := []found{}
		_, err := a.Verify(t.Context(), func(damage archive.Damage) {
			got = append(got, found{damage.Kind, damage.Key})
			if damage.What == "" || damage.Order != "order1" && damage.Kind != archive.Unknown {
				t.Errorf("%+v", damage)
			}
		}, orders...)
		if err != nil {
			t.Fatal(err)
		}
		shortened(got, want)
		slices.SortFunc(got, compare)
		slices.SortFunc(want, compare)
		if diff := cmp.Diff(want, got, equateEmpty); diff != "" {
			t.Errorf("order given: %q, -want +got:\n%s", given, diff)
		}
	}
	if diff := cmp.Diff(before, keysOf(t, b, "")); diff != "" {
		t.Errorf("verify changed the archive: %s", diff)
	}
}

// shortened cuts what was found to a wanted key that ends in a dot, where a digest would follow.
func shortened(got, want []found) {
	for i, g := range got {
		for _, w := range want {
			if strings.HasSuffix(w.Key, ".") && strings.HasPrefix(g.Key, w.Key) {
				got[i].Key = w.Key
			}
		}
	}
}

func compare(a, b found) int { return strings.Compare(a.Kind+a.Key, b.Kind+b.Key) }

var equateEmpty = cmp.Transformer("nil", func(f []found) map[found]int {
	m := make(map[found]int)
	for _, x := range f {
		m[x]++
	}
	return m
})

// TestVerifyCounts: what was read is summed up, and orders of which the archive knows nothing are no damage of it.
func TestVerifyCounts(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		s := archived(t, a, "order1")
		archived(t, a, "order2")
		var bytes int64
		for _, f := range s.Files {
			bytes += f.Size
		}
		alarm := func(d archive.Damage) { t.Errorf("%+v", d) }
		sum, err := a.Verify(t.Context(), alarm, "order1", "unknown")
		if want := (archive.Checked{Orders: 2, Files: 3, Bytes: bytes}); err != nil || sum != want {
			t.Errorf("%+v, %v; want %+v", sum, err, want)
		}
		sum, err = a.Verify(t.Context(), alarm)
		if want := (archive.Checked{Orders: 2, Files: 6, Bytes: 2 * bytes}); err != nil || sum != want {
			t.Errorf("all: %+v, %v; want %+v", sum, err, want)
		}
	})
}

// TestVerifyLetsWaitingOrdersBe: an order with a marker has evidence without a manifest until its steps end.
func TestVerifyLetsWaitingOrdersBe(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		put(t, b, "pending/order1.a", nil)
		keep(t, a, "order1", archive.Photo, "jpg", []byte("photo"))
		commit(t, a, 1, archive.Manifest{Order: "order2", State: archive.Partial, Missing: []string{"photo", "video"}})
		put(t, b, "pending/order2.a", nil) // opened again
		put(t, b, "retry/order2.a", nil)
		for _, orders := range [][]archive.Order{nil, {"order1"}, {"order2"}} {
			if _, err := a.Verify(t.Context(), func(d archive.Damage) { t.Errorf("%+v", d) }, orders...); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestMendable(t *testing.T) {
	for kind, want := range map[string]bool{
		archive.Missing: false, archive.Changed: false, archive.BadManifest: false, archive.NoManifest: false, archive.Unknown: false, archive.Locked: false,
		archive.Unnamed: true, archive.Unjournaled: true, archive.Leftover: true,
	} {
		if got := (archive.Damage{Kind: kind}).Mendable(); got != want {
			t.Errorf("%s is mendable: %t", kind, got)
		}
	}
}

func TestOrders(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		a := archive.New(b)
		for _, o := range []archive.Order{"order2", "order11", "Order1", "order1"} {
			archived(t, a, o)
		}
		put(t, b, "orders/or_der/manifest.json", nil)
		put(t, b, "orders/lonely", nil)
		var got []archive.Order
		for o, err := range a.Orders(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, o)
		}
		if diff := cmp.Diff([]archive.Order{"Order1", "order1", "order11", "order2"}, got); diff != "" {
			t.Error(diff)
		}
		for o, err := range a.Orders(t.Context()) {
			if o != "Order1" || err != nil {
				t.Errorf("%s, %v", o, err)
			}
			break // a caller may stop
		}
	})
}
