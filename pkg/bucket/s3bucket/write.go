package s3bucket

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// looks is how often a create is tried where the store says that the key is taken, and then that there is no such object.
const looks = 3

// errTakenByNothing is what such a store comes to.
var errTakenByNothing = errors.New("the store says that the key is taken (412), and that there is no such object (404): " +
	"over a delete marker of a versioned bucket, servers other than Amazon's can not create anew; take a bucket without versioning there")

// Create implements bucket.Bucket.
func (b *Bucket) Create(ctx context.Context, key string, c bucket.Content) error {
	return bucket.Wrap("create object", key, b.create(ctx, key, c))
}

func (b *Bucket) create(ctx context.Context, key string, c bucket.Content) error {
	for range looks {
		err := b.put(ctx, key, c, once)
		if answerOf(err).code != codePrecondition {
			return err
		}
		if there, err := b.exists(ctx, key); err != nil || there {
			return errors.Join(err, ifThere(there))
		}
	}
	return errTakenByNothing
}

func ifThere(there bool) error {
	if there {
		return bucket.ErrExists
	}
	return nil
}

// exists looks after a 412. Who may not look has the store's word only, which Amazon keeps.
func (b *Bucket) exists(ctx context.Context, key string) (bool, error) {
	_, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.config.Bucket, Key: &key})
	switch status := answerOf(err).status; {
	case err == nil, status == statusForbidden:
		return true, nil
	case status == statusNotFound:
		return false, nil
	}
	return false, b.explain(ctx, "s3:GetObject", err)
}

// Put implements bucket.Bucket.
func (b *Bucket) Put(ctx context.Context, key string, c bucket.Content) error {
	return bucket.Wrap("put object", key, b.put(ctx, key, c, over))
}

// How put treats an object that is there.
const (
	over = ""  // write over it
	once = "*" // If-None-Match
)

func (b *Bucket) put(ctx context.Context, key string, c bucket.Content, ifNoneMatch string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	if err := measure(c); err != nil {
		return err
	}
	in := b.request(key, c)
	if ifNoneMatch != over {
		in.IfNoneMatch = &ifNoneMatch
	}
	_, err := b.client.PutObject(ctx, in, s3.WithAPIOptions(signedAs(c)))
	return b.explain(ctx, "s3:PutObject", err)
}

// request is the PutObject of a content.
func (b *Bucket) request(key string, c bucket.Content) *s3.PutObjectInput {
	sum := base64.StdEncoding.EncodeToString(c.SHA256[:])
	mediaType := c.MediaType
	if mediaType == "" {
		mediaType = "application/octet-stream"
	}
	in := &s3.PutObjectInput{
		Bucket: &b.config.Bucket, Key: &key, Body: body{c.Body}, ContentLength: &c.Size, ContentType: &mediaType, ChecksumSHA256: &sum,
	}
	if b.config.KMSKey != "" {
		bucketKey := true // one call of KMS for many objects, not one for each
		in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled = types.ServerSideEncryptionAwsKms, &b.config.KMSKey, &bucketKey
	}
	if c.Retain {
		in.StorageClass = types.StorageClass(b.config.StorageClass)
		b.lock(in)
	}
	return in
}

// lock sets the retention, from the store's time where it is known.
func (b *Bucket) lock(in *s3.PutObjectInput) {
	if b.config.Lock == "" {
		return
	}
	now, ok := b.clock.now()
	if !ok {
		now = b.config.Now()
	}
	until := now.Add(b.config.Retain).UTC().Truncate(time.Second)
	in.ObjectLockMode, in.ObjectLockRetainUntilDate = types.ObjectLockMode(strings.ToUpper(b.config.Lock)), &until
}

// measure refuses a body of another length before a byte of it is sent, and rewinds it.
func measure(c bucket.Content) error {
	size, err := c.Body.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = c.Body.Seek(0, io.SeekStart)
	}
	if err != nil {
		return fmt.Errorf("rewind content: %w", err)
	}
	if size != c.Size {
		return fmt.Errorf("%d bytes, %d were announced: %w", size, c.Size, bucket.ErrMismatch)
	}
	return nil
}

// signedAs makes the known digest the one that the request is signed with. The SDK would read the body a second time for
// it over http, and leave it out over https.
func signedAs(c bucket.Content) func(*middleware.Stack) error {
	sum := hex.EncodeToString(c.SHA256[:])
	return func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("KnownPayloadHash",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(v4.SetPayloadHash(ctx, sum), in)
			}), middleware.Before)
	}
}

// body tells apart what went wrong with it from what went wrong with the network.
type body struct{ io.ReadSeeker }

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadSeeker.Read(p)
	if err != nil && err != io.EOF {
		err = &bodyError{err}
	}
	return n, err
}

// bodyError says that the bytes to be written could not be read.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "read content: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }
