package cosbucket

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"net/http"
	"strconv"
	"sync"

	cos "github.com/tencentyun/cos-go-sdk-v5"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Headers of COS "PUT Object" that the SDK has no field for.
const (
	forbidHeader    = "x-cos-forbid-overwrite"
	kmsKeyHeader    = "x-cos-server-side-encryption-cos-kms-key-id"
	crcHeader       = "x-cos-hash-crc64ecma"
	versionIDHeader = "x-cos-version-id"
)

// maxSize is the most that COS takes in one request, in bytes (COS "PUT Object").
const maxSize = 5 << 30

// errStored says that COS stored other bytes than were sent.
var errStored = errors.New("the CRC-64 of the answer is not that of the bytes sent: the stored object is damaged")

// Create implements bucket.Bucket. After a lost answer it may tell ErrExists of the caller's own object.
func (b *Bucket) Create(ctx context.Context, key string, c bucket.Content) error {
	return bucket.Wrap("create object", key, b.write(ctx, key, c, b.create))
}

// Put implements bucket.Bucket.
func (b *Bucket) Put(ctx context.Context, key string, c bucket.Content) error {
	return bucket.Wrap("put object", key, b.write(ctx, key, c, b.replace))
}

// write checks all that can be known before a byte is sent: the key, the bytes, the bucket.
func (b *Bucket) write(ctx context.Context, key string, c bucket.Content, send func(context.Context, *upload) error) error {
	if err := bucket.CheckKey(key); err != nil {
		return err
	}
	u, err := newUpload(ctx, key, c)
	if err != nil {
		return err
	}
	if err := b.mayWrite(ctx); err != nil {
		return err
	}
	return send(ctx, u)
}

// upload is a Content whose bytes were read and checked.
type upload struct {
	key     string
	content bucket.Content
	md5     string // as Content-MD5 has it
	crc     uint64
}

// newUpload reads the bytes once to check them, and to know the digests that COS checks with. This second reading is what
// lets COS refuse damaged bytes before they get a name that nobody may write again.
func newUpload(ctx context.Context, key string, c bucket.Content) (*upload, error) {
	if c.Size > maxSize {
		return nil, fmt.Errorf("%d bytes are more than COS takes in one request", c.Size)
	}
	sum, crc := md5.New(), crc64.New(crc64.MakeTable(crc64.ECMA))
	if err := bucket.Copy(ctx, io.MultiWriter(sum, crc), c); err != nil {
		return nil, err
	}
	return &upload{key: key, content: c, md5: base64.StdEncoding.EncodeToString(sum.Sum(nil)), crc: crc.Sum64()}, nil
}

func (b *Bucket) replace(ctx context.Context, u *upload) error {
	for n := 0; ; n++ {
		err := b.send(ctx, u, false)
		if err == nil || !b.again(ctx, err, n) {
			return err
		}
	}
}

// create also decides what a refusal means. Where no answer came, or a conflict that is not "already exists", it looks before
// it sends the bytes again or concludes.
func (b *Bucket) create(ctx context.Context, u *upload) error {
	for n := 0; ; n++ {
		err := b.send(ctx, u, true)
		kind := kindOf(err)
		switch {
		case err == nil:
			return b.prove(ctx, u)
		case kind == Taken && codeOf(err) == codeExists:
			b.guard.kept()
			return bucket.ErrExists
		case (kind == Taken || kind == Unreachable) && b.exists(ctx, u.key):
			return bucket.ErrExists
		case kind == Taken && n < len(b.pauses) && b.pause(ctx, b.pauses[n]):
		case !b.again(ctx, err, n):
			return err
		}
	}
}

// codeExists is what forbid-overwrite is refused with (COS "PUT Object").
const codeExists = "FileAlreadyExists"

func codeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// exists looks for an object; when that can not be known, it tells of none.
func (b *Bucket) exists(ctx context.Context, key string) bool {
	_, err := b.once(ctx, func() (*cos.Response, error) { return b.sdk.Object.Head(ctx, key, nil) })
	return err == nil
}

// send makes one PUT and checks its answer.
func (b *Bucket) send(ctx context.Context, u *upload, once bool) error {
	body, err := u.open()
	if err != nil {
		return err
	}
	res, err := b.once(ctx, func() (*cos.Response, error) {
		return b.sdk.Object.Put(ctx, u.key, body.reader(), b.putOptions(u, once))
	})
	if broken := body.stop(); broken != nil && err != nil {
		return fmt.Errorf("read content: %w", broken)
	}
	if err != nil {
		return err
	}
	return b.check(res, u)
}

// check compares the CRC-64. COS documents it for every put, but did not always: an answer that has an ETag and no CRC is one
// of COS too, which has then compared Content-MD5 itself.
func (b *Bucket) check(res *cos.Response, u *upload) error {
	text := res.Header.Get(crcHeader)
	if text == "" && res.Header.Get("ETag") == "" {
		return strange(res)
	}
	if got, err := strconv.ParseUint(text, 10, 64); text != "" && (err != nil || got != u.crc) {
		return errStored
	}
	if res.Header.Get(versionIDHeader) != "" { // versioning was switched on meanwhile
		b.guard.versioned(Enabled)
		return refusal(Enabled)
	}
	return nil
}

func (b *Bucket) putOptions(u *upload, once bool) *cos.ObjectPutOptions {
	more := http.Header{}
	if once {
		more.Set(forbidHeader, "true")
	}
	if b.config.KMSKey != "" {
		more.Set(kmsKeyHeader, b.config.KMSKey)
	}
	o := &cos.ObjectPutHeaderOptions{
		ContentType: u.content.MediaType, ContentLength: u.content.Size, ContentMD5: u.md5,
		XCosServerSideEncryption: b.config.Encryption, XOptionHeader: &more,
	}
	if o.ContentType == "" {
		o.ContentType = "application/octet-stream"
	}
	if u.content.Retain {
		o.XCosStorageClass = b.config.StorageClass
	}
	return &cos.ObjectPutOptions{ObjectPutHeaderOptions: o}
}

// body is one sending of a Content's bytes. net/http may go on reading a body after it has answered; stop ends that, so that
// the next try, or the caller, has the Content to itself.
type body struct {
	mu   sync.Mutex
	r    io.Reader // nil after stop
	size int64
	err  error
}

func (u *upload) open() (*body, error) {
	if _, err := u.content.Body.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("rewind content: %w", err)
	}
	return &body{r: io.LimitReader(u.content.Body, u.content.Size), size: u.content.Size}, nil
}

// reader is what the SDK is given: of an empty content, something that it knows to be empty.
func (b *body) reader() io.Reader {
	if b.size == 0 {
		return bytes.NewReader(nil)
	}
	return b
}

var errStopped = errors.New("the request has ended")

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.r == nil {
		return 0, errStopped
	}
	n, err := b.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// stop gives the error that the Content itself failed with, if it did.
func (b *body) stop() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.r = nil
	return b.err
}
