package cosbucket

import (
	"context"
	"errors"
	"iter"
	"net/url"
	"time"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// pageSize is the most that COS lists in one answer (COS "GET Bucket").
const pageSize = 1000

// errNoProgress says that a page of a listing ends where it began.
var errNoProgress = errors.New("a listing goes round in circles")

// List implements bucket.Bucket. It may be stale. Objects whose names can not be keys, such as the folders that the
// console makes, are passed over.
func (b *Bucket) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		err := bucket.CheckPrefix(prefix)
		for more := true; more && err == nil; {
			var page page
			if page, err = b.page(ctx, prefix, after); err != nil {
				break
			}
			for _, o := range page.objects {
				if !yield(o, nil) {
					return
				}
			}
			more, after = page.more, page.next
		}
		if err != nil {
			yield(bucket.Object{}, bucket.Wrap("list objects", prefix, err))
		}
	}
}

// page is one answer of a listing.
type page struct {
	objects []bucket.Object
	more    bool
	next    string // the marker that the next page begins after
}

func (b *Bucket) page(ctx context.Context, prefix, after string) (page, error) {
	var listed *cos.BucketGetResult
	options := &cos.BucketGetOptions{Prefix: prefix, Marker: after, MaxKeys: pageSize, EncodingType: "url"}
	if _, err := b.do(ctx, func() (res *cos.Response, err error) {
		listed, res, err = b.sdk.Bucket.Get(ctx, options)
		if err == nil && listed.XMLName.Local == "" {
			err = errAnswer // the SDK takes an empty body for an empty bucket
		}
		return res, err
	}); err != nil {
		return page{}, err
	}
	return readPage(listed, after)
}

func readPage(listed *cos.BucketGetResult, after string) (page, error) {
	p := page{more: listed.IsTruncated}
	plain := func(s string) (string, error) { return s, nil }
	if listed.EncodingType == "url" {
		plain = url.PathUnescape
	}
	next := listed.NextMarker
	for _, entry := range listed.Contents {
		key, keyErr := plain(entry.Key)
		modified, timeErr := time.Parse(time.RFC3339, entry.LastModified)
		if keyErr != nil || timeErr != nil {
			return page{}, errAnswer
		}
		if listed.NextMarker == "" {
			next = entry.Key
		}
		if bucket.CheckKey(key) == nil {
			p.objects = append(p.objects, bucket.Object{Key: key, Size: entry.Size, Modified: modified})
		}
	}
	var err error
	if p.next, err = plain(next); err != nil {
		return page{}, errAnswer
	}
	if p.more && p.next <= after {
		return page{}, errNoProgress
	}
	return p, nil
}
