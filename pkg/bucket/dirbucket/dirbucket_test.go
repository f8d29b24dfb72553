package dirbucket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/buckettest"
)

func TestConformance(t *testing.T) {
	buckettest.Run(t, buckettest.Harness{
		Open: func(t *testing.T) bucket.Bucket { return open(t, t.TempDir()) },
		Many: readBatch + 100,
	})
}

func open(t *testing.T, folder string, options ...Option) *Bucket {
	t.Helper()
	b, err := Open(folder, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func text(s string) bucket.Content { return bucket.Bytes([]byte(s), "text/plain") }

func create(t *testing.T, b *Bucket, key, content string) {
	t.Helper()
	if err := b.Create(t.Context(), key, text(content)); err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T, b *Bucket, prefix string) []string {
	t.Helper()
	var keys []string
	for o, err := range b.List(t.Context(), prefix, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func TestModes(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made", "by", "open")
	b := open(t, folder)
	create(t, b, "orders/A1/photo.jpg", "x")
	if err := b.Put(t.Context(), "retry/A1.x", text("y")); err != nil {
		t.Fatal(err)
	}
	got := map[string]fs.FileMode{}
	err := filepath.WalkDir(filepath.Dir(folder), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		name, _ := filepath.Rel(folder, path)
		got[name] = info.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const dir = fs.ModeDir | 0o700
	want := map[string]fs.FileMode{
		"..": dir, ".": dir, ".tmp": dir, "orders": dir, "orders/A1": dir, "retry": dir,
		"orders/A1/photo.jpg": 0o600, "retry/A1.x": 0o600,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("modes, -want +got:\n%s", diff)
	}
}

// TestNothingLeavesTheFolder plants symbolic links that point outside, as someone with access to the folder could.
func TestNothingLeavesTheFolder(t *testing.T) {
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, target := range map[string]string{"dir": outside, "file": filepath.Join(outside, "secret"), ".tmp": outside} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, folder)
	for _, key := range []string{"dir/secret", "file"} {
		if r, _, err := b.Get(t.Context(), key); err == nil {
			_ = r.Close()
			t.Errorf("Get %s followed a link to the outside", key)
		}
	}
	for _, key := range []string{"dir/secret", "dir/new", "file", "new"} {
		if err := b.Create(t.Context(), key, text("ours")); err == nil {
			t.Errorf("Create %s: no error", key)
		}
		if err := b.Put(t.Context(), key, text("ours")); err == nil {
			t.Errorf("Put %s: no error", key)
		}
	}
	_ = b.Delete(t.Context(), "dir/secret")
	for _, err := range b.List(t.Context(), "", "") {
		if err == nil || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("List beside a link: error %v, want one that names the link", err)
		}
	}
	for _, err := range b.List(t.Context(), "dir/", "") {
		if err == nil {
			t.Error("List followed a link to the outside")
		}
	}
	entries, err := os.ReadDir(outside)
	if err != nil || len(entries) != 1 {
		t.Errorf("outside there are %v, error %v", entries, err)
	}
	if data, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(data) != "theirs" {
		t.Errorf("outside there is %q, error %v", data, err)
	}
}

func TestSweep(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	create(t, b, "orders/A1/a", "x")
	long := time.Now().Add(-2 * time.Hour)
	for name, age := range map[string]time.Time{".tmp/old": long, ".tmp/new": time.Now(), "orders/A1/a": long, "foreign": long} {
		path := filepath.Join(folder, name)
		f, err := os.OpenFile(path, os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		if err := os.Chtimes(path, age, age); err != nil {
			t.Fatal(err)
		}
	}
	open(t, folder)
	for name, want := range map[string]bool{".tmp/old": false, ".tmp/new": true, "orders/A1/a": true, "foreign": true} {
		if _, err := os.Stat(filepath.Join(folder, name)); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", name, err == nil, want)
		}
	}
}

func TestNoTemporaryFileStays(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	create(t, b, "a", "x")
	_ = b.Create(t.Context(), "a", text("y"))
	_ = b.Put(t.Context(), "a", text("z"))
	bad := text("w")
	bad.Size++
	_ = b.Put(t.Context(), "a", bad)
	create(t, b, "file", "x")
	_ = b.Create(t.Context(), "file/below", text("x"))
	entries, err := os.ReadDir(filepath.Join(folder, tempFolder))
	if err != nil || len(entries) != 0 {
		t.Errorf("left in %s: %v, error %v", tempFolder, entries, err)
	}
}

func TestFileInTheWayOfAFolder(t *testing.T) {
	b := open(t, t.TempDir())
	create(t, b, "a/b", "x")
	if err := b.Create(t.Context(), "a", text("x")); !errors.Is(err, errFolder) {
		t.Errorf("Create where a folder is: error %v", err)
	}
	if err := b.Create(t.Context(), "a/b/c", text("x")); err == nil || errors.Is(err, bucket.ErrExists) {
		t.Errorf("Create below a file: error %v", err)
	}
}

func TestFolderThatWasRemovedIsMadeAgain(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	create(t, b, "orders/A1/a", "x")
	if err := os.RemoveAll(filepath.Join(folder, "orders")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(folder, tempFolder)); err != nil {
		t.Fatal(err)
	}
	create(t, b, "orders/A1/a", "y")
}

// TestFolderThatIsNoLongerThere: a bucket whose folder was taken away says so, instead of looking empty or writing where
// nobody will look.
func TestFolderThatIsNoLongerThere(t *testing.T) {
	for name, take := range map[string]func(folder string) error{
		"removed": os.RemoveAll,
		"moved":   func(folder string) error { return os.Rename(folder, folder+".old") },
		"replaced": func(folder string) error {
			return errors.Join(os.Rename(folder, folder+".old"), os.Mkdir(folder, 0o700))
		},
		"a file": func(folder string) error { return errors.Join(os.RemoveAll(folder), os.WriteFile(folder, nil, 0o600)) },
	} {
		folder := filepath.Join(t.TempDir(), "vault")
		b := open(t, folder)
		create(t, b, "pending/A1.x", "x")
		if err := take(folder); err != nil {
			t.Fatal(err)
		}
		if err := b.Create(t.Context(), "pending/A2.x", text("x")); !errors.Is(err, errMoved) {
			t.Errorf("%s: create: %v", name, err)
		}
		if err := b.Put(t.Context(), "retry/A1.x", text("x")); !errors.Is(err, errMoved) {
			t.Errorf("%s: put: %v", name, err)
		}
		listed := errors.New("nothing")
		for o, err := range b.List(t.Context(), "pending/", "") {
			if listed = err; err == nil {
				listed = errors.New(o.Key)
			}
		}
		if !errors.Is(listed, errMoved) {
			t.Errorf("%s: list: %v", name, listed)
		}
		if left, err := filepath.Glob(folder + ".old/*/A2*"); err != nil || len(left) > 0 {
			t.Errorf("%s: %v, %v", name, left, err)
		}
	}
}

func TestForeignNamesAreNoObjects(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	create(t, b, "orders/A1/a", "x")
	for _, name := range []string{".DS_Store", "a copy", "lost+found", "orders/A1/a~", "orders/.hidden"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"orders/A1/a"}, keys(t, b, "")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestGivenClock writes inside a bubble whose time stands still but for the sleep.
func TestGivenClock(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := open(t, folder, WithNow(time.Now))
		create(t, b, "created", "x")
		first := time.Now()
		time.Sleep(90 * time.Second)
		if err := b.Put(t.Context(), "put", text("y")); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]time.Time{"created": first, "put": first.Add(90 * time.Second)} {
			r, o, err := b.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			if !o.Modified.Equal(want) {
				t.Errorf("%s modified at %v, want %v", key, o.Modified, want)
			}
		}
	})
}

func TestErrorsHelpAPerson(t *testing.T) {
	for cause, want := range map[error]string{
		syscall.ENOSPC: "the disk is full",
		syscall.EROFS:  "mounted read-only",
		syscall.EACCES: "must belong to the user",
		syscall.EPERM:  "hard links",
	} {
		b := open(t, t.TempDir())
		b.sync = func(*os.File) error { return &fs.PathError{Op: "sync", Path: "x", Err: cause} }
		err := b.Create(t.Context(), "orders/A1/a", text("x"))
		if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "create object orders/A1/a: ") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want one that says %q", err, want)
		}
		if _, err := Open("/dev/null/folder"); err == nil {
			t.Error("Open below a file: no error")
		}
	}
}

