package seal_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// commit archives an order whole: a photo, a video, a manifest, a journal entry.
func (v *vault) commit(order string, at time.Time) archive.Stored {
	v.t.Helper()
	v.now = at
	m := archive.Manifest{Order: archive.Order(order), AppID: "IDAXXXXX", State: archive.Archived, ArchivedAt: at, FirstSeen: at}
	for kind, ext := range map[archive.Kind]string{archive.Photo: "jpg", archive.Video: "mp4"} {
		e, err := v.KeepEvidence(v.t.Context(), m.Order, kind, ext, bucket.Bytes([]byte(string(kind)+" of "+order), ""))
		if err != nil {
			v.t.Fatal(err)
		}
		m.Files = append(m.Files, archive.File{Name: e.File(), Kind: kind, Size: e.Size, SHA256: e.Digest})
	}
	archive.SortFiles(m.Files)
	s, err := v.CreateManifest(v.t.Context(), 1, m)
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.Journal(v.t.Context(), s); err != nil {
		v.t.Fatal(err)
	}
	return s
}

// stampAt is an authority of which only the test knows: its token is a time and a digest.
func (v *vault) stampAt() stamper {
	return func(signed []byte) ([]byte, error) {
		sum := sha256.Sum256(signed)
		return []byte(v.now.Format(time.RFC3339) + " " + hex.EncodeToString(sum[:])), nil
	}
}

func checkStamp(signed, token []byte) (time.Time, error) {
	at, digest, _ := strings.Cut(string(token), " ")
	sum := sha256.Sum256(signed)
	t, err := time.Parse(time.RFC3339, at)
	if err != nil || digest != hex.EncodeToString(sum[:]) {
		return t, errors.New("of other bytes")
	}
	return t, nil
}

// sealedVault has orders of three days, all sealed and stamped; it is looked at an hour after the last seal.
func sealedVault(t *testing.T) *vault {
	v := newVault(t, monday)
	s := v.sealer(24 * time.Hour)
	s.Stamper = v.stampAt()
	for day := range 3 {
		start := monday.AddDate(0, 0, day)
		for i := range 3 {
			v.commit(fmt.Sprintf("order%d%d", day, i), start.Add(time.Duration(5+i)*time.Hour))
		}
		v.pass(s, start.Add(24*time.Hour+30*time.Minute))
	}
	v.now = v.now.Add(time.Hour)
	return v
}

// verify checks all, as kycvault verify does.
func (v *vault) verify(change func(o *seal.VerifyOptions)) (found []archive.Damage, sum seal.Sealed) {
	v.t.Helper()
	tell := func(d archive.Damage) { found = append(found, d) }
	o := seal.VerifyOptions{Keys: []seal.PublicKey{public(v.t, key(v.t))}, Grace: 30 * time.Minute, CheckToken: checkStamp, Stamped: true}
	if change != nil {
		change(&o)
	}
	if _, err := v.Verify(v.t.Context(), tell); err != nil {
		v.t.Fatal(err)
	}
	sum, err := seal.Verify(v.t.Context(), v.Archive, tell, o)
	if err != nil {
		v.t.Fatal(err)
	}
	return found, sum
}

func (v *vault) get(key string) []byte {
	v.t.Helper()
	r, _, err := v.mem.Get(v.t.Context(), key)
	if err != nil {
		v.t.Fatal(err)
	}
	data, _ := io.ReadAll(r)
	return data
}

func (v *vault) put(key string, data []byte) {
	v.t.Helper()
	if err := v.mem.Put(v.t.Context(), key, bucket.Bytes(data, "")); err != nil {
		v.t.Fatal(err)
	}
}

// names tells whether the damage is about the key: by the key itself, or by the order that it belongs to.
func names(found []archive.Damage, key string) bool {
	for _, d := range found {
		if d.Key == key || d.Key == key+"2" || d.Order != "" && strings.Contains(key, string(d.Order)) || d.From == key ||
			strings.HasPrefix(key, "seals/") && strings.HasPrefix(d.Key, key[:len("seals/20261123T000000Z/")]) {
			return true
		}
	}
	return false
}

