package smallfile_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kycvault/kycvault/pkg/smallfile"
)

func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, size int) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, bytes.Repeat([]byte("x"), size), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		write("empty", 0):                     "",
		write("most", smallfile.Most):         "",
		write("too large", smallfile.Most+1):  "it has more than 1048576 bytes",
		"/dev/zero":                           "it is no regular file",
		dir:                                   "it is no regular file",
		pipe:                                  "", // nobody writes: it is empty
		filepath.Join(dir, "none"):            "no such file",
		"PRIVATE+" + strings.Repeat("x", 300): "name too long",
	} {
		data, err := smallfile.Read(file)
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), dir) || strings.Contains(err.Error(), "PRIVATE")) {
			t.Errorf("%.40s: %d bytes, %v, want %q", file, len(data), err, want)
		}
		if info, _ := os.Stat(file); err == nil && int64(len(data)) != info.Size() {
			t.Errorf("%s: %d bytes", file, len(data))
		}
	}
}

// TestReadPipe: what a shell gives for <(…) is read to its end, also when it comes late, and not beyond the bound.
func TestReadPipe(t *testing.T) {
	t.Parallel()
	for size, good := range map[int]bool{0: true, 1000: true, smallfile.Most: true, smallfile.Most + 1: false} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = w.Write(bytes.Repeat([]byte("x"), size)) // a pipe holds less than most of them
			_ = w.Close()
		}()
		data, err := smallfile.Read(fmt.Sprintf("/dev/fd/%d", r.Fd()))
		if (err == nil) != good || good && len(data) != size {
			t.Errorf("%d bytes: %d, %v", size, len(data), err)
		}
		_ = r.Close()
	}
}
