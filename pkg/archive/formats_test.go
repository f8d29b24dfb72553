package archive_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

// The files in testdata are what version 1 writes. A change that breaks one of these tests needs a new version, with
// vectors of its own beside the old ones: archives live longer than programs.

func vector(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// vectorManifest is testdata/manifest.v1.json.
var vectorManifest = archive.Manifest{
	Version: 1, Order: "orderNo19959248596551", AppID: "IDAXXXXX", State: archive.Partial,
	Result: archive.Verdict{Code: "0", Occurred: "20180810150152"},
	Files: []archive.File{
		{Name: "photo." + exampleDigest + ".jpg", Kind: archive.Photo, MediaType: "image/jpeg", Size: 66293, SHA256: exampleDigest},
		{Name: "photo." + exampleDigest + ".bin", Kind: archive.Photo, MediaType: "application/octet-stream", Size: 66301, SHA256: exampleDigest, Flag: "8 bytes after the end"},
		{Name: "result." + exampleDigest + ".json", Kind: archive.Result, MediaType: "application/json", Size: 212, SHA256: exampleDigest},
	},
	Missing: []string{"video"}, Previous: exampleDigest,
	FirstSeen: epoch, ArchivedAt: epoch.Add(72*time.Hour + 7*time.Millisecond), Attempts: 12,
	Source: "miniprogram-kyc.tencentcloudapi.com", Writer: "kycvault 0.1.0",
}

func TestManifestVector(t *testing.T) {
	want := vector(t, "manifest.v1.json")
	got, err := vectorManifest.Encode()
	if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
		t.Errorf("written: %v, -want +got:\n%s", err, diff)
	}
	m, err := archive.ParseManifest(want)
	if diff := cmp.Diff(vectorManifest, m); err != nil || diff != "" {
		t.Errorf("read: %v, -want +got:\n%s", err, diff)
	}
}

// encryptedManifest is testdata/manifest.v2.json: version 2 knows encrypted files.
var encryptedManifest = archive.Manifest{
	Version: 2, Order: "orderNo19959248596551", AppID: "IDAXXXXX", State: archive.Archived,
	Result: archive.Verdict{Code: "0", Occurred: "20180810150152"},
	Files: []archive.File{
		{Name: "photo." + exampleDigest + ".jpg.age", Kind: archive.Photo, MediaType: "image/jpeg", Size: 66293, SHA256: exampleDigest,
			Stored: &archive.StoredAs{Size: 66625, SHA256: strings.Repeat("0a", 32)}},
		{Name: "photo." + exampleDigest + ".bin.age", Kind: archive.Photo, MediaType: "application/octet-stream", Size: 66301, SHA256: exampleDigest,
			Flag: "looked odd when it was stored", Stored: &archive.StoredAs{Size: 66633, SHA256: strings.Repeat("0b", 32)}},
		{Name: "video." + exampleDigest + ".mp4", Kind: archive.Video, MediaType: "video/mp4", Size: 51253, SHA256: exampleDigest},
	},
	Missing: []string{}, FirstSeen: epoch, ArchivedAt: epoch.Add(7 * time.Millisecond), Attempts: 1,
	Source: "miniprogram-kyc.tencentcloudapi.com", Writer: "kycvault 0.1.0",
}

func TestEncryptedManifestVector(t *testing.T) {
	want := vector(t, "manifest.v2.json")
	got, err := encryptedManifest.Encode()
	if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
		t.Errorf("written: %v, -want +got:\n%s", err, diff)
	}
	m, err := archive.ParseManifest(want)
	if diff := cmp.Diff(encryptedManifest, m); err != nil || diff != "" {
		t.Errorf("read: %v, -want +got:\n%s", err, diff)
	}
}

