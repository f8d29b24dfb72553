package dirbucket

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Create implements bucket.Bucket.
func (b *Bucket) Create(ctx context.Context, key string, c bucket.Content) error {
	return bucket.Wrap("create object", key, explain(b.create(ctx, key, c)))
}

func (b *Bucket) create(ctx context.Context, key string, c bucket.Content) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	if b.exists(key) { // spares the copy; link decides
		return b.alreadyThere(key)
	}
	err := b.write(ctx, key, c, b.root.Link)
	if errors.Is(err, fs.ErrExist) {
		return b.alreadyThere(key)
	}
	return err
}

// Put implements bucket.Bucket.
func (b *Bucket) Put(ctx context.Context, key string, c bucket.Content) error {
	return bucket.Wrap("put object", key, explain(b.put(ctx, key, c)))
}

func (b *Bucket) put(ctx context.Context, key string, c bucket.Content) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	return b.write(ctx, key, c, b.root.Rename)
}

// Delete implements bucket.Bucket. Folders stay, also empty ones.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	return bucket.Wrap("delete object", key, explain(b.remove(ctx, key)))
}

func (b *Bucket) remove(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	if b.isFolder(key) {
		return nil // no object; Remove would take an empty folder away
	}
	if err := b.root.Remove(key); err != nil && !missing(err) {
		return err
	}
	if err := b.syncFolder(path.Dir(key)); err != nil && !missing(err) {
		return err
	}
	return nil
}

// write makes a whole and synced temporary file and lets publish give it its name.
func (b *Bucket) write(ctx context.Context, key string, c bucket.Content, publish func(from, to string) error) error {
	if err := b.inPlace(); err != nil {
		return err
	}
	temp, err := b.writeTemp(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = b.root.Remove(temp) }() // after a rename there is none
	folder := path.Dir(key)
	if err := b.makeFolders(folder); err != nil {
		return err
	}
	err = publish(temp, key)
	if errors.Is(err, fs.ErrNotExist) { // someone removed an empty folder that was known
		b.forgetFolders()
		if err := b.makeFolders(folder); err != nil {
			return err
		}
		err = publish(temp, key)
	}
	if err != nil {
		return err
	}
	return b.syncFolder(folder)
}

// alreadyThere makes sure that the name in the way is on stable storage, as its maker may not have come that far.
func (b *Bucket) alreadyThere(key string) error {
	if b.isFolder(key) {
		return errFolder
	}
	folder := path.Dir(key)
	if err := b.makeFolders(folder); err != nil {
		return err
	}
	if err := b.syncFolder(folder); err != nil {
		return err
	}
	return bucket.ErrExists
}

func (b *Bucket) exists(key string) bool {
	_, err := b.root.Lstat(key)
	return err == nil
}

func (b *Bucket) isFolder(key string) bool {
	info, err := b.root.Lstat(key)
	return err == nil && info.IsDir()
}

func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return bucket.CheckKey(key)
}

// writeTemp writes c into a new temporary file, checked and synced, and gives its path below the root.
func (b *Bucket) writeTemp(ctx context.Context, c bucket.Content) (string, error) {
	f, name, err := b.openTemp()
	if err != nil {
		return "", err
	}
	err = b.fill(ctx, f, name, c)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		_ = b.root.Remove(name)
		return "", err
	}
	return name, nil
}

func (b *Bucket) fill(ctx context.Context, f *os.File, name string, c bucket.Content) error {
	if err := bucket.Copy(ctx, f, c); err != nil {
		return err
	}
	if b.setTime {
		now := b.now()
		if err := b.root.Chtimes(name, now, now); err != nil {
			return err
		}
	}
	return b.sync(f)
}
