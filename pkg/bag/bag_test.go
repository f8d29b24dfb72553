package bag_test

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bag"
)

func fill(t *testing.T, path string) {
	t.Helper()
	b, err := bag.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"data/b/two": "two", "data/a": "one", "README.md": "read"} {
		if err := b.AddBytes(name, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it shows before it is whole: %v", err)
	}
	if err := b.Close(bag.Info{Software: "test", Description: "a test", At: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
}

// TestFolder: the files that RFC 8493 section 2 asks for, with these very bytes.
func TestFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bag")
	fill(t, path)
	for name, want := range map[string]string{
		"bagit.txt":    "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
		"bag-info.txt": "Bag-Software-Agent: test\nBagging-Date: 2026-11-23\nExternal-Description: a test\nPayload-Oxum: 6.2\n",
		"manifest-sha256.txt": "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  data/b/two\n" +
			"7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  data/a\n",
		"data/b/two": "two",
	} {
		got, err := os.ReadFile(filepath.Join(path, name))
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want)
		}
	}
	tags, err := os.ReadFile(filepath.Join(path, "tagmanifest-sha256.txt"))
	if err != nil || strings.Count(string(tags), "\n") != 4 || strings.Contains(string(tags), "data/") {
		t.Errorf("tag manifest: %v\n%s", err, tags)
	}
	if _, err := bag.Create(path); err == nil {
		t.Error("a bag is made over another")
	}
}

// TestZIPDates: every file has a date that ZIP files can have, so that what is unpacked can be packed again.
func TestZIPDates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bag.zip")
	fill(t, path)
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	for _, f := range z.File {
		if f.Modified.Before(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%s is of %s", f.Name, f.Modified)
		}
	}
}

// TestNothingIsLeft: of a bag that is not ended, or a file that breaks off, nothing shows.
func TestNothingIsLeft(t *testing.T) {
	for _, name := range []string{"bag", "bag.zip"} {
		dir := t.TempDir()
		b, err := bag.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add("data/a", func(io.Writer) error { return errors.New("broke off") }); err == nil {
			t.Errorf("%s: a file that breaks off is added", name)
		}
		b.Discard()
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", name, left, err)
		}
		fill(t, filepath.Join(dir, name))
	}
}