func TestVerifyFindsNothingInAGoodVault(t *testing.T) {
	v := sealedVault(t)
	found, sum := v.verify(nil)
	if len(found) > 0 || sum.Seals != 3 || sum.Leaves != 9 || sum.Stamps != 3 || !sum.Until.Equal(monday.AddDate(0, 0, 3)) {
		t.Errorf("%+v, %+v", sum, found)
	}
	v.commit("fresh", v.now) // of a window that is not over
	if found, _ := v.verify(nil); len(found) > 0 {
		t.Errorf("a fresh order: %+v", found)
	}
	if found, sum := v.verify(func(o *seal.VerifyOptions) { o.Orders = []archive.Order{"order11"} }); len(found) > 0 || sum.Leaves != 3 {
		t.Errorf("one order: %+v, %+v", sum, found)
	}
	if found, sum := v.verify(func(o *seal.VerifyOptions) { o.From, o.To = monday.AddDate(0, 0, 1), monday.AddDate(0, 0, 2) }); len(found) > 0 || sum.Leaves != 3 || sum.Seals != 3 {
		t.Errorf("one day: %+v, %+v", sum, found)
	}
}

// TestAnyOneFile removes, changes, swaps and adds each object of a vault: each is found, and named.
func TestAnyOneFile(t *testing.T) {
	v := sealedVault(t)
	objects := v.mem.Objects()
	if len(objects) != 9*4+3*3 {
		t.Fatalf("%d objects", len(objects))
	}
	play := func(what, key string, damage func(v *vault)) {
		t.Helper()
		clone := &vault{t: t, now: v.now, mem: v.mem.Clone()}
		clone.Archive = archive.New(clone.mem)
		damage(clone)
		if found, _ := clone.verify(nil); !names(found, key) {
			t.Errorf("%s %s: %+v", what, key, found)
		}
	}
	for i, o := range objects {
		play("remove", o.Key, func(v *vault) { _ = v.mem.Delete(t.Context(), o.Key) })
		play("add beside", o.Key, func(v *vault) { v.put(o.Key+"2", v.get(o.Key)) })
		if o.Size == 0 {
			continue // a journal entry is its name
		}
		play("change", o.Key, func(v *vault) {
			data := v.get(o.Key)
			data[len(data)/2] ^= 1
			v.put(o.Key, data)
		})
		play("cut", o.Key, func(v *vault) { v.put(o.Key, v.get(o.Key)[:o.Size-1]) })
		for _, other := range objects[i+1:] {
			if other.Size > 0 {
				play("swap with "+other.Key, o.Key, func(v *vault) {
					a, b := bytes.Clone(v.get(o.Key)), bytes.Clone(v.get(other.Key))
					v.put(o.Key, b)
					v.put(other.Key, a)
				})
			}
		}
	}
}

// TestWholeOrders: an order that is removed, changed or slipped in with all that belongs to it fits together, and only seals show it.
func TestWholeOrders(t *testing.T) {
	for name, test := range map[string]struct {
		damage      func(v *vault)
		kind, order string
	}{
		"removed": {func(v *vault) { v.removeOrder("order11") }, seal.Removed, "order11"},
		"changed": {func(v *vault) {
			v.removeOrder("order11")
			now := v.now
			v.commit("order11", monday.AddDate(0, 0, 1).Add(7*time.Hour))
			v.now = now
		}, seal.Removed, "order11"},
		"slipped in": {func(v *vault) {
			now := v.now
			v.commit("forged", monday.Add(time.Hour))
			v.now = now
		}, seal.Unsealed, "forged"},
		"before the first": {func(v *vault) {
			now := v.now
			v.commit("forged", monday.AddDate(0, 0, -9))
			v.now = now
		}, seal.Unsealed, "forged"},
	} {
		v := sealedVault(t)
		test.damage(v)
		for way, change := range map[string]func(o *seal.VerifyOptions){"all": nil, "alone": func(o *seal.VerifyOptions) { o.Orders = []archive.Order{archive.Order(test.order)} }} {
			found, _ := v.verify(change)
			good := false
			for _, d := range found {
				good = good || d.Kind == test.kind && string(d.Order) == test.order
			}
			if !good {
				t.Errorf("%s, %s: %+v", name, way, found)
			}
		}
	}
}

