package s3bucket

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// List implements bucket.Bucket: 1,000 objects a request. What others have put there under keys that are none, as the
// folders of a console, does not show.
func (b *Bucket) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		if err := b.list(ctx, prefix, after, func(o bucket.Object) bool { return yield(o, nil) }); err != nil {
			yield(bucket.Object{}, bucket.Wrap("list objects", prefix, err))
		}
	}
}

// list shows one page after the other, until show says no.
func (b *Bucket) list(ctx context.Context, prefix, after string, show func(bucket.Object) bool) error {
	if err := bucket.CheckPrefix(prefix); err != nil {
		return err
	}
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := b.page(ctx, prefix, after)
		if err != nil {
			return b.explain(ctx, "s3:ListBucket", err)
		}
		for _, o := range page.Contents {
			after = aws.ToString(o.Key)
			if bucket.CheckKey(after) != nil {
				continue
			}
			if !show(bucket.Object{Key: after, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}) {
				return nil
			}
		}
		more = aws.ToBool(page.IsTruncated) && len(page.Contents) > 0
	}
	return nil
}

func (b *Bucket) page(ctx context.Context, prefix, after string) (*s3.ListObjectsV2Output, error) {
	in := &s3.ListObjectsV2Input{Bucket: &b.config.Bucket}
	if prefix != "" {
		in.Prefix = &prefix
	}
	if after != "" {
		in.StartAfter = &after
	}
	return b.client.ListObjectsV2(ctx, in)
}