// TestParseEncryptedManifestRefuses what says one thing in a file's name and another beside it.
func TestParseEncryptedManifestRefuses(t *testing.T) {
	stored := `"stored": {
        "size": 66625,
        "sha256": "` + strings.Repeat("0a", 32) + `"
      }`
	for name, edit := range map[string][2]string{
		"version 1": {`"version": 2`, `"version": 1`}, "nothing stored": {stored, `"later": 1`}, "null stored": {stored, `"stored": null`},
		"stored of a plain file": {`.jpg.age`, `.jpg`}, "negative size": {"66625", "-1"}, "no digest": {strings.Repeat("0a", 32), "0a"},
		"upper-case digest": {strings.Repeat("0a", 32), strings.Repeat("0A", 32)}, "twice encrypted": {".jpg.age", ".jpg.age.age"}, "no extension": {".jpg.age", ".age"},
	} {
		data := vector(t, "manifest.v2.json")
		if !bytes.Contains(data, []byte(edit[0])) {
			t.Fatalf("the vector has no %s", edit[0])
		}
		if _, err := archive.ParseManifest(bytes.Replace(data, []byte(edit[0]), []byte(edit[1]), 1)); !errors.Is(err, archive.ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
	}
}

// TestManifestOfNothing: lists are never null.
func TestManifestOfNothing(t *testing.T) {
	data, err := archive.Manifest{Order: "order1", State: archive.Partial}.Encode()
	if err != nil || !bytes.Contains(data, []byte(`"version": 1,`)) || !bytes.Contains(data, []byte(`"files": [],`)) || !bytes.Contains(data, []byte(`"missing": [],`)) {
		t.Errorf("%v\n%s", err, data)
	}
}

func TestNoteVector(t *testing.T) {
	note := archive.Note{Attempts: 5, Tries: map[string]int{"ok": 1, "nosuch": 3, "ticket": 1}, Code: "66660011", Odd: []string{exampleDigest}}
	want := vector(t, "note.v1.json")
	got, err := note.Encode()
	if diff := cmp.Diff(string(want), string(got)); err != nil || diff != "" {
		t.Errorf("written: %v, -want +got:\n%s", err, diff)
	}
	note.V = 1
	n, err := archive.ParseNote(want)
	if diff := cmp.Diff(note, n); err != nil || diff != "" {
		t.Errorf("read: %v, -want +got:\n%s", err, diff)
	}
}

func TestMarkerVector(t *testing.T) {
	b := membucket.New(nil)
	if err := archive.New(b).OpenMarker(t.Context(), mark, archive.Marker{By: "jwt", At: epoch}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(vector(t, "marker.v1.json")), string(get(t, b, mark.PendingKey()))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestClosedVector(t *testing.T) {
	b, want := membucket.New(nil), vector(t, "closed.v1.json")
	closed := archive.Closed{
		State: "unavailable", FirstSeen: epoch, ClosedAt: epoch.Add(72 * time.Hour), Attempts: 12, Tries: map[string]int{"nosuch": 11, "failed": 1}, Code: "66660011",
	}
	a := archive.New(b)
	if _, err := a.Close(t.Context(), mark, closed); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(get(t, b, mark.ClosedKey()))); diff != "" {
		t.Errorf("written, -want +got:\n%s", diff)
	}
	closed.V = 1
	got, _, err := a.NewestClosed(t.Context(), mark.Order)
	if diff := cmp.Diff(closed, got); err != nil || diff != "" {
		t.Errorf("read: %v, -want +got:\n%s", err, diff)
	}
}

// TestManifestOfLaterMinor: what a reader does not know, but would not misunderstand, it passes over.
func TestManifestUnknownFields(t *testing.T) {
	data := bytes.Replace(vector(t, "manifest.v1.json"), []byte(`"version": 1,`), []byte(`"version": 1, "later": {"field": [1]},`), 1)
	m, err := archive.ParseManifest(data)
	if diff := cmp.Diff(vectorManifest, m); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestParseManifestRefuses(t *testing.T) {
	swap := func(old, with string) []byte {
		data := vector(t, "manifest.v1.json")
		if !bytes.Contains(data, []byte(old)) {
			t.Fatalf("the vector has no %s", old)
		}
		return bytes.Replace(data, []byte(old), []byte(with), 1)
	}
	cases := map[string][]byte{
		"no version": swap(`"version": 1,`, ``), "version 0": swap(`"version": 1,`, `"version": 0,`), "negative version": swap(`"version": 1,`, `"version": -1,`),
		"bad order": swap(`orderNo19959248596551`, `../etc`), "no order": swap(`"orderNo19959248596551"`, `""`),
		"other state": swap(`"partial"`, `"expired"`), "no state": swap(`"partial"`, `""`),
		"digest of another file": swap(`"sha256": "eb`, `"sha256": "00`), "kind of another file": swap(`"kind": "photo"`, `"kind": "video"`),
		"negative size": swap(`66293`, `-1`), "path": swap(`"name": "photo.eb`, `"name": "../photo.eb`), "manifest as a file": swap("photo."+exampleDigest+".jpg", "manifest.json"),
		"no time": swap(`"2026-11-23T09:00:00Z"`, `"yesterday"`), "trailing": append(vector(t, "manifest.v1.json"), '{'),
		"cut short": vector(t, "manifest.v1.json")[:300], "null": []byte("null"), "nothing": {}, "list": []byte("[]"),
	}
	for name, data := range cases {
		m, err := archive.ParseManifest(data)
		if !errors.Is(err, archive.ErrDamaged) || errors.Is(err, archive.ErrNewer) {
			t.Errorf("%s: %v, want ErrDamaged", name, err)
		}
		if diff := cmp.Diff(archive.Manifest{}, m); diff != "" {
			t.Errorf("%s: half a manifest came with the error: %s", name, diff)
		}
	}
	for name, data := range map[string][]byte{
		"newer": swap(`"version": 1,`, `"version": 3,`), "newer, with other fields": []byte(`{"version":7,"orderNo":{"is":"an object now"}}`),
	} {
		if _, err := archive.ParseManifest(data); !errors.Is(err, archive.ErrNewer) || errors.Is(err, archive.ErrDamaged) {
			t.Errorf("%s: %v, want ErrNewer", name, err)
		}
	}
}

// TestManifestOfAnotherOrder: a manifest counts below its own order only.
func TestManifestOfAnotherOrder(t *testing.T) {
	b := membucket.New(nil)
	put(t, b, "orders/order1/manifest.json", vector(t, "manifest.v1.json"))
	if _, err := archive.New(b).Manifests(t.Context(), "order1"); !errors.Is(err, archive.ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
}

func TestParseNoteVersions(t *testing.T) {
	if _, err := archive.ParseNote([]byte(`{"v":2}`)); !errors.Is(err, archive.ErrNewer) {
		t.Errorf("newer: %v", err)
	}
	if _, err := archive.ParseNote([]byte(`{"v":1`)); !errors.Is(err, archive.ErrDamaged) {
		t.Errorf("damaged: %v", err)
	}
	n, err := archive.ParseNote([]byte(`{"attempts":4,"later":true}`))
	if err != nil || n.Attempts != 4 {
		t.Errorf("older, with more fields: %+v, %v", n, err)
	}
}

func TestSameAs(t *testing.T) {
	base := vectorManifest
	same := base
	same.ArchivedAt, same.Attempts, same.Previous, same.Writer = epoch, 99, "", "other"
	same.Files = []archive.File{base.Files[2], base.Files[0], base.Files[1]}
	if !base.SameAs(same) || !same.SameAs(base) {
		t.Error("times and the order of files make manifests differ")
	}
	for name, edit := range map[string]func(m *archive.Manifest){
		"a file less":       func(m *archive.Manifest) { m.Files = m.Files[1:] },
		"a file more":       func(m *archive.Manifest) { m.Files = append(m.Files, archive.File{Name: "more"}) },
		"another file":      func(m *archive.Manifest) { m.Files = append([]archive.File{{Name: "other"}}, m.Files[1:]...) },
		"nothing missing":   func(m *archive.Manifest) { m.Missing = nil },
		"something missing": func(m *archive.Manifest) { m.Missing = []string{"photo", "video"} },
	} {
		m := vectorManifest
		m.Files = append([]archive.File{}, m.Files...)
		if edit(&m); m.SameAs(base) || base.SameAs(m) {
			t.Errorf("%s makes no difference", name)
		}
	}
}

func TestSortFiles(t *testing.T) {
	files := []archive.File{
		{Name: "r", Kind: archive.Result}, {Name: "v odd", Kind: archive.Video, Flag: "why"}, {Name: "v2", Kind: archive.Video},
		{Name: "v1", Kind: archive.Video}, {Name: "p odd", Kind: archive.Photo, Flag: "why"}, {Name: "p", Kind: archive.Photo},
	}
	archive.SortFiles(files)
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	if got, want := strings.Join(names, ", "), "p, p odd, v2, v1, v odd, r"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzManifest: what is read is written again, and read as the same.
func FuzzManifest(f *testing.F) {
	f.Add(vector(f, "manifest.v1.json"))
	f.Add(vector(f, "manifest.v2.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := archive.ParseManifest(data)
		if err != nil {
			if !errors.Is(err, archive.ErrDamaged) && !errors.Is(err, archive.ErrNewer) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		sameBytes(t, m, archive.ParseManifest)
	})
}

// FuzzNote does the same for notes.
func FuzzNote(f *testing.F) {
	f.Add(vector(f, "note.v1.json"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if n, err := archive.ParseNote(data); err == nil {
			sameBytes(t, n, archive.ParseNote)
		}
	})
}

// sameBytes writes, parses and writes again.
func sameBytes[T interface{ Encode() ([]byte, error) }](t *testing.T, v T, parse func([]byte) (T, error)) {
	t.Helper()
	first, err := v.Encode()
	if err != nil {
		t.Fatalf("what was read can not be written: %v", err)
	}
	again, err := parse(first)
	if err != nil {
		t.Fatalf("what was written can not be read: %v\n%s", err, first)
	}
	second, err := again.Encode()
	if diff := cmp.Diff(string(first), string(second)); err != nil || diff != "" {
		t.Errorf("%v, -first +second:\n%s", err, diff)
	}
}
