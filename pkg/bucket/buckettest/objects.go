package buckettest

import (
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"github.com/kycvault/kycvault/pkg/bucket"
)

func createOnce(s suite) {
	s.create("orders/A1/photo.jpg", "first")
	err := s.bucket.Create(s.Context(), "orders/A1/photo.jpg", text("second"))
	s.is("second Create", err, bucket.ErrExists)
	if err != nil && !strings.Contains(err.Error(), "create object ") {
		s.Errorf("error %q does not say what was tried", err)
	}
	if err != nil && !strings.Contains(err.Error(), "orders/A1/photo.jpg") {
		s.Errorf("error %q does not name the key", err)
	}
	s.is("same bytes again", s.bucket.Create(s.Context(), "orders/A1/photo.jpg", text("first")), bucket.ErrExists)
	s.holds("orders/A1/photo.jpg", "first")
}

func createAfterDelete(s suite) {
	s.create("k", "one")
	s.delete("k")
	if s.harness.Peculiar.MarkerTakesKey {
		err := s.bucket.Create(s.Context(), "k", text("two"))
		if err == nil || errors.Is(err, bucket.ErrExists) || errors.Is(err, bucket.ErrNotFound) {
			s.Errorf("Create over what is left of a deleted object: error %v", err)
		}
		s.absent("k")
		s.put("k", "two")
	} else {
		s.create("k", "two")
	}
	s.holds("k", "two")
}

func putReplaces(s suite) {
	s.put("retry/A1.x", "a longer note")
	s.holds("retry/A1.x", "a longer note")
	s.put("retry/A1.x", "note")
	s.holds("retry/A1.x", "note")
	s.is("Create over Put", s.bucket.Create(s.Context(), "retry/A1.x", text("x")), bucket.ErrExists)
	s.settle()
	if objects := s.list("retry/", ""); len(objects) != 1 || objects[0].Size != int64(len("note")) {
		s.Errorf("a listing shows %v", objects)
	}
}

func getMissing(s suite) {
	s.create("orders/A1/a", "x")
	for _, key := range []string{"b", "orders", "orders/A1", "orders/A1/a.b", "orders/A1/a/b", "orders/A2/a"} {
		_, err := get(s.Context(), s.bucket, key)
		s.is("Get "+key, err, bucket.ErrNotFound)
	}
}

func deleteObject(s suite) {
	s.create("pending/A1.x", "x")
	s.create("pending/A2.x", "y")
	s.delete("pending/A1.x")
	s.absent("pending/A1.x")
	s.delete("pending/A1.x") // again: no error
	s.delete("nowhere/to/be/found")
	s.deleteFolder("pending") // a folder, on stores that have them
	s.holds("pending/A2.x", "y")
	s.delete("pending/A2.x")
	if !s.harness.Peculiar.FolderIsObject {
		s.delete("pending")
	}
	s.create("pending/A3.x", "z")
	s.holds("pending/A3.x", "z")
}

// deleteFolder deletes a key that is no object's, only the beginning of some.
func (s suite) deleteFolder(key string) {
	s.Helper()
	if err := s.bucket.Delete(s.Context(), key); (err != nil) != s.harness.Peculiar.FolderIsObject {
		s.Errorf("Delete of a folder: error %v, Peculiar.FolderIsObject is %v", err, s.harness.Peculiar.FolderIsObject)
	}
}

func contents(s suite) {
	const mib = 1 << 20
	for name, content := range map[string]string{"empty": "", "one-byte": "\x00", "text": "身份", "large": large(5 * mib)} {
		s.create("orders/A1/"+name, content)
		s.holds("orders/A1/"+name, content)
		s.put("put/"+name, content)
		s.holds("put/"+name, content)
	}
	retained := text("evidence")
	retained.Retain = true
	s.ok("Create with Retain", s.bucket.Create(s.Context(), "retained", retained))
	s.holds("retained", "evidence")
	untyped := text("untyped")
	untyped.MediaType = ""
	s.ok("Create without media type", s.bucket.Create(s.Context(), "untyped", untyped))
	s.holds("untyped", "untyped")
}