// removeOrder removes all that there is of an order, but for the seals.
func (v *vault) removeOrder(order string) {
	for _, o := range v.mem.Objects() {
		if strings.Contains(o.Key, order) {
			_ = v.mem.Delete(v.t.Context(), o.Key)
		}
	}
}

// removeSeals removes the seals from a time on.
func (v *vault) removeSeals(from time.Time) {
	for _, o := range v.mem.Objects() {
		if strings.HasPrefix(o.Key, "seals/") && o.Key >= archive.SealKey(from, "") {
			_ = v.mem.Delete(v.t.Context(), o.Key)
		}
	}
}

// TestRewrittenHistory: an order is removed, and all seals from its window on are made anew.
func TestRewrittenHistory(t *testing.T) {
	tuesday := monday.AddDate(0, 0, 1)
	rewrite := func(v *vault, s *seal.Sealer) {
		v.removeOrder("order11")
		v.removeSeals(tuesday)
		if _, err := s.Pass(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	other, _, err := seal.NewKey("test.example/vault")
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := seal.ParseKey(other)
	if err != nil {
		t.Fatal(err)
	}

	v := sealedVault(t)
	s := v.sealer(24 * time.Hour)
	s.Key, s.Former = otherKey, []seal.PublicKey{public(t, key(t))}
	rewrite(v, s)
	if found, _ := v.verify(nil); !names(found, archive.SealKey(tuesday, archive.SealCheckpoint)) || found[0].Kind != seal.BadSeal {
		t.Errorf("with another key: %+v", found)
	}

	v = sealedVault(t)
	kept := seal.Digest(v.get(archive.SealKey(monday.AddDate(0, 0, 2), archive.SealCheckpoint)))
	s = v.sealer(24 * time.Hour)
	rewrite(v, s) // no authority is asked
	found, _ := v.verify(nil)
	if len(found) != 2 || found[0].Kind != seal.BadTimestamp || !names(found, archive.SealKey(tuesday, "")) {
		t.Errorf("with the key, without timestamps: %+v", found)
	}
	known := func(o *seal.VerifyOptions) { o.Known = []string{kept} }
	if found, _ := v.verify(known); len(found) != 3 {
		t.Errorf("against a checkpoint that was kept: %+v", found)
	}
	if found, _ := sealedVault(t).verify(known); len(found) != 0 {
		t.Errorf("the checkpoint that was kept is not in a good vault: %+v", found)
	}

	v = sealedVault(t)
	whole := v.now
	_, before := v.verify(nil)
	s = v.sealer(24 * time.Hour)
	s.Stamper = v.stampAt()
	v.removeSeals(monday)
	rewrite(v, s) // which an honest sealer does too, for whoever removes all seals
	_, sum := v.verify(nil)
	if !sum.FirstStamp.Equal(whole) || !before.FirstStamp.Equal(monday.Add(24*time.Hour+30*time.Minute)) || time.Duration(before.Slowest) != 30*time.Minute {
		t.Errorf("from the first seal on: the first timestamp is of %s, slowest %v; before of %s, slowest %v", sum.FirstStamp, sum.Slowest, before.FirstStamp, before.Slowest)
	}

	v = sealedVault(t)
	v.now = monday.AddDate(0, 1, 0)
	s = v.sealer(24 * time.Hour)
	s.Stamper = v.stampAt()
	rewrite(v, s)
	if found, _ := v.verify(nil); !names(found, archive.SealKey(tuesday, "")) || found[0].Kind != seal.BadTimestamp {
		t.Errorf("with the key and the authority, a month later: %+v", found)
	}
}

// TestSealsThatEnd: sealing has stopped, or the last seals were removed whole.
func TestSealsThatEnd(t *testing.T) {
	v := sealedVault(t)
	v.removeSeals(monday.AddDate(0, 0, 2))
	found, _ := v.verify(nil)
	if len(found) != 4 || !names(found, archive.SealKey(monday.AddDate(0, 0, 2), "")) || !names(found, "order20") {
		t.Errorf("%+v", found)
	}
	v.removeSeals(monday)
	if found, sum := v.verify(nil); len(found) != 9 || found[0].Kind != seal.Unsealed || sum.Seals != 0 {
		t.Errorf("no seal at all: %+v", found)
	}
}

// TestVerifyWithALongerPeriod: after KYC_SEAL_EVERY was made longer, the next window is not missed before it is over; then it is.
func TestVerifyWithALongerPeriod(t *testing.T) {
	v := sealedVault(t)
	end := monday.AddDate(0, 0, 3)
	v.commit("fresh", end.Add(time.Hour))
	for days, want := range map[int]int{2: 0, 4: 2} { // the seal, and its order
		v.now = end.AddDate(0, 0, days)
		if found, _ := v.verify(func(o *seal.VerifyOptions) { o.Every = 3 * 24 * time.Hour }); len(found) != want {
			t.Errorf("after %d days: %+v", days, found)
		}
		if found, _ := v.verify(func(o *seal.VerifyOptions) { o.Every = time.Hour }); len(found) != 2 {
			t.Errorf("after %d days, with a shorter one: %+v", days, found)
		}
	}
}

// TestHugeObjects: one that is far too large is named, takes no memory, and hides nothing that is wrong elsewhere.
func TestHugeObjects(t *testing.T) {
	for object, kind := range map[string]string{archive.SealLeaves: seal.BadSeal, archive.SealCheckpoint: seal.BadSeal, archive.SealToken: seal.BadTimestamp} {
		v := sealedVault(t)
		huge := archive.SealKey(monday, object)
		var text bytes.Buffer
		for i := range 30_000 {
			fmt.Fprintf(&text, "A%08d %064d\n", i, i)
		}
		v.put(huge, text.Bytes())
		v.removeOrder("order20")
		found, _ := v.verify(nil)
		var kinds []string
		for _, d := range found {
			kinds = append(kinds, d.Kind+" "+string(d.Order)+d.Key)
		}
		if all := strings.Join(kinds, "\n"); !strings.Contains(all, kind+" "+huge) || !strings.Contains(all, seal.Removed+" order20") {
			t.Errorf("%s: %s", object, all)
		}
		if object == archive.SealLeaves && !strings.Contains(found[0].What, "more leaves than were signed") {
			t.Errorf("read to the end: %s", found[0].What)
		}
	}
}

// TestOtherBytesOfTheLastCheckpoint: nothing follows the last one, and without a timestamp nothing else has its digest: bytes that
// would mean the same are refused all the same.
func TestOtherBytesOfTheLastCheckpoint(t *testing.T) {
	for name, change := range map[string]func(signed string) string{
		"bits that Base64 leaves over": otherBits,
		"a carriage return":            func(s string) string { return s[:len(s)-9] + "\r" + s[len(s)-9:] },
		"a signature of another":       func(s string) string { return s + "— evil.example " + strings.Repeat("A", 92) + "\n" },
		"the signature twice":          func(s string) string { return s + s[strings.Index(s, "— "):] },
	} {
		v := newVault(t, monday)
		v.commit("a", monday)
		v.pass(v.sealer(24*time.Hour), monday.Add(25*time.Hour))
		last := archive.SealKey(monday, archive.SealCheckpoint)
		v.put(last, []byte(change(string(v.get(last)))))
		for way, keys := range map[string][]seal.PublicKey{"with a key": {public(t, key(t))}, "without": nil} {
			if found, _ := v.verify(func(o *seal.VerifyOptions) { o.Keys = keys }); !names(found, last) {
				t.Errorf("%s, %s: %q: %+v", name, way, v.get(last), found)
			}
		}
	}
}

// otherBits changes the last of Base64's bits, which 68 bytes do not need.
func otherBits(s string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	at := len(s) - len("?=\n")
	return s[:at] + string(letters[strings.IndexByte(letters, s[at])^1]) + s[at+1:]
}

// TestKeysAreOptional: without a key the chain is still checked.
func TestKeysAreOptional(t *testing.T) {
	v := sealedVault(t)
	without := func(o *seal.VerifyOptions) { o.Keys = nil }
	if found, _ := v.verify(without); len(found) != 0 {
		t.Errorf("%+v", found)
	}
	v.removeSeals(monday.AddDate(0, 0, 1))
	v.now = monday.AddDate(0, 0, 2).Add(time.Hour)
	if found, _ := v.verify(without); len(found) == 0 {
		t.Error("nothing is found without a key")
	}
}
