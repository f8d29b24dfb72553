package dirbucket

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"time"
)

// tempFolder holds files that are not whole yet. No key begins with a dot.
const tempFolder = ".tmp"

// tempAge is how long a temporary file must have been left alone before it is swept. A file that is being written is
// never that old, as each write renews its time.
const tempAge = time.Hour

func (b *Bucket) openTemp() (*os.File, string, error) {
	name := tempFolder + "/" + rand.Text()
	f, err := b.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, name, err
	}
	if err := b.root.Mkdir(tempFolder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, "", err
	}
	f, err = b.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return f, name, err
}

// sweep removes old temporary files. It reports no errors: a file that stays harms nobody, and a folder that can only
// be read can still be read.
func (b *Bucket) sweep() {
	folder, err := b.root.OpenRoot(tempFolder)
	if err != nil {
		return
	}
	defer func() { _ = folder.Close() }()
	f, err := folder.Open(".")
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		info, err := folder.Lstat(name)
		if err == nil && info.Mode().IsRegular() && b.now().Sub(info.ModTime()) > tempAge {
			_ = folder.Remove(name)
		}
	}
}
