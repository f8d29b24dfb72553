package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
)

// download writes an order's files into a folder: first all of them, checked, into a hidden folder beside their places, then
// each to its place.
type download struct {
	vault    *archive.Archive
	order    archive.Order
	dir      string
	force    bool
	keys     agekey.Identities // that decrypt what is encrypted; none writes it as it is
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
	if err := copyEvidence(ctx, io.MultiWriter(out, d.progress), r, f, d.keys); err != nil {
		return err
	}
	return out.Sync()
}

// copyEvidence checks what is stored against the manifest, and where that is decrypted, what comes out too.
func copyEvidence(ctx context.Context, out io.Writer, r io.Reader, f fetchedFile, keys agekey.Identities) error {
	want, stored, written := f.StoredAs(), newTally(), newTally()
	body := io.TeeReader(&untilDone{ctx: ctx, r: io.LimitReader(r, want.Size+1)}, stored)
	plain, err := f.opened(body, keys)
	if err == nil {
		_, err = io.Copy(io.MultiWriter(out, written), plain)
	}
	if _, rest := io.Copy(io.Discard, body); rest != nil { // what decryption has left, when it failed
		return rest
	}
	switch is, inside := stored.sum(), written.sum(); {
	case is.Size != want.Size:
		return fmt.Errorf("it has not the %d bytes that its manifest says: %w", want.Size, archive.ErrDamaged)
	case is.SHA256 != want.SHA256:
		return fmt.Errorf("its bytes are not those that its manifest says: %w", archive.ErrDamaged)
	case err != nil:
		return err
	case inside != f.written():
		return fmt.Errorf("what was decrypted is not what its name says: %w", archive.ErrDamaged)
	}
	return nil
}

// opened gives what is to be written of a stored file.
func (f fetchedFile) opened(body io.Reader, keys agekey.Identities) (io.Reader, error) {
	if f.Stored == nil || f.Encrypted {
		return body, nil
	}
	return keys.Decrypt(body)
}

// tally measures what is written to it.
type tally struct {
	hash hash.Hash
	size int64
}

func newTally() *tally { return &tally{hash: sha256.New()} }

// Write implements io.Writer.
func (t *tally) Write(p []byte) (int, error) {
	t.size += int64(len(p))
	return t.hash.Write(p)
}

func (t *tally) sum() archive.StoredAs {
	return archive.StoredAs{Size: t.size, SHA256: hex.EncodeToString(t.hash.Sum(nil))}
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
