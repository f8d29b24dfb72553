package dirbucket

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// maxDurable bounds the memory of known folders; orders have one each.
const maxDurable = 1024

// makeFolders makes the folder and those above it, and makes sure that their names are on stable storage, also when
// another process made them a moment ago and died before it came to that.
func (b *Bucket) makeFolders(folder string) error {
	if folder == "." || b.isDurable(folder) {
		return nil
	}
	above := path.Dir(folder)
	if err := b.makeFolders(above); err != nil {
		return err
	}
	if err := b.root.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := b.syncFolder(above); err != nil {
		return err
	}
	b.setDurable(folder)
	return nil
}

func (b *Bucket) isDurable(folder string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.durable[folder]
}

func (b *Bucket) setDurable(folder string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.durable) >= maxDurable {
		clear(b.durable)
	}
	b.durable[folder] = true
}

func (b *Bucket) forgetFolders() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.durable)
}

func (b *Bucket) syncFolder(folder string) error {
	f, err := b.root.Open(folder)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return b.sync(f)
}

// makeRoot makes the bucket's own folder, and those above it, where they are missing.
func (b *Bucket) makeRoot(folder string) error {
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(filepath.Clean(folder))
	if err := b.makeRoot(above); err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(above)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return b.sync(f)
}
