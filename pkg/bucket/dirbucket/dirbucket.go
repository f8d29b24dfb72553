// Package dirbucket keeps objects as files in a folder: the driver for tests, demos and one machine.
//
// A key is a path below the folder. Files have mode 0600 and folders 0700. Nothing leaves the folder: every path goes
// through os.Root, so a symbolic link that points outside is refused.
//
// What a call must have done when it returns nil (DESIGN section 4):
//   - Create and Put must have synced the file before its name appears, and the folder, with every folder above it,
//     after. Delete must have synced the folder.
//   - Create must not replace a file: the name is made by link(2), which fails when it exists. ErrExists must not be
//     told of a name that a power failure could still take back.
//   - A half-written file must not have a key: it lies in .tmp until it is whole. What a dead process left there is
//     swept by a later Open when it is an hour old.
//   - The folder must still be the one at its path. One that was removed, moved away or mounted over while it was in use
//     must not look empty, and must not take a file that nobody will find at the path.
//
// The store has no lock: Content.Retain has no effect.
package dirbucket

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Bucket implements bucket.Bucket on a folder. Any number of goroutines and processes may use the same folder.
type Bucket struct {
	root    *os.Root
	path    string      // absolute
	folder  os.FileInfo // which folder root is
	now     func() time.Time
	setTime bool // object times come from now instead of the file system
	sync    func(*os.File) error

	mu      sync.Mutex
	durable map[string]bool // folders that are known to be on stable storage
}

// An Option changes how Open makes a Bucket.
type Option func(*Bucket)

// WithNow makes now the store's clock, and gives objects their times from it. It is for tests that control time.
func WithNow(now func() time.Time) Option {
	return func(b *Bucket) { b.now, b.setTime = now, true }
}

// Open opens the folder at path, makes it if there is none, and sweeps temporary files that a dead process left.
func Open(path string, options ...Option) (*Bucket, error) {
	b := &Bucket{now: time.Now, sync: (*os.File).Sync, durable: map[string]bool{}}
	for _, option := range options {
		option(b)
	}
	if err := b.open(path); err != nil {
		return nil, fmt.Errorf("open folder %s: %w", path, explain(err))
	}
	b.sweep()
	return b, nil
}

func (b *Bucket) open(path string) error {
	if err := b.makeRoot(path); err != nil {
		return err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	b.root = root
	if b.path, err = filepath.Abs(path); err == nil {
		b.folder, err = root.Stat(".")
	}
	if err != nil {
		_ = root.Close()
	}
	return err
}

// inPlace makes sure that the folder is the one at its path.
func (b *Bucket) inPlace() error {
	switch at, err := os.Stat(b.path); {
	case missing(err):
		return errMoved
	case err == nil && !os.SameFile(at, b.folder):
		return errMoved
	}
	return nil // it is, or this user may not look
}

// Close lets go of the folder. Calls after it fail.
func (b *Bucket) Close() error { return b.root.Close() }

// Now implements bucket.Bucket: it is this machine's clock, or the one of WithNow.
func (b *Bucket) Now(context.Context) (time.Time, error) { return b.now(), nil }

// Properties implements bucket.Bucket.
func (b *Bucket) Properties() bucket.Properties {
	return bucket.Properties{Name: "file", StrongListing: true}
}
