// Package bucket declares the small contract between the archive and a store of objects. A driver translates, and
// nothing else: what keys exist, what "already there" means and what may be overwritten is decided in pkg/archive.
package bucket

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"iter"
	"time"
)

// ErrExists says that Create found an object under the key. On a store that may lose an answer it can also mean that
// one's own earlier try succeeded; the caller reads the object back to tell.
var ErrExists = errors.New("object exists")

// ErrNotFound says that there is no object under the key.
var ErrNotFound = errors.New("object not found")

// Object is what a listing tells of one object.
type Object struct {
	Key      string
	Size     int64
	Modified time.Time // by the store's clock
}

// Content is what Create and Put write: bytes that can be read again for a retry, their length and their digest, known
// before the first byte is sent. A driver fails the call, leaving nothing behind, when the bytes do not match.
type Content struct {
	Body      io.ReadSeeker
	Size      int64
	SHA256    [sha256.Size]byte
	CRC32C    []byte // 4 bytes, big-endian, where whoever made SHA256 made this in the same pass; nil is not known (see Copy)
	MediaType string // RFC 6838; "" is application/octet-stream
	Retain    bool   // evidence and manifests: the store's lock, where one is configured, applies
}

// Bytes makes the Content of a small object.
func Bytes(b []byte, mediaType string) Content {
	return Content{Body: bytes.NewReader(b), Size: int64(len(b)), SHA256: sha256.Sum256(b), MediaType: mediaType}
}

// Bucket is a store of objects. Keys are slash-separated, of letters, digits, '.', '_' and '-', with no empty, "." or ".."
// element. All methods may be called at the same time from many goroutines and processes. A call that returns nil
// has its effect on stable storage; one that returns another error than ErrExists or ErrNotFound may or may not
// have had it. Errors name the key and what was tried, never the bytes.
type Bucket interface {
	// Create writes an object that must not exist yet; of any number of racing calls exactly one wins, the others get
	// ErrExists. A half-written object never shows.
	Create(ctx context.Context, key string, c Content) error
	// Put writes an object, replacing any older one.
	Put(ctx context.Context, key string, c Content) error
	// Get opens an object; ErrNotFound when there is none. The caller closes the reader.
	Get(ctx context.Context, key string) (io.ReadCloser, Object, error)
	// Delete removes an object; one that is not there is no error.
	Delete(ctx context.Context, key string) error
	// List yields the objects whose keys begin with prefix, in ascending byte order, from the first key greater than
	// after ("" is from the start). An error ends the sequence. It may be stale where Properties says so.
	List(ctx context.Context, prefix, after string) iter.Seq2[Object, error]
	// Now is the store's clock, the one that Object.Modified is taken from.
	Now(ctx context.Context) (time.Time, error)
	// Properties tells how this store differs from others.
	Properties() Properties
}

// Properties are the differences between stores, as data that tests, doctor and the documents read.
type Properties struct {
	Name          string // "file", "s3", "cos"; "memory" in tests
	StrongListing bool   // a listing shows every write that returned before it began
	OwnClock      bool   // Now is another clock than this machine's
}
