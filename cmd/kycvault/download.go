package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kycvault/kycvault/pkg/archive"
)

// download writes an order's files into a folder: first all of them, checked, into a hidden folder beside their places, then
// each to its place.
type download struct {
	vault    *archive.Archive
	order    archive.Order
	dir      string
	force    bool
	progress *progress
}

// all writes every file, or none.
func (d *download) all(ctx context.Context, files []fetchedFile) (err error) {
	made, err := makeFolder(d.dir)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && made {
			_ = os.Remove(d.dir) // it stays when something is in it
		}
	}()
	temp, err := os.MkdirTemp(d.dir, ".kycvault-*")
	if err != nil {
		return fmt.Errorf("make temporary folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	defer d.progress.end()
	for _, f := range files {
		if err := d.one(ctx, f, filepath.Join(temp, filepath.Base(f.Path))); err != nil {
			return fmt.Errorf("fetch %s of order %s: %w", f.Kind, d.order, err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err // from here on it is quicker to end than to go back
	}
	return d.publish(temp, files)
}

// makeFolder makes a folder, and tells whether it was not there.
func makeFolder(dir string) (made bool, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		made = true
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	return made, nil
}

// one writes a file and checks it against the manifest. Nobody else may read it: it is evidence.
func (d *download) one(ctx context.Context, f fetchedFile, path string) (err error) {
	r, _, err := d.vault.OpenEvidence(ctx, d.order, f.Name)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := out.Close(); err == nil {
			err = closeErr
		}
	}()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, h, d.progress), &untilDone{ctx: ctx, r: io.LimitReader(r, f.Size+1)})
	switch {
	case err != nil:
		return err
	case n != f.Size:
		return fmt.Errorf("it has not the %d bytes that its manifest says: %w", f.Size, archive.ErrDamaged)
	case hex.EncodeToString(h.Sum(nil)) != f.SHA256:
		return fmt.Errorf("its bytes are not those that its manifest says: %w", archive.ErrDamaged)
	}
	return out.Sync()
}

// publish gives each whole file its name. Should one fail, those before it are taken back; what they were
// written over is gone then.
func (d *download) publish(temp string, files []fetchedFile) error {
	var placed []string
	for _, f := range files {
		if err := d.place(filepath.Join(temp, filepath.Base(f.Path)), f.Path); err != nil {
			for _, path := range placed {
				_ = os.Remove(path)
			}
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
		placed = append(placed, f.Path)
	}
	return nil
}

// place moves a file to its name. Without force the name must be free: creating it decides, for another program may be at it.
func (d *download) place(from, to string) error {
	if d.force {
		return os.Rename(from, to)
	}
	reserved, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(reserved.Close(), os.Rename(from, to)); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

// untilDone ends reading when its context ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
