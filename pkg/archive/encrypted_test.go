package archive_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// pair is a key pair of the tests.
type pair struct {
	to   agekey.Recipients
	open agekey.Identities
}

func newPair(t *testing.T) pair {
	t.Helper()
	p, err := agekey.NewPair(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	to, err := agekey.ParseRecipients(p.Public)
	if err != nil {
		t.Fatal(err)
	}
	open, err := agekey.ParseIdentities(p.File)
	if err != nil {
		t.Fatal(err)
	}
	return pair{to, open}
}

func (p pair) encrypt(t *testing.T, plain []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := p.to.Encrypt(&file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func plainOf(data []byte) archive.Plain {
	return archive.Plain{Size: int64(len(data)), Digest: digestOf(data)}
}

// keep stores a file encrypted, as a step does.
func (p pair) keep(t *testing.T, a *archive.Archive, o archive.Order, kind archive.Kind, ext string, data []byte) archive.File {
	t.Helper()
	e, err := a.KeepEncrypted(t.Context(), o, kind, ext, plainOf(data), bucket.Bytes(p.encrypt(t, data), ""))
	if err != nil {
		t.Fatal(err)
	}
	return archive.File{Name: e.File(), Kind: kind, Size: e.Plain, SHA256: e.Digest, Stored: e.StoredAs()}
}

// archived makes a whole order whose files are encrypted.
func (p pair) archived(t *testing.T, a *archive.Archive, o archive.Order) archive.Stored {
	t.Helper()
	return commit(t, a, 1, archive.Manifest{
		Order: o, AppID: "IDAXXXXX", State: archive.Archived, Result: archive.Verdict{Code: "0"}, FirstSeen: epoch, ArchivedAt: epoch, Attempts: 1,
		Files: []archive.File{
			p.keep(t, a, o, archive.Photo, "jpg", []byte("photo of "+o)),
			p.keep(t, a, o, archive.Video, "mp4", bytes.Repeat([]byte("video of "+o), 10_000)),
			p.keep(t, a, o, archive.Result, "json", []byte(`{"code":"0","orderNo":"`+string(o)+`"}`)),
		},
	})
}

// TestKeepEncryptedTwice: of many who encrypt the same bytes one wins, and each learns what the winner stored.
func TestKeepEncryptedTwice(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		p, retained := newPair(t), &spy{Bucket: b, retained: make(map[string]bool)}
		plain := bytes.Repeat([]byte("video"), 50_000)
		first := p.keep(t, archive.New(retained), "order1", archive.Video, "mp4", plain)
		if first.Name != "video."+digestOf(plain)+".mp4.age" || first.Size != int64(len(plain)) || !retained.retained["orders/order1/"+first.Name] {
			t.Errorf("%+v", first)
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if diff := cmp.Diff(first, p.keep(t, archive.New(b), "order1", archive.Video, "mp4", plain)); diff != "" {
					t.Errorf("-first +later:\n%s", diff)
				}
			})
		}
		wg.Wait()
		if got := (archive.StoredAs{Size: int64(len(get(t, b, "orders/order1/"+first.Name))), SHA256: digestOf(get(t, b, "orders/order1/"+first.Name))}); got != *first.Stored {
			t.Errorf("stored is %+v, and it was said to be %+v", got, first.Stored)
		}
		listed, err := archive.New(b).ListEvidence(t.Context(), "order1")
		if err != nil || len(listed) != 1 || !listed[0].Encrypted() || listed[0].PlainExt() != "mp4" {
			t.Fatalf("%+v, %v", listed, err)
		}
		e, err := archive.New(b).Check(t.Context(), "order1", listed[0])
		if err != nil || e.Plain != first.Size || *e.StoredAs() != *first.Stored {
			t.Errorf("checked: %+v, %v", e, err)
		}
	})
}

