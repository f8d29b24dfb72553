package s3bucket

import (
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Get implements bucket.Bucket. A body that breaks off is an error of its reader: what came may have been used already, so
// to ask again is up to the caller.
func (b *Bucket) Get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	r, o, err := b.get(ctx, key)
	if err != nil {
		return nil, bucket.Object{}, bucket.Wrap("get object", key, err)
	}
	return r, o, nil
}

func (b *Bucket) get(ctx context.Context, key string) (io.ReadCloser, bucket.Object, error) {
	if err := check(ctx, key); err != nil {
		return nil, bucket.Object{}, err
	}
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.config.Bucket, Key: &key})
	if err != nil {
		return nil, bucket.Object{}, b.explain(ctx, "s3:GetObject", err)
	}
	o := bucket.Object{Key: key, Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified)}
	return &object{ReadCloser: out.Body, ctx: ctx, bucket: b, key: key}, o, nil
}

// object is an object's bytes; an error names its key.
type object struct {
	io.ReadCloser
	ctx    context.Context
	bucket *Bucket
	key    string
}

func (o *object) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = bucket.Wrap("read object", o.key, o.bucket.explain(o.ctx, "s3:GetObject", err))
	}
	return n, err
}

// Delete implements bucket.Bucket. On a versioned bucket it leaves a delete marker, which counts as absent.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	return bucket.Wrap("delete object", key, b.delete(ctx, key))
}

func (b *Bucket) delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.config.Bucket, Key: &key})
	if answerOf(err).code == codeNoKey {
		return nil
	}
	return b.explain(ctx, "s3:DeleteObject", err)
}

func check(ctx context.Context, key string) error {
	if err := bucket.CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}
