package bucket

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
)

// Prefixed gives the part of b whose keys begin with prefix and a slash, under keys without it. It is the one place
// where an archive's prefix is added. A slash at the end of prefix makes no difference; "" gives b itself.
func Prefixed(b Bucket, prefix string) (Bucket, error) {
	if prefix == "" {
		return b, nil
	}
	prefix = strings.TrimSuffix(prefix, "/")
	if err := CheckKey(prefix); err != nil {
		return nil, fmt.Errorf("use prefix %q: %w", prefix, err)
	}
	return prefixed{b, prefix + "/"}, nil
}

type prefixed struct {
	bucket Bucket
	prefix string
}

func (p prefixed) Create(ctx context.Context, key string, c Content) error {
	return p.bucket.Create(ctx, p.prefix+key, c)
}

func (p prefixed) Put(ctx context.Context, key string, c Content) error {
	return p.bucket.Put(ctx, p.prefix+key, c)
}

func (p prefixed) Get(ctx context.Context, key string) (io.ReadCloser, Object, error) {
	r, o, err := p.bucket.Get(ctx, p.prefix+key)
	o.Key = strings.TrimPrefix(o.Key, p.prefix)
	return r, o, err
}

func (p prefixed) Delete(ctx context.Context, key string) error {
	return p.bucket.Delete(ctx, p.prefix+key)
}

func (p prefixed) List(ctx context.Context, prefix, after string) iter.Seq2[Object, error] {
	if after != "" {
		after = p.prefix + after
	}
	objects := p.bucket.List(ctx, p.prefix+prefix, after)
	return func(yield func(Object, error) bool) {
		for o, err := range objects {
			o.Key = strings.TrimPrefix(o.Key, p.prefix)
			if !yield(o, err) {
				return
			}
		}
	}
}

func (p prefixed) Now(ctx context.Context) (time.Time, error) { return p.bucket.Now(ctx) }

func (p prefixed) Properties() Properties { return p.bucket.Properties() }