// TestEncryptedIsNeverOverwritten: what lies there and can not be these bytes encrypted is damage, not success.
func TestEncryptedIsNeverOverwritten(t *testing.T) {
	p, plain := newPair(t), []byte("photo")
	for name, there := range map[string][]byte{
		"plain": plain, "empty": nil, "a byte more": p.encrypt(t, []byte("photo!")), "cut in the header": p.encrypt(t, plain)[:80],
		"cut in the ciphertext": p.encrypt(t, plain)[:len(p.encrypt(t, plain))-3],
	} {
		onStores(t, func(t *testing.T, b bucket.Bucket) {
			key := archive.FileKey("order1", archive.FileName(archive.Photo, digestOf(plain), "jpg.age"))
			put(t, b, key, there)
			_, err := archive.New(b).KeepEncrypted(t.Context(), "order1", archive.Photo, "jpg", plainOf(plain), bucket.Bytes(p.encrypt(t, plain), ""))
			if !errors.Is(err, archive.ErrDamaged) {
				t.Errorf("%s: %v, want ErrDamaged", name, err)
			}
			if !bytes.Equal(get(t, b, key), there) {
				t.Errorf("%s: overwritten", name)
			}
		})
	}
}

// TestVerifyEncrypted: damage to ciphertext is found and named without a key, and what only a key can tell, with one.
func TestVerifyEncrypted(t *testing.T) {
	p, other := newPair(t), newPair(t)
	type finding struct{ Kind, How, Key, From string }
	for name, test := range map[string]struct {
		damage        func(t *testing.T, b bucket.Bucket, one, two archive.Stored)
		without, with func(one, two archive.Stored) []finding
	}{
		"nothing": {damage: func(*testing.T, bucket.Bucket, archive.Stored, archive.Stored) {}},
		"a bit of the ciphertext": {damage: func(t *testing.T, b bucket.Bucket, one, _ archive.Stored) {
			data := get(t, b, key(one, 1))
			data[len(data)/2] ^= 1
			put(t, b, key(one, 1), data)
		}, without: func(one, _ archive.Stored) []finding {
			return []finding{{archive.Changed, archive.Altered, key(one, 1), ""}}
		}},
		"a bit of the header": {damage: func(t *testing.T, b bucket.Bucket, one, _ archive.Stored) {
			data := get(t, b, key(one, 0))
			data[30] ^= 1
			put(t, b, key(one, 0), data)
		}, without: func(one, _ archive.Stored) []finding {
			return []finding{{archive.Changed, archive.Altered, key(one, 0), ""}}
		}},
		"cut": {damage: func(t *testing.T, b bucket.Bucket, one, _ archive.Stored) {
			data := get(t, b, key(one, 1))
			put(t, b, key(one, 1), data[:len(data)-10])
		}, without: func(one, _ archive.Stored) []finding {
			return []finding{{archive.Changed, archive.Truncated, key(one, 1), ""}}
		}},
		"longer": {damage: func(t *testing.T, b bucket.Bucket, one, _ archive.Stored) {
			put(t, b, key(one, 1), append(get(t, b, key(one, 1)), 0))
		}, without: func(one, _ archive.Stored) []finding {
			return []finding{{archive.Changed, archive.Extended, key(one, 1), ""}}
		}},
		"gone": {damage: func(t *testing.T, b bucket.Bucket, one, _ archive.Stored) { remove(t, b, key(one, 2)) },
			without: func(one, _ archive.Stored) []finding { return []finding{{archive.Missing, "", key(one, 2), ""}} }},
		"two orders' photos changed places": {damage: func(t *testing.T, b bucket.Bucket, one, two archive.Stored) {
			a := get(t, b, key(one, 0))
			put(t, b, key(one, 0), get(t, b, key(two, 0)))
			put(t, b, key(two, 0), a)
		}, without: func(one, two archive.Stored) []finding {
			return []finding{{archive.Changed, archive.Swapped, key(one, 0), key(two, 0)}, {archive.Changed, archive.Swapped, key(two, 0), key(one, 0)}}
		}},
		"encrypted to another key": {damage: func(t *testing.T, b bucket.Bucket, one, _ archive.Stored) {
			next(t, archive.New(b), 2, one, func(m *archive.Manifest) {
				m.Files = append(m.Files, other.keep(t, archive.New(b), one.Order, archive.Photo, "png", []byte("later")))
			})
		}, with: func(one, _ archive.Stored) []finding {
			return []finding{{archive.Locked, "", archive.FileKey(one.Order, archive.FileName(archive.Photo, digestOf([]byte("later")), "png.age")), ""}}
		}},
		"never what its name says": {damage: func(t *testing.T, b bucket.Bucket, one, _ archive.Stored) {
			e, err := archive.New(b).KeepEncrypted(t.Context(), one.Order, archive.Photo, "png", plainOf([]byte("right")), bucket.Bytes(p.encrypt(t, []byte("wrong")), ""))
			if err != nil {
				t.Fatal(err)
			}
			next(t, archive.New(b), 2, one, func(m *archive.Manifest) {
				m.Files = append(m.Files, archive.File{Name: e.File(), Kind: e.Kind, Size: e.Plain, SHA256: e.Digest, Stored: e.StoredAs()})
			})
		}, with: func(one, _ archive.Stored) []finding {
			return []finding{{archive.Changed, archive.Forged, archive.FileKey(one.Order, archive.FileName(archive.Photo, digestOf([]byte("right")), "png.age")), ""}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			onStores(t, func(t *testing.T, b bucket.Bucket) {
				a := archive.New(b)
				one, two := p.archived(t, a, "order1"), p.archived(t, a, "order2")
				test.damage(t, b, one, two)
				for _, keys := range []agekey.Identities{nil, p.open} {
					var want []finding
					if test.without != nil {
						want = test.without(one, two)
					} else if test.with != nil && keys != nil {
						want = test.with(one, two)
					}
					var got []finding
					_, err := a.VerifyWith(t.Context(), func(d archive.Damage) {
						got = append(got, finding{d.Kind, d.How, d.Key, d.From})
					}, archive.VerifyOptions{Keys: keys})
					if diff := cmp.Diff(want, got); err != nil || diff != "" {
						t.Errorf("with a key %t: %v, -want +got:\n%s", keys != nil, err, diff)
					}
				}
			})
		})
	}
}

// TestVerifyUnnamedEncrypted: evidence that no manifest names yet is looked at too.
func TestVerifyUnnamedEncrypted(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		p, a := newPair(t), archive.New(b)
		f := p.keep(t, a, "order1", archive.Photo, "jpg", []byte("photo"))
		kinds := func() (kinds []string) {
			if _, err := a.Verify(t.Context(), func(d archive.Damage) { kinds = append(kinds, d.Kind) }); err != nil {
				t.Fatal(err)
			}
			return kinds
		}
		if diff := cmp.Diff([]string{archive.Unnamed}, kinds()); diff != "" {
			t.Error(diff)
		}
		put(t, b, "orders/order1/"+f.Name, []byte("no file of age"))
		if diff := cmp.Diff([]string{archive.Unnamed, archive.Changed}, kinds()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestReadOpenNote: what stands in the open before an encrypted file.
func TestReadOpenNote(t *testing.T) {
	onStores(t, func(t *testing.T, b bucket.Bucket) {
		p, a := newPair(t), archive.New(b)
		f := p.keep(t, a, "order1", archive.Result, "json", []byte("{}"))
		if note, err := a.ReadOpenNote(t.Context(), "order1", f.Name); err != nil || note != nil {
			t.Errorf("%q, %v", note, err)
		}
		put(t, b, "orders/order1/"+f.Name, []byte("{}"))
		if _, err := a.ReadOpenNote(t.Context(), "order1", f.Name); !errors.Is(err, archive.ErrDamaged) {
			t.Errorf("%v, want ErrDamaged", err)
		}
		if _, err := a.ReadOpenNote(t.Context(), "order2", f.Name); !errors.Is(err, bucket.ErrNotFound) {
			t.Errorf("%v, want ErrNotFound", err)
		}
	})
}
