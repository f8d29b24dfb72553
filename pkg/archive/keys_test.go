package archive

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// These tests stand in the package, since the parsers of keys are for this package alone.

var digest = strings.Repeat("0123456789abcdef", 4)

func TestMarkKeys(t *testing.T) {
	for _, m := range []Mark{{"a", "b"}, {"orderNo19959248596551", "0qep1f2g0jrb9dkvpsmm2u4l8c"}, {Order(strings.Repeat("Z", 32)), strings.Repeat("z", 64)}} {
		for prefix, key := range map[string]string{"pending/": m.PendingKey(), "retry/": m.RetryKey(), "quiet/": m.QuietKey(), "closed/": m.ClosedKey()} {
			tail, ok := strings.CutPrefix(key, prefix)
			if got, err := parseMark(tail); !ok || err != nil || got != m {
				t.Errorf("%s: %+v, %v", key, got, err)
			}
			if err := bucket.CheckKey(key); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	}
}

func TestParseMarkRefuses(t *testing.T) {
	for name, tail := range map[string]string{
		"empty": "", "no dot": "order", "no order": ".opening", "no opening": "order.", "two dots": "order.a.b", "dots only": "..",
		"slash": "order.a/b", "folder": "order/a.b", "blank": "order. a", "dash": "order.a-b", "umlaut": "order.ä", "upload": "order.a~",
		"33": strings.Repeat("9", 33) + ".a", "65": "order." + strings.Repeat("a", 65),
	} {
		if m, err := parseMark(tail); err == nil {
			t.Errorf("%s: %q is %+v", name, tail, m)
		}
	}
	if _, err := parseMark("or-der.a"); !errors.Is(err, ErrOrder) {
		t.Errorf("bad order number: %v, want ErrOrder", err)
	}
}

func TestCheckOpening(t *testing.T) {
	for s, good := range map[string]bool{
		"a": true, "0": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "": false,
		".": false, "a.b": false, "a/b": false, "ä": false, " ": false, "a\n": false, "a_b": false,
	} {
		if err := CheckOpening(s); (err == nil) != good {
			t.Errorf("%q: %v, want good %t", s, err, good)
		}
	}
}

func TestGenerationKeys(t *testing.T) {
	for _, n := range []int64{1, 9, 10, 999_999_999_999} {
		for _, key := range []string{TicketKey(n), LeaseKey(n)} {
			if got, ok := ParseGeneration(key); !ok || got != n {
				t.Errorf("%s: %d, %t; want %d", key, got, ok, n)
			}
		}
	}
	if TicketKey(9) >= TicketKey(10) || LeaseKey(99) >= LeaseKey(100) {
		t.Error("keys do not sort as their numbers")
	}
	for _, key := range []string{
		"", "system/ticket/", "system/ticket/1", "system/ticket/000000000000", "system/ticket/-00000000001", "system/ticket/+00000000001",
		"system/ticket/00000000000a", "system/ticket/0000000000001", "system/lease/ 00000000001", "system/other/000000000001",
		"ticket/000000000001", "system/ticket/000000000_01", "system/ticket/0x0000000001", "xsystem/ticket/000000000001",
		"system/ticket/system/lease/000000000001",
	} {
		if n, ok := ParseGeneration(key); ok {
			t.Errorf("%q is generation %d", key, n)
		}
	}
}

func TestManifestNames(t *testing.T) {
	for n, name := range map[int]string{1: "manifest.json", 2: "manifest.2.json", 10: "manifest.10.json", 2147483647: "manifest.2147483647.json"} {
		if got := ManifestName(n); got != name {
			t.Errorf("%d: %s, want %s", n, got, name)
		}
		if got, ok := parseManifestName(name); !ok || got != n {
			t.Errorf("%s: %d, %t", name, got, ok)
		}
	}
	for _, name := range []string{
		"", "manifest", "manifest.", "manifest..json", "manifest.0.json", "manifest.1.json", "manifest.-2.json", "manifest.+2.json",
		"manifest.02.json", "manifest.2.jso", "manifest.2.json ", "manifest.2", "Manifest.json", "manifest.2.3.json", "manifest.2e1.json",
		"manifest.99999999999999999999.json", "xmanifest.json",
	} {
		if n, ok := parseManifestName(name); ok {
			t.Errorf("%q is manifest %d", name, n)
		}
	}
}

func TestFileNames(t *testing.T) {
	for _, tc := range []struct {
		kind Kind
		ext  string
		odd  bool
	}{{Photo, "jpg", false}, {Photo, "png", false}, {Photo, "bin", true}, {Video, "mp4", false}, {Video, "bin", true}, {Result, "json", false},
		{Photo, "jpg.age", false}, {Photo, "bin.age", true}, {Video, "mp4.age", false}, {Result, "json.age", false}} {
		s := FileName(tc.kind, digest, tc.ext)
		n, ok := ParseFileName(s)
		if !ok || n != (Name{Kind: tc.kind, Digest: digest, Ext: tc.ext}) || n.Odd() != tc.odd || n.Encrypted() != strings.HasSuffix(tc.ext, ".age") {
			t.Errorf("%s: %+v, %t", s, n, ok)
		}
		if err := bucket.CheckKey(FileKey("order", s)); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for name, s := range map[string]string{
		"empty": "", "manifest": "manifest.json", "manifest 2": "manifest.2.json", "no digest": "photo..jpg", "short digest": "photo." + digest[1:] + ".jpg",
		"long digest": "photo.0" + digest + ".jpg", "upper case": "photo." + strings.ToUpper(digest) + ".jpg", "no hex": "photo.g" + digest[1:] + ".jpg",
		"photo as video": "photo." + digest + ".mp4", "result as bin": "result." + digest + ".bin", "video as jpg": "video." + digest + ".jpg",
		"unknown kind": "voice." + digest + ".bin", "kind in upper case": "Photo." + digest + ".jpg", "no kind": "." + digest + ".bin",
		"no extension": "photo." + digest, "empty extension": "photo." + digest + ".", "four parts": "photo." + digest + ".jpg.bak",
		"age alone": "photo." + digest + ".age", "twice": "photo." + digest + ".jpg.age.age", "before": "photo." + digest + ".age.jpg", "encrypted manifest": "manifest.json.age",
		"slash": "photo/" + digest + ".jpg", "below 0": "photo./" + digest[1:] + ".jpg", "above f": "photo.:" + digest[1:] + ".jpg",
	} {
		if n, ok := ParseFileName(s); ok || n != (Name{}) {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

func TestJournalKeys(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 5, 7, 999, time.UTC)
	key := JournalKey(at, "order1", digest)
	got, err := parseJournalKey(key)
	if want := (JournalEntry{At: at.Truncate(time.Second), Order: "order1", ManifestDigest: digest}); err != nil || got != want {
		t.Errorf("%s: %+v, %v", key, got, err)
	}
	if err := bucket.CheckKey(key); err != nil {
		t.Error(err)
	}
	for name, key := range map[string]string{
		"empty": "", "prefix": "journal/", "other prefix": "jornal/2026-11-23/090507.order1." + digest, "no prefix": "2026-11-23/090507.order1." + digest,
		"no such day": "journal/2026-02-30/090507.order1." + digest, "no such hour": "journal/2026-11-23/240507.order1." + digest,
		"short time": "journal/2026-11-23/90507.order1." + digest, "fraction": "journal/2026-11-23/090507,5.order1." + digest,
		"one more part": "journal/2026-11-23/090507.5.order1." + digest, "slashes": "journal/2026/11/23/090507.order1." + digest,
		"bad order": "journal/2026-11-23/090507.or-der." + digest, "no order": "journal/2026-11-23/090507.." + digest,
		"short digest": "journal/2026-11-23/090507.order1." + digest[1:], "no digest": "journal/2026-11-23/090507.order1.",
		"folder only": "journal/2026-11-23/", "upper case": "journal/2026-11-23/090507.order1." + strings.ToUpper(digest),
	} {
		if e, err := parseJournalKey(key); err == nil || e != (JournalEntry{}) {
			t.Errorf("%s: %q is %+v", name, key, e)
		}
	}
}

// FuzzKeys: what a parser takes, the maker makes again.
func FuzzKeys(f *testing.F) {
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := parseMark(s); err == nil && m.PendingKey() != "pending/"+s {
			t.Errorf("mark %q is made as %s", s, m.PendingKey())
		}
		if n, ok := ParseGeneration(s); ok && TicketKey(n) != s && LeaseKey(n) != s {
			t.Errorf("generation %q is made as %s", s, TicketKey(n))
		}
		if n, ok := parseManifestName(s); ok && ManifestName(n) != s {
			t.Errorf("manifest %q is made as %s", s, ManifestName(n))
		}
		if n, ok := ParseFileName(s); ok && FileName(n.Kind, n.Digest, n.Ext) != s {
			t.Errorf("file %q is made as %s", s, FileName(n.Kind, n.Digest, n.Ext))
		}
		if e, err := parseJournalKey(s); err == nil && JournalKey(e.At, e.Order, e.ManifestDigest) != s {
			t.Errorf("journal %q is made as %s", s, JournalKey(e.At, e.Order, e.ManifestDigest))
		}
	})
}

func TestSealKeys(t *testing.T) {
	start := time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)
	for _, object := range []string{SealLeaves, SealCheckpoint, SealToken} {
		key := SealKey(start, object)
		if got, what, err := parseSealKey(key); err != nil || !got.Equal(start) || what != object {
			t.Errorf("%s: %s, %s, %v", key, got, what, err)
		}
		if err := bucket.CheckKey(key); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	for _, key := range []string{
		"", "seals/", "seals/20261123T040506Z", "seals/20261123T040506Z/", "seals/20261123T040506Z/other", "seals/20261123T040506/leaves",
		"seals/20261323T040506Z/leaves", "seals/20261123T040506Z/leaves/leaves", "20261123T040506Z/leaves", "seals/20261123T040506,5Z/leaves",
	} {
		if _, _, err := parseSealKey(key); err == nil {
			t.Errorf("%q was taken for a seal's key", key)
		}
	}
}
