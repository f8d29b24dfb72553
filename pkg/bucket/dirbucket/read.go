package dirbucket

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Get implements bucket.Bucket.
func (b *Bucket) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	f, o, err := b.get(ctx, key)
	if err != nil {
		return nil, bucket.Object{}, bucket.Wrap("get object", key, explain(err))
	}
	return f, o, nil
}

func (b *Bucket) get(ctx context.Context, key string) (*os.File, bucket.Object, error) {
	if err := check(ctx, key); err != nil {
		return nil, bucket.Object{}, err
	}
	f, err := b.root.Open(key)
	if missing(err) {
		return nil, bucket.Object{}, bucket.ErrNotFound
	}
	if err != nil {
		return nil, bucket.Object{}, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = bucket.ErrNotFound
	}
	if err != nil {
		_ = f.Close()
		return nil, bucket.Object{}, err
	}
	return f, object(key, info), nil
}

func object(key string, info fs.FileInfo) bucket.Object {
	return bucket.Object{Key: key, Size: info.Size(), Modified: info.ModTime()}
}

// missing tells whether there is no file: none of that name, or a file where a folder would have to be.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
