package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/archive"
)

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func look(t *testing.T, kind archive.Kind, data string) Look {
	t.Helper()
	l, err := Inspect(kind, strings.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []int{1, 7, 4096, 1 << 20} { // bytes that pass by look the same, however they come
		if piece < len(data)/10_000 { // but that takes its time
			continue
		}
		if passed := watch(t, kind, data, piece); passed != l {
			t.Errorf("in pieces of %d bytes it looks like %v, not %v", piece, passed, l)
		}
	}
	return l
}

// watch is look for bytes that pass by in pieces.
func watch(t *testing.T, kind archive.Kind, data string, piece int) Look {
	t.Helper()
	w := Watch(kind)
	defer w.Close()
	buf := make([]byte, piece) // overwritten each time, as a lane's are
	for rest := data; rest != ""; rest = rest[min(piece, len(rest)):] {
		if n, err := w.Write(buf[:copy(buf, rest)]); n == 0 || err != nil {
			t.Fatalf("write: %d, %v", n, err)
		}
	}
	l, err := w.Look()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestWatcherGivenUp: one that nobody asks ends, whatever it has seen.
func TestWatcherGivenUp(t *testing.T) {
	for _, data := range []string{"", "\xff\xd8\xff", read(t, "video-small.mp4")} {
		w := Watch(archive.Photo)
		_, _ = w.Write([]byte(data))
		w.Close()
		w.Close()
		if _, err := w.Write([]byte("more")); err != nil {
			t.Error(err)
		}
	}
}

func right(ext, mediaType string) Look { return Look{Ext: ext, MediaType: mediaType} }

func odd(flag string) Look { return Look{"bin", "application/octet-stream", flag} }

func TestRealFiles(t *testing.T) {
	tests := []struct {
		file         string
		photo, video Look
	}{
		{"photo.jpg", right("jpg", "image/jpeg"), odd("JPEG where a video was due")},
		{"photo.png", right("png", "image/png"), odd("PNG where a video was due")},
		{"video-small.mp4", odd("MP4 where a photo was due"), right("mp4", "video/mp4")},
	}
	for _, test := range tests {
		data := read(t, test.file)
		if diff := cmp.Diff(test.photo, look(t, archive.Photo, data)); diff != "" {
			t.Errorf("%s as a photo, -want +got:\n%s", test.file, diff)
		}
		if diff := cmp.Diff(test.video, look(t, archive.Video, data)); diff != "" {
			t.Errorf("%s as a video, -want +got:\n%s", test.file, diff)
		}
	}
}

func TestRealFilesCutAndPadded(t *testing.T) {
	for file, kind := range map[string]archive.Kind{"photo.jpg": archive.Photo, "photo.png": archive.Photo, "video-small.mp4": archive.Video} {
		data := read(t, file)
		for n := len(data) - 1; n >= 0; n = min(n-1, n*9/10) {
			if kind == archive.Video && (n == 32 || n == 40) {
				continue // its first box, or the first two, and nothing else: they add up
			}
			if got := look(t, kind, data[:n]); got.Flag == "" {
				t.Errorf("%s cut to %d bytes looks right", file, n)
			}
		}
		for _, tail := range []string{"\x00", "\n", data, "\x00\x00\x00\x07free"} {
			if got := look(t, kind, data+tail); got.Flag == "" {
				t.Errorf("%s with %d bytes more looks right", file, len(tail))
			}
		}
	}
}

func TestJPEG(t *testing.T) {
	const (
		soi, eoi = "\xff\xd8", "\xff\xd9"
		app0     = "\xff\xe0\x00\x04JF"
		sof2     = "\xff\xc2\x00\x08\x08\x00\x01\x00\x01\x01"
		dht      = "\xff\xc4\x00\x03\x00"
		sos      = "\xff\xda\x00\x04\x01\x00"
		data     = "ab\xff\x00cd\xff\xd0ef\xff\xd7gh"
	)
	tests := map[string]string{
		soi + app0 + sof2 + dht + sos + data + eoi:                     "",
		soi + app0 + sof2 + dht + sos + data + dht + sos + data + eoi:  "", // progressive
		soi + app0 + "\xff\xff\xff" + sof2 + sos + data + "\xff" + eoi: "", // fill bytes
		soi + app0 + sof2 + sos + data + eoi + "twelve bytes":          "JPEG with 12 bytes after its end",
		soi + app0 + sof2 + sos + data:                                 "JPEG that is cut short",
		soi + app0 + sof2 + sos + data + "\xff":                        "JPEG that is cut short",
		soi + app0 + sof2 + "\xff\xda\x00":                             "JPEG that is cut short",
		soi + "\xff\xe0\xff\xff" + "short":                             "JPEG that is cut short",
		soi + app0 + eoi:                                               "",
		soi + app0 + sof2 + eoi:                                        "",
		soi + app0 + dht + sos + data + eoi:                            "",
		soi + app0 + "?" + sof2 + sos + data + eoi:                     "",
		soi + "\xff\xe0\x00\x01" + sof2 + sos + data + eoi:             "",
		soi + app0 + soi + sof2 + sos + data + eoi:                     "",
		soi + app0 + "\xff\xd0" + sof2 + sos + data + eoi:              "",
		soi + app0 + sof2 + sos + data + soi + eoi:                     "",
		soi + app0 + sof2 + sos + "a\xff\x01" + eoi:                    "",
		soi:                      "not a JPEG or PNG",
		"":                       "empty",
		strings.Repeat("x", 100): "not a JPEG or PNG",
	}
	for data, want := range tests {
		if got := look(t, archive.Photo, data).Flag; got != want {
			t.Errorf("%q: flag %q, want %q", data, got, want)
		}
	}
}

func chunk(kind, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

func TestPNG(t *testing.T) {
	ihdr, idat, iend := chunk("IHDR", strings.Repeat("\x01", 13)), chunk("IDAT", "pixels"), chunk("IEND", "")
	tests := map[string]string{
		ihdr + idat + iend: "",
		ihdr + chunk("tEXt", strings.Repeat("x", 100_000)) + idat + idat + iend: "",
		ihdr + idat + iend + "!":                      "PNG with 1 bytes after its end",
		ihdr + idat:                                   "PNG that is cut short",
		ihdr + idat + iend[:11]:                       "PNG that is cut short",
		ihdr + "\x7f\xff\xff\xffIDATx":                "PNG that is cut short",
		ihdr + "\xff\xff\xff\xffIDATx":                "PNG with a strange chunk",
		ihdr + chunk("ID\x00T", "") + iend:            "PNG with a strange chunk",
		ihdr + idat[:len(idat)-1] + "!" + iend:        "PNG with a wrong checksum",
		ihdr + strings.Replace(idat, "pix", "pax", 1): "PNG with a wrong checksum",
		idat + iend:                                   "PNG with a strange header",
		ihdr + ihdr + idat + iend:                     "PNG with a strange header",
		chunk("IHDR", "short") + idat + iend:          "PNG with a strange header",
		ihdr + iend:                                   "PNG without a picture",
		ihdr + idat + chunk("IEND", "x"):              "PNG with a strange end",
		"":                                            "PNG that is cut short",
	}
	for data, want := range tests {
		if got := look(t, archive.Photo, pngSignature+data).Flag; got != want {
			t.Errorf("%.60q: flag %q, want %q", data, got, want)
		}
	}
}

func box(kind, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(data)))
	return string(append(b, kind...)) + data
}

func largeBox(kind, data string, length uint64) string {
	b := append([]byte{0, 0, 0, 1}, kind...)
	return string(binary.BigEndian.AppendUint64(b, length)) + data
}

func TestMP4(t *testing.T) {
	ftyp, moov, mdat := box("ftyp", "isom"), box("moov", "index"), box("mdat", "frames")
	tests := map[string]string{
		ftyp + moov + mdat: "",
		ftyp + mdat + moov: "",
		ftyp + box("free", "") + box("uuid", "x") + mdat + moov:           "",
		ftyp + moov + box("moof", "") + mdat + box("moof", "") + mdat:     "",
		ftyp + moov + "\x00\x00\x00\x00mdat to the end":                   "",
		ftyp + moov + largeBox("mdat", "frames", 22):                      "",
		ftyp + moov + largeBox("mdat", "frames", 22) + box("\xa9xyz", ""): "",
		ftyp + moov:                          "",
		ftyp + mdat:                          "",
		ftyp:                                 "",
		ftyp + moov + mdat + "x":             flagBoxes,
		ftyp + moov + mdat + "seven b":       flagBoxes,
		ftyp + moov + mdat[:len(mdat)-1]:     flagBoxes,
		ftyp + moov + "\x00\x00\x00\x07mdat": flagBoxes,
		ftyp + moov + largeBox("mdat", "frames", 15):      flagBoxes,
		ftyp + moov + largeBox("mdat", "frames", 23):      flagBoxes,
		ftyp + moov + largeBox("mdat", "frames", 1<<63):   flagBoxes,
		ftyp + moov + largeBox("mdat", "frames", 1<<64-1): flagBoxes,
		ftyp + moov + largeBox("mdat", "", 16)[:12]:       flagBoxes,
		"\x00\x00\x00\x04ftyp" + moov + mdat:              flagBoxes,
		ftyp + moov + mdat + ftyp:                         "MP4 with a strange box",
		ftyp + box("\x00\x01\x02\x03", "") + moov + mdat:  "MP4 with a strange box",
		moov + mdat:             "not an MP4",
		"\x00\x00\x00\x08ftypi": flagBoxes,
		"ftyp":                  "not an MP4",
	}
	for data, want := range tests {
		if got := look(t, archive.Video, data).Flag; got != want {
			t.Errorf("%q: flag %q, want %q", data, got, want)
		}
	}
}

func TestOtherKindIsOdd(t *testing.T) {
	if got := look(t, archive.Result, `{"code":"0"}`); got.Flag == "" {
		t.Error("a result passes as a medium")
	}
}

// TestManyBoxes looks at how often a crafted file is read.
func TestManyBoxes(t *testing.T) {
	data := box("ftyp", "isom") + strings.Repeat(box("free", ""), 1_000_000)
	r := &watched{Reader: bytes.NewReader([]byte(data)), t: t}
	got, err := Inspect(archive.Video, r, int64(len(data)))
	if err != nil || got != odd("MP4 with too many boxes") {
		t.Errorf("look %v, error %v", got, err)
	}
	if r.calls > maxBoxes+1 {
		t.Errorf("%d reads", r.calls)
	}
}

func TestVideoIsNotRead(t *testing.T) {
	data := box("ftyp", "isom") + box("mdat", strings.Repeat("x", 10<<20)) + box("moov", "")
	r := &watched{Reader: bytes.NewReader([]byte(data)), t: t}
	if got, err := Inspect(archive.Video, r, int64(len(data))); err != nil || got.Flag != "" {
		t.Errorf("look %v, error %v", got, err)
	}
	if r.bytes > 100 {
		t.Errorf("%d bytes read", r.bytes)
	}
}

// sparse is a file of zeros with a few other bytes in it.
type sparse map[int64]string

func (s sparse) ReadAt(p []byte, offset int64) (int, error) {
	clear(p)
	for at, data := range s {
		for i := range data {
			if k := at + int64(i) - offset; k >= 0 && k < int64(len(p)) {
				p[k] = data[i]
			}
		}
	}
	return len(p), nil
}

func TestVideoLargerThan32Bits(t *testing.T) {
	const mdat = 5 << 30
	ftyp, moov := box("ftyp", "isom"), box("moov", "index")
	head := ftyp + largeBox("mdat", "", mdat)
	end := int64(len(ftyp)) + mdat
	got, err := Inspect(archive.Video, sparse{0: head, end: moov}, end+int64(len(moov)))
	if err != nil || got != right("mp4", "video/mp4") {
		t.Errorf("look %v, error %v", got, err)
	}
}

// watched counts reads, and fails the test when one goes outside.
type watched struct {
	*bytes.Reader
	t     testing.TB
	calls int
	bytes int64
}

func (w *watched) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 || offset > w.Size() {
		w.t.Errorf("read of %d bytes at %d of %d", len(p), offset, w.Size())
	}
	n, err := w.Reader.ReadAt(p, offset)
	w.calls++
	w.bytes += int64(n)
	return n, err
}