func oddKeys(s suite) {
	long := strings.Repeat("x", 200)
	keys := []string{
		"0", "-", "_", "a.", "a..b", "A", "B.json", "B-", "--/-/-", "_._", "con", "nul.txt", "x/y/z/1/2/3/4/5/6",
		long + "/" + long, "journal/2026-11-23/180000.A1." + strings.Repeat("0f", 32),
	}
	for _, key := range keys {
		s.create(key, "content of "+key)
	}
	for _, key := range keys {
		s.holds(key, "content of "+key)
	}
	s.settle()
	if n := len(s.keys("", "")); n != len(keys) {
		s.Errorf("%d of %d objects listed", n, len(keys))
	}
}

func badKeys(s suite) {
	keys := []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a/..", ".a", "a/.b", ".tmp/a",
		"a b", "a\\b", "a\x00", "a\nb", "ä", "a:b", "a*", "a%2fb", "~a", "a+b",
	}
	for _, key := range keys {
		_, err := get(s.Context(), s.bucket, key)
		s.is("Get", err, bucket.ErrKey)
		s.is("Create", s.bucket.Create(s.Context(), key, text("x")), bucket.ErrKey)
		s.is("Put", s.bucket.Put(s.Context(), key, text("x")), bucket.ErrKey)
		s.is("Delete", s.bucket.Delete(s.Context(), key), bucket.ErrKey)
	}
	for _, prefix := range []string{"/", "a//", "../", ".", "a/.", "a b"} {
		_, err := list(s.Context(), s.bucket, prefix, "")
		s.is("List", err, bucket.ErrKey)
	}
	s.settle()
	if keys := s.keys("", ""); len(keys) != 0 {
		s.Errorf("bad keys were written: %q", keys)
	}
}

// mismatch checks that bytes other than the promised ones leave nothing behind.
func mismatch(s suite) {
	tooLong, tooShort, other := text("content"), text("content"), text("content")
	tooLong.Size--
	tooShort.Size++
	other.SHA256 = sha256.Sum256([]byte("other bytes"))
	bad := map[string]bucket.Content{"too-long": tooLong, "too-short": tooShort, "other": other}
	for name, c := range bad {
		if err := s.bucket.Create(s.Context(), name, c); err == nil {
			s.Errorf("Create with a body that is %s: no error", name)
		}
		s.absent(name)
		if err := s.bucket.Put(s.Context(), name, c); err == nil {
			s.Errorf("Put with a body that is %s: no error", name)
		}
		s.absent(name)
	}
	s.put("kept", "old")
	if err := s.bucket.Put(s.Context(), "kept", other); err == nil {
		s.Error("Put of other bytes over an object: no error")
	}
	s.holds("kept", "old")
}

// failing is a body that breaks at a point. It breaks again when it is rewound.
type failing struct {
	*strings.Reader
	at int64
}

var errBody = errors.New("the body broke")

func (f *failing) Read(p []byte) (int, error) {
	left := f.at - (f.Size() - int64(f.Len()))
	if left <= 0 {
		return 0, errBody
	}
	return f.Reader.Read(p[:min(int64(len(p)), left)])
}

// WriteTo hides the one of strings.Reader, which would not break.
func (f *failing) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{f})
}

func brokenBody(s suite) {
	content := large(300 << 10)
	for _, at := range []int64{0, 1, int64(len(content)) / 2, int64(len(content)) - 1} {
		c := text(content)
		c.Body = &failing{Reader: strings.NewReader(content), at: at}
		if err := s.bucket.Create(s.Context(), "created", c); err == nil {
			s.Errorf("Create with a body that breaks at %d: no error", at)
		}
		s.absent("created")
		if err := s.bucket.Put(s.Context(), "put", c); err == nil {
			s.Errorf("Put with a body that breaks at %d: no error", at)
		}
		s.absent("put")
	}
}

// rewound checks that a Content whose body was read before is written whole.
func rewound(s suite) {
	c := text("content")
	_, err := io.Copy(io.Discard, c.Body)
	s.ok("Copy", err)
	s.ok("Create", s.bucket.Create(s.Context(), "a", c))
	s.ok("Put", s.bucket.Put(s.Context(), "b", c))
	s.holds("a", "content")
	s.holds("b", "content")
}
