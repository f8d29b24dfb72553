package cosbucket

import (
	"context"
	"errors"
	"io"
	"net/http"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Get implements bucket.Bucket.
func (b *Bucket) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	r, o, err := b.get(ctx, key)
	return r, o, bucket.Wrap("get object", key, err)
}

func (b *Bucket) get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	if err := bucket.CheckKey(key); err != nil {
		return nil, bucket.Object{}, err
	}
	res, err := b.do(ctx, func() (*cos.Response, error) { return b.sdk.Object.Get(ctx, key, nil) })
	switch {
	case kindOf(err) == Absent:
		return nil, bucket.Object{}, bucket.ErrNotFound
	case err != nil:
		return nil, bucket.Object{}, err
	}
	o, err := objectOf(key, res)
	if err != nil {
		return nil, bucket.Object{}, errors.Join(err, res.Body.Close())
	}
	return res.Body, o, nil
}

// objectOf reads an answer's header. Without a length, a body that was cut could not be told from a whole one.
func objectOf(key string, res *cos.Response) (bucket.Object, error) {
	modified, err := http.ParseTime(res.Header.Get("Last-Modified"))
	if err != nil || res.ContentLength < 0 {
		return bucket.Object{}, strange(res)
	}
	return bucket.Object{Key: key, Size: res.ContentLength, Modified: modified}, nil
}

// Delete implements bucket.Bucket.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	return bucket.Wrap("delete object", key, b.delete(ctx, key))
}

func (b *Bucket) delete(ctx context.Context, key string) error {
	if err := bucket.CheckKey(key); err != nil {
		return err
	}
	_, err := b.do(ctx, func() (*cos.Response, error) { return b.sdk.Object.Delete(ctx, key) })
	if kindOf(err) == Absent {
		return nil
	}
	return err
}
