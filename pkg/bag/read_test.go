package bag_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/bag"
)

// check opens a bag and gives what is wrong, a line each: kind, file.
func check(t *testing.T, path string) (found []string, all []bag.Problem) {
	t.Helper()
	r, err := bag.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	_, err = r.Check(t.Context(), func(p bag.Problem) {
		found, all = append(found, p.Kind+" "+p.File), append(all, p)
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found, all
}

// wants compares what was found with what is to be found.
func wants(t *testing.T, path string, want ...string) {
	t.Helper()
	found, all := check(t, path)
	if !slices.Equal(found, want) {
		t.Errorf("found %q, want %q: %v", found, want, all)
	}
	for _, p := range all {
		if p.What == "" {
			t.Errorf("%s %s: not told what is wrong", p.Kind, p.File)
		}
	}
}

// TestReadsWhatItWrites: both forms, with names that a list encodes.
func TestReadsWhatItWrites(t *testing.T) {
	for _, form := range []string{"bag", "bag.zip"} {
		path := filepath.Join(t.TempDir(), form)
		b, err := bag.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		content := map[string]string{"data/a": "one", "data/100%": "two", "data/50%25": "three", "data/b/two\nlines\r": "", "data/ä:b c": "four", "README.md": "read"}
		for name, text := range content {
			if err := b.AddBytes(name, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Close(bag.Info{Software: "test"}); err != nil {
			t.Fatal(err)
		}
		wants(t, path)
		r, err := bag.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range content {
			if got, err := r.ReadSmall(name, int64(len(text))); err != nil || string(got) != text {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
		if _, err := r.ReadSmall("data/a", 2); err == nil {
			t.Error("more is read than was asked for")
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAddRefuses: no bag is made that would not be read.
func TestAddRefuses(t *testing.T) {
	b, err := bag.Create(filepath.Join(t.TempDir(), "bag"))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Discard()
	if err := b.AddBytes("data/abc", nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "data/abc", "data/ABC", "../x", "/x", "data//x", "data/./x", `data\x`, "data/x/", "C:x", "data/\xff", "data/\x00", strings.Repeat("x", 4097)} {
		if err := b.AddBytes(name, nil); err == nil {
			t.Errorf("%q is added", name)
		}
	}
}

// TestFolderProblems changes one thing each.
func TestFolderProblems(t *testing.T) {
	digest := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }
	one, two := digest("one"), digest("two")
	for name, test := range map[string]struct {
		write map[string]string // "" removes
		do    func(dir string) error
		want  []string
	}{
		"a file is changed":        {write: map[string]string{"data/a": "One"}, want: []string{"changed data/a"}},
		"a file is gone":           {write: map[string]string{"data/a": ""}, want: []string{"bad-list bag-info.txt", "missing data/a"}},
		"a file more":              {write: map[string]string{"data/c": "more"}, want: []string{"bad-list bag-info.txt", "unlisted data/c"}},
		"about the bag is changed": {write: map[string]string{"README.md": "Read"}, want: []string{"changed README.md"}},
		"about the bag is gone":    {write: map[string]string{"bag-info.txt": ""}, want: []string{"missing bag-info.txt"}},
		"about the bag is more":    {write: map[string]string{"json.py": "x"}, want: []string{"unlisted json.py"}},
		"no list":                  {write: map[string]string{"manifest-sha256.txt": ""}, want: []string{"missing manifest-sha256.txt", "missing manifest-sha256.txt"}},
		"no list of tags":          {write: map[string]string{"tagmanifest-sha256.txt": ""}, want: []string{"missing tagmanifest-sha256.txt"}},
		"another version":          {write: map[string]string{"bagit.txt": "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"}, want: []string{"bad-list bagit.txt", "changed bagit.txt"}},
		"another encoding":         {write: map[string]string{"bagit.txt": "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-16\n"}, want: []string{"bad-list bagit.txt", "changed bagit.txt"}},
		"a third line":             {write: map[string]string{"bagit.txt": "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\nmore\n"}, want: []string{"bad-list bagit.txt", "changed bagit.txt"}},
		"other line ends":          {write: map[string]string{"bagit.txt": "BagIt-Version: 1.0\r\nTag-File-Character-Encoding: UTF-8\r\n"}, want: []string{"changed bagit.txt"}},
		"a long declaration":       {write: map[string]string{"bagit.txt": strings.Repeat("x", 1000)}, want: []string{"bad-list bagit.txt", "changed bagit.txt"}},
		"another sum":              {write: map[string]string{"bag-info.txt": "payload-oxum: 7.2\n"}, want: []string{"bad-list bag-info.txt", "changed bag-info.txt"}},
		"two sums":                 {write: map[string]string{"bag-info.txt": "Payload-Oxum: 6.2\nPayload-Oxum: 6.2\n"}, want: []string{"bad-list bag-info.txt", "changed bag-info.txt"}},
		"no sum":                   {write: map[string]string{"bag-info.txt": "Contact: x\n"}, want: []string{"changed bag-info.txt"}},
		"to be fetched":            {write: map[string]string{"fetch.txt": "https://example.com/x 3 data/x\n"}, want: []string{"bad-list fetch.txt", "unlisted fetch.txt"}},
		"other digests":            {write: map[string]string{"manifest-sha512.txt": "x\n"}, want: []string{"bad-list manifest-sha512.txt", "unlisted manifest-sha512.txt"}},
		"a name twice in the list": {
			write: map[string]string{"manifest-sha256.txt": one + "  data/a\n" + two + "  data/b/two\n" + one + "  data/a\n"},
			want:  []string{"bad-list manifest-sha256.txt", "changed manifest-sha256.txt"},
		},
		"names that lead out": {
			write: map[string]string{"manifest-sha256.txt": one + "  data/a\n" + two + "  data/b/two\n" + one + "  ../x\n" + one + "  /etc/passwd\n" + one + "  data/../../x\n" + one + "  C:\\x\n" + one + "  c:/x\n" + one + "  ~/x\n"},
			want:  append(slices.Repeat([]string{"bad-list manifest-sha256.txt"}, 6), "changed manifest-sha256.txt"),
		},
		"lines that are none": {
			write: map[string]string{"manifest-sha256.txt": one + "\tdata/a\r\n" + strings.ToUpper(two) + " data/b/two\n\n" + one + "\n" + one[2:] + "  data/x\n" + one + "  data/%0\n" + one + "  data/%41\n" + one + "  data/x\ry\n" + one + "  README.md"},
			want:  append(slices.Repeat([]string{"bad-list manifest-sha256.txt"}, 7), "changed manifest-sha256.txt"),
		},
		"a line without end": {
			write: map[string]string{"manifest-sha256.txt": strings.Repeat("x", 1<<20)},
			want:  []string{"bad-list manifest-sha256.txt", "changed manifest-sha256.txt"},
		},
		"case clashes": {write: map[string]string{"data/A": "x", "data/B/TWO": "x"}, want: []string{"bad-list bag-info.txt", "refused data/a", "refused data/b/two", "unlisted data/A", "unlisted data/B/TWO"}},
		"a backslash":  {write: map[string]string{`data/..\..\x`: "x"}, want: []string{`refused data/..\..\x`}},
		"a link":       {do: func(dir string) error { return os.Symlink("a", filepath.Join(dir, "data/c")) }, want: []string{"refused data/c"}},
		"a link for a file": {
			write: map[string]string{"data/a": ""},
			do:    func(dir string) error { return os.Symlink("/etc/passwd", filepath.Join(dir, "data/a")) },
			want:  []string{"bad-list bag-info.txt", "refused data/a"},
		},
		"a link for a folder": {do: func(dir string) error { return os.Symlink("/", filepath.Join(dir, "data/c")) }, want: []string{"refused data/c"}},
		"a link for a list": {
			write: map[string]string{"tagmanifest-sha256.txt": ""},
			do: func(dir string) error {
				return os.Symlink("manifest-sha256.txt", filepath.Join(dir, "tagmanifest-sha256.txt"))
			},
			want: []string{"refused tagmanifest-sha256.txt"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bag")
			fill(t, dir)
			for file, text := range test.write {
				change(t, filepath.Join(dir, file), text)
			}
			if test.do != nil {
				if err := test.do(dir); err != nil {
					t.Fatal(err)
				}
			}
			wants(t, dir, test.want...)
		})
	}
}

// change writes a file, or removes it.
func change(t *testing.T, file, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(file), 0o700)
	if text == "" {
		err = os.Remove(file)
	} else if err == nil {
		err = os.WriteFile(file, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// entry is one of a ZIP file that a test makes.
type entry struct {
	zip.FileHeader
	text string
}

func stored(name, text string) entry {
	return entry{zip.FileHeader{Name: name, Method: zip.Store}, text}
}

// goodEntries are those of a good bag.
func goodEntries(t *testing.T) []entry {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "bag")
	fill(t, dir)
	var all []entry
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		all = append(all, stored("top/"+filepath.ToSlash(name), string(data)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// writeZIP writes entries as they are, whatever their headers say, and gives the file.
func writeZIP(t *testing.T, entries []entry) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		h := e.FileHeader
		if h.CRC32 == 0 {
			h.CRC32 = crc32.ChecksumIEEE([]byte(e.text))
		}
		if h.CompressedSize64 == 0 && h.UncompressedSize64 == 0 {
			h.CompressedSize64, h.UncompressedSize64 = uint64(len(e.text)), uint64(len(e.text))
		}
		w, err := z.CreateRaw(&h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bag.zip")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func withMode(e entry, mode fs.FileMode) entry {
	e.SetMode(mode)
	return e
}

// TestZIPProblems: what only a ZIP file can have. The entries come behind those of a good bag.
func TestZIPProblems(t *testing.T) {
	sized := func(name string, packed, held uint64) entry {
		e := stored(name, "four")
		e.CompressedSize64, e.UncompressedSize64 = packed, held
		return e
	}
	encrypted := stored("top/data/x", "x")
	encrypted.Flags |= 1
	bzip := stored("top/data/x", "x")
	bzip.Method = 12
	folderOf5 := stored("top/data/x/", "")
	folderOf5.UncompressedSize64 = 5
	wrongCRC := stored("top/data/x", "x")
	wrongCRC.CRC32 = 7
	for name, test := range map[string]struct {
		entries []entry
		want    []string
	}{
		"good":                     {nil, nil},
		"folders":                  {[]entry{stored("top/", ""), stored("top/data/", ""), withMode(stored("top/empty/", ""), fs.ModeDir|0o700)}, nil},
		"above":                    {[]entry{stored("../x", "x"), stored("top/../../x", "x")}, []string{"refused ../x", "refused top/../../x"}},
		"absolute":                 {[]entry{stored("/etc/x", "x")}, []string{"refused /etc/x"}},
		"a drive":                  {[]entry{stored("C:/x", "x"), stored("top/d:x", "x")}, []string{"refused C:/x", "refused top/d:x"}},
		"backslashes":              {[]entry{stored(`top\..\x`, "x")}, []string{`refused top\..\x`}},
		"another top folder":       {[]entry{stored("__MACOSX/._a", "x"), stored("other/", "")}, []string{"refused __MACOSX/._a", "refused other/"}},
		"beside the folder":        {[]entry{stored("x", "x")}, []string{"refused x"}},
		"there twice":              {[]entry{stored("top/data/a", "one")}, []string{"bad-list bag-info.txt", "refused data/a"}},
		"case clash":               {[]entry{stored("top/DATA/a", "one")}, []string{"refused DATA/a", "unlisted DATA/a"}},
		"a file that is a folder":  {[]entry{stored("top/data/a/b", "x")}, []string{"refused data/a/b"}},
		"a link":                   {[]entry{withMode(stored("top/data/x", "/etc/passwd"), fs.ModeSymlink|0o777)}, []string{"refused data/x"}},
		"a device":                 {[]entry{withMode(stored("top/data/x", ""), fs.ModeDevice|0o600)}, []string{"refused data/x"}},
		"a folder that is a file":  {[]entry{withMode(stored("top/data/x", "x"), fs.ModeDir|0o700)}, []string{"refused data/x"}},
		"a folder with bytes":      {[]entry{folderOf5}, []string{"refused data/x/"}},
		"encrypted":                {[]entry{encrypted}, []string{"refused data/x"}},
		"another method":           {[]entry{bzip}, []string{"refused data/x"}},
		"stored, and larger":       {[]entry{sized("top/data/x", 4, 5)}, []string{"refused data/x"}},
		"larger than the ZIP file": {[]entry{sized("top/data/x", 1<<40, 1<<40), sized("top/data/y", 1<<63, 1<<63)}, []string{"refused data/x", "refused data/y"}},
		"another checksum":         {[]entry{wrongCRC}, []string{"changed data/x", "unlisted data/x"}},
		"not UTF-8":                {[]entry{stored("top/data/\xff", "x")}, []string{`refused "top/data/\xff"`}},
		"controls":                 {[]entry{stored("top/data/\x1b[2J", "x")}, []string{"bad-list bag-info.txt", `unlisted "data/\x1b[2J"`}},
	} {
		t.Run(name, func(t *testing.T) { wants(t, writeZIP(t, append(goodEntries(t), test.entries...)), test.want...) })
	}
}

// TestZIPLies: an entry is read up to the size that the ZIP file shows, and not a byte more.
func TestZIPLies(t *testing.T) {
	deflated := func(size uint64) entry {
		var packed bytes.Buffer
		z := zip.NewWriter(&packed)
		w, err := z.Create("x")
		if err == nil {
			_, err = w.Write(make([]byte, 1<<20))
		}
		if err = errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		r, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := r.File[0].OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(raw)
		if err != nil {
			t.Fatal(err)
		}
		return entry{zip.FileHeader{Name: "top/data/x", Method: zip.Deflate, CRC32: r.File[0].CRC32, CompressedSize64: uint64(len(text)), UncompressedSize64: size}, string(text)}
	}
	for _, size := range []uint64{10, 1<<20 - 1, 1<<20 + 1} {
		file := writeZIP(t, append(goodEntries(t), deflated(size)))
		wants(t, file, "changed data/x", "unlisted data/x")
		r, err := bag.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := r.Open("data/x")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, f); err == nil || n > int64(size) {
			t.Errorf("%d bytes are said to be there: %d read, %v", size, n, err)
		}
		_ = r.Close()
	}
	wants(t, writeZIP(t, append(goodEntries(t), deflated(1<<20))), "bad-list bag-info.txt", "unlisted data/x") // all is true
	wants(t, writeZIP(t, append(goodEntries(t), deflated(1<<30))), "refused data/x")
}

// TestZIPBomb: entries that share their bytes, and a file that holds more than it could.
func TestZIPBomb(t *testing.T) {
	data, err := os.ReadFile(writeZIP(t, append(goodEntries(t), stored("top/data/x", strings.Repeat("x", 1000)))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bag.NewZIP(bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatal(err)
	}
	// the directory's last entry a thousand times: all are of the same bytes
	end := bytes.LastIndex(data, []byte("PK\x05\x06"))
	last := bytes.LastIndex(data[:end], []byte("PK\x01\x02"))
	bomb := append(bytes.Clone(data[:end]), bytes.Repeat(data[last:end], 1000)...)
	tail := bytes.Clone(data[end:])
	count, size := len(goodEntries(t))+1001, uint32(len(bomb)-int(leUint32(tail[16:])))
	copy(tail[8:], []byte{byte(count), byte(count >> 8), byte(count), byte(count >> 8), byte(size), byte(size >> 8), byte(size >> 16), byte(size >> 24)})
	bomb = append(bomb, tail...)
	if _, err := bag.NewZIP(bytes.NewReader(bomb), int64(len(bomb))); !errors.Is(err, bag.ErrNoBag) || !strings.Contains(err.Error(), "bomb") {
		t.Errorf("entries on top of each other: %v", err)
	}
}

func leUint32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

// TestNoBag: what is no bag at all, or more than one.
func TestNoBag(t *testing.T) {
	under := func(top string) []entry {
		all := goodEntries(t)
		for i := range all {
			all[i].Name = top + strings.TrimPrefix(all[i].Name, "top/")
		}
		return all
	}
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"empty folder": t.TempDir(), "no ZIP file": text, "no folder": writeZIP(t, under("")), "two bags": writeZIP(t, append(goodEntries(t), under("other/")...)),
		"deeper": writeZIP(t, under("a/b/")), "above": writeZIP(t, under("../")), "here": writeZIP(t, under("./")), "nothing": writeZIP(t, nil),
	} {
		if r, err := bag.Open(path); !errors.Is(err, bag.ErrNoBag) || r != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := bag.Open(filepath.Join(dir, "nosuch")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("not there: %v", err)
	}
}

// TestCheckEnds: with its context, and tells meanwhile how far it is.
func TestCheckEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bag")
	fill(t, dir)
	r, err := bag.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var read int64
	sums, err := r.Check(t.Context(), func(bag.Problem) {}, func(n int64) { read = n })
	if err != nil || read != r.Size() || !slices.Equal(slices.Sorted(maps.Keys(sums)), r.Names()) {
		t.Errorf("%v: %d of %d bytes", err, read, r.Size())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Check(ctx, func(bag.Problem) {}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("it goes on: %v", err)
	}
}

// TestConstantMemory: a check of 256 MB takes what one of a few bytes takes.
func TestConstantMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bag.zip")
	b, err := bag.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	err = b.Add("data/large", func(w io.Writer) error {
		for range 256 {
			if _, err := w.Write(block); err != nil {
				return err
			}
		}
		return nil
	})
	if err = errors.Join(err, b.Close(bag.Info{})); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wants(t, path)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
		t.Errorf("%d bytes were allocated", took)
	}
}