var errDisk = errors.New("disk error")

// broken fails from an offset on.
type broken struct {
	io.ReaderAt
	from int64
}

func (b broken) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > b.from {
		n, _ := b.ReaderAt.ReadAt(p[:max(0, b.from-offset)], offset)
		return n, errDisk
	}
	return b.ReaderAt.ReadAt(p, offset)
}

func TestReadErrorsAreErrors(t *testing.T) {
	for file, kind := range map[string]archive.Kind{"photo.jpg": archive.Photo, "photo.png": archive.Photo, "video-small.mp4": archive.Video} {
		data := read(t, file)
		for _, from := range []int64{0, 7, 40, 45_000} {
			_, err := Inspect(kind, broken{strings.NewReader(data), from}, int64(len(data)))
			if !errors.Is(err, errDisk) {
				t.Errorf("%s broken at %d: error %v", file, from, err)
			}
		}
	}
}

func TestFewerBytesThanTheSize(t *testing.T) {
	for file, kind := range map[string]archive.Kind{"photo.jpg": archive.Photo, "photo.png": archive.Photo, "video-small.mp4": archive.Video} {
		data := read(t, file)
		_, err := Inspect(kind, strings.NewReader(data[:len(data)/2]), int64(len(data)))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: error %v, want %v", file, err, io.ErrUnexpectedEOF)
		}
	}
}

