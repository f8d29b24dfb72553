package seal_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/seal"
)

// goodText is a checkpoint that has a value in each place.
const goodText = `test.example/vault
10
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
kycvault-seal 1
window 20261124T000000Z 20261125T000000Z
previous 20261123T000000Z 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
late 10
timestamp wanted
`

// TestCheckpointTexts: what is signed is read only as it would be written, and with values that can be.
func TestCheckpointTexts(t *testing.T) {
	const previous = "previous 20261123T000000Z 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	keys := []seal.PublicKey{public(t, key(t))}
	for _, c := range []struct {
		from, to string
		want     error
	}{
		{"", "", nil},
		{"\n10\n", "\n9223372036854775807\n", nil},
		{"\n10\n", "\n9223372036854775808\n", seal.ErrFormat},
		{"\n10\n", "\n010\n", seal.ErrFormat},
		{"\n10\n", "\n+10\n", seal.ErrFormat},
		{"\n10\n", "\n9\n", seal.ErrFormat}, // more are late than there are
		{"\n10\n", "\n-1\n", seal.ErrFormat},
		{"AAA=", "AAB=", seal.ErrFormat}, // the same bytes, in Base64 that nobody writes
		{"AAA=", "AA==", seal.ErrFormat},
		{"AAA=", "", seal.ErrFormat},
		{"kycvault-seal 1", "kycvault-seal 0", seal.ErrFormat},
		{"kycvault-seal 1", "kycvault-seal 01", seal.ErrFormat},
		{"kycvault-seal 1", "kycvault-seal 2", archive.ErrNewer},
		{"kycvault-seal 1", "kycvault-seal 2\nmore", archive.ErrNewer},
		{"kycvault-seal 1", "kycvault-seal two", seal.ErrFormat},
		{"kycvault-seal 1", "another-seal 2", seal.ErrFormat},
		{"kycvault-seal 1", "2", seal.ErrFormat},
		{"window 2026", "window 2027", seal.ErrFormat},
		{"20261125T000000Z", "20261124T000000Z", seal.ErrFormat},
		{"20261125T000000Z", "20261124T000001Z", nil},
		{"20261125T000000Z", "20261123T235959Z", seal.ErrFormat},
		{"20261125T000000Z", "20261125", seal.ErrFormat},
		{"20261125T000000Z", "20261125T000000Z ", seal.ErrFormat},
		{"window 20261124T000000Z ", "window ", seal.ErrFormat},
		{previous, "previous none", nil},
		{previous, "previous nothing", seal.ErrFormat},
		{previous, "previous 20261123T000000Z", seal.ErrFormat},
		{previous, "previous 20261123T000000Z ", seal.ErrFormat},
		{"previous 20261123T000000Z", "previous 20261124T000000Z", seal.ErrFormat},
		{"previous 20261123T000000Z", "previous 20261123T235959Z", nil},
		{"previous 20261123T000000Z", "previous", seal.ErrFormat},
		{"89abcdef\n", "89ABCDEF\n", seal.ErrFormat},
		{"89abcdef\n", "89abcde\n", seal.ErrFormat},
		{"89abcdef\n", "89abcdef0\n", seal.ErrFormat},
		{"late 10", "late 0", nil},
		{"late 10", "late 010", seal.ErrFormat},
		{"late 10", "late -1", seal.ErrFormat},
		{"late 10", "late ten", seal.ErrFormat},
		{"late 10", "10", seal.ErrFormat},
		{"timestamp wanted", "timestamp none", nil},
		{"timestamp wanted", "timestamp", seal.ErrFormat},
		{"timestamp wanted\n", "", seal.ErrFormat},
		{"timestamp wanted\n", "timestamp wanted\nmore\n", seal.ErrFormat},
		{"timestamp wanted\n", "timestamp wanted\n\n", seal.ErrFormat},
		{goodText, "test.example/vault\n", seal.ErrFormat},
		{goodText, "test.example/vault\n1\nAAAA\n", seal.ErrFormat},
		{goodText, "test.example/vault\n1\nAAAA\nkycvault-seal 2\n", archive.ErrNewer},
		{"test.example/vault", "two words", seal.ErrFormat},
		{"test.example/vault", "", seal.ErrFormat},
	} {
		signed, err := seal.SignText(key(t), strings.Replace(goodText, c.from, c.to, 1))
		if err != nil {
			t.Fatal(err)
		}
		for how, read := range map[string]func() (seal.Checkpoint, error){
			"Open": func() (seal.Checkpoint, error) { return seal.Open(signed, keys) }, "Peek": func() (seal.Checkpoint, error) { return seal.Peek(signed) },
		} {
			got, err := read()
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s with %q in place of %q: %v", how, c.to, c.from, err)
			}
			if err == nil && got.Text() != strings.Replace(goodText, c.from, c.to, 1) {
				t.Errorf("%s with %q: %+v", how, c.to, got)
			}
		}
	}
}

// TestSignNamesTheKey: the origin is the key's name, whatever the checkpoint says.
func TestSignNamesTheKey(t *testing.T) {
	signed, err := seal.Checkpoint{Origin: "other", Window: seal.Window{Start: monday, End: monday.Add(time.Hour)}}.Sign(key(t))
	if c, err2 := seal.Peek(signed); err != nil || err2 != nil || c.Origin != "test.example/vault" {
		t.Errorf("%+v, %v, %v", c, err, err2)
	}
}

// TestAnothersCheckpoint: who finds a checkpoint of the same key in the place of its own goes on from it only if it is about the same
// leaves and the same seal before.
func TestAnothersCheckpoint(t *testing.T) {
	leaves := []seal.Leaf{{Order: "b", Digest: digestOf("b")}}
	for name, c := range map[string]struct {
		change func(c *seal.Checkpoint)
		good   bool
	}{
		"the same":         {func(*seal.Checkpoint) {}, true},
		"wants a time":     {func(c *seal.Checkpoint) { c.Timestamp = true }, true},
		"another root":     {func(c *seal.Checkpoint) { c.Root[0] ^= 1 }, false},
		"another size":     {func(c *seal.Checkpoint) { c.Size++ }, false},
		"another previous": {func(c *seal.Checkpoint) { c.Previous = strings.Repeat("0", 64) }, false},
		"another window":   {func(c *seal.Checkpoint) { c.Window.Start = c.Window.Start.Add(time.Second) }, false},
	} {
		v := newVault(t, monday)
		v.archived("a", monday)
		v.pass(v.sealer(time.Hour), monday.Add(90*time.Minute))
		first, _, err := v.ReadSeal(t.Context(), monday, archive.SealCheckpoint)
		if err != nil {
			t.Fatal(err)
		}
		v.archived("b", monday.Add(100*time.Minute))
		start := monday.Add(time.Hour)
		other := seal.Checkpoint{Size: 1, Root: seal.TreeOf(leaves).Root(), Window: seal.Window{Start: start, End: start.Add(time.Hour)}, PreviousStart: monday, Previous: seal.Digest(first)}
		c.change(&other)
		signed, err := other.Sign(key(t))
		if err != nil {
			t.Fatal(err)
		}
		s := v.sealer(time.Hour)
		s.Archive = archive.New(hooked{v.mem, func(call, key string) (error, error) {
			if call == "create" && key == archive.SealKey(start, archive.SealCheckpoint) {
				return v.mem.Create(t.Context(), key, bucket.Bytes(signed, "")), nil
			}
			return nil, nil
		}})
		v.now = monday.Add(3 * time.Hour)
		if r, err := s.Pass(t.Context(), false); (err == nil) != c.good || err != nil && !errors.Is(err, archive.ErrDamaged) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