// TestSyncs records every fsync, and whether the key showed by then.
func TestSyncs(t *testing.T) {
	folder := t.TempDir()
	b := open(t, folder)
	const key = "orders/A1/a"
	var got []string
	b.sync = func(f *os.File) error {
		name, err := filepath.Rel(folder, f.Name())
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, tempFolder+"/") {
			name = "temporary file"
		}
		if b.exists(key) {
			name += ", key shows"
		}
		got = append(got, name)
		return f.Sync()
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s synced %q, want %q", what, got, want)
		}
		got = nil
	}
	create(t, b, key, "x")
	expect("Create", "temporary file", ".", "orders", "orders/A1, key shows")
	_ = b.Create(t.Context(), key, text("y"))
	expect("Create of what exists", "orders/A1, key shows")
	_ = b.Put(t.Context(), key, text("y"))
	expect("Put", "temporary file, key shows", "orders/A1, key shows")
	_ = b.Delete(t.Context(), key)
	expect("Delete", "orders/A1")
	_ = b.Delete(t.Context(), key)
	expect("Delete of nothing", "orders/A1")
	create(t, b, key, "x")
	expect("Create in known folders", "temporary file", "orders/A1, key shows")
}

func TestFailedSyncIsAnError(t *testing.T) {
	for failing := 1; failing <= 4; failing++ {
		b := open(t, t.TempDir())
		calls := 0
		b.sync = func(*os.File) error {
			if calls++; calls == failing {
				return syscall.EIO
			}
			return nil
		}
		if err := b.Create(t.Context(), "orders/A1/a", text("x")); !errors.Is(err, syscall.EIO) {
			t.Errorf("sync %d failed, Create says %v", failing, err)
		}
		if err := b.Create(t.Context(), "orders/A1/a", text("x")); err != nil && !errors.Is(err, bucket.ErrExists) {
			t.Errorf("after failed sync %d: %v", failing, err)
		}
	}
}

// TestCancelledCopy ends the context while the body is being read.
func TestCancelledCopy(t *testing.T) {
	b := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	c := text(strings.Repeat("x", 1<<20))
	c.Body = struct {
		io.Reader
		io.Seeker
	}{io.TeeReader(c.Body, writerFunc(cancel)), c.Body}
	if err := b.Create(ctx, "a", c); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if got := keys(t, b, ""); got != nil {
		t.Errorf("objects %q", got)
	}
}

type writerFunc func()

func (f writerFunc) Write(p []byte) (int, error) { f(); return len(p), nil }