func FuzzInspect(f *testing.F) {
	for _, file := range []string{"photo.jpg", "photo.png", "video-small.mp4"} {
		data := read(f, file)
		f.Add(true, []byte(data[:2000]))
		f.Add(false, []byte(data[:2000]))
	}
	f.Add(true, []byte("\xff\xd8\xff\xe0\x00\x04JF\xff\xc2\x00\x02\xff\xda\x00\x02ab\xff\x00\xff\xd0c\xff\xd9"))
	f.Add(true, []byte(pngSignature+chunk("IHDR", strings.Repeat("\x01", 13))+chunk("IDAT", "x")+chunk("IEND", "")))
	f.Add(false, []byte(box("ftyp", "isom")+box("moov", "")+largeBox("mdat", "frames", 22)))
	f.Fuzz(func(t *testing.T, photo bool, data []byte) {
		kind := archive.Video
		if photo {
			kind = archive.Photo
		}
		r := &watched{Reader: bytes.NewReader(data), t: t}
		got, err := Inspect(kind, r, r.Size())
		if err != nil {
			t.Fatalf("error %v", err)
		}
		if r.bytes > int64(len(data))*2+64 {
			t.Errorf("%d bytes read of %d", r.bytes, len(data))
		}
		if odd := got.Flag != ""; odd != (got.Ext == "bin") || odd != (got.MediaType == "application/octet-stream") {
			t.Errorf("look %v", got)
		}
		if passed := watch(t, kind, string(data), 1+len(data)%5); passed != got {
			t.Errorf("as it passes by it looks like %v, not %v", passed, got)
		}
		if len(got.Flag) > 60 {
			t.Errorf("flag %q", got.Flag)
		}
		if got.Flag != "" {
			return
		}
		if longer := look(t, kind, string(data)+"\x00"); longer.Flag == "" && photo {
			t.Error("with a byte more it looks right too")
		}
	})
}

// FuzzEncoded checks that whatever the standard library's encoders make looks right.
func FuzzEncoded(f *testing.F) {
	f.Add(uint8(10), uint8(20), int64(1), 75)
	f.Add(uint8(1), uint8(1), int64(-1), 1)
	f.Fuzz(func(t *testing.T, width, height uint8, seed int64, quality int) {
		picture := image.NewRGBA(image.Rect(0, 0, int(width)+1, int(height)+1))
		for i := range picture.Pix {
			seed = seed*6364136223846793005 + 1442695040888963407
			picture.Pix[i] = byte(seed >> 40)
		}
		picture.Set(0, 0, color.White)
		var j, p bytes.Buffer
		if err := jpeg.Encode(&j, picture, &jpeg.Options{Quality: quality}); err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(&p, picture); err != nil {
			t.Fatal(err)
		}
		if got := look(t, archive.Photo, j.String()); got.Ext != "jpg" {
			t.Errorf("JPEG: %v", got)
		}
		if got := look(t, archive.Photo, p.String()); got.Ext != "png" {
			t.Errorf("PNG: %v", got)
		}
	})
}
