// Package archive is the bucket as a database: every key, markers, evidence, manifests, the journal, and the checker.
// Create-once and reading a key decide; a listing only hints (DESIGN section 4).
package archive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// maxRecord bounds the small JSON objects that are read whole: markers, notes, manifests. A manifest names a handful of files.
const maxRecord = 1 << 20

// ErrNewer says that a record was written by a later version of kycvault than this one can read.
var ErrNewer = errors.New("written by a newer kycvault; update this one")

// ErrDamaged says that a stored record or file is not what its name or format promises.
var ErrDamaged = errors.New("damaged (kycvault verify tells more)")

// Archive keeps orders in a bucket. All methods are safe for many goroutines and processes.
type Archive struct {
	b       bucket.Bucket
	buffers sync.Pool // that files are read through: there are very many
}

// New makes the archive that lies in b; b carries the archive's prefix, if there is one.
func New(b bucket.Bucket) *Archive {
	return &Archive{b: b, buffers: sync.Pool{New: func() any { return new(buffer) }}}
}

// buffer is what a file is read through.
type buffer [128 << 10]byte

// Bucket gives the store below, for the parts with keys of their own (tickets, doctor).
func (a *Archive) Bucket() bucket.Bucket { return a.b }

// Now is the store's clock, the one that every age is measured with.
func (a *Archive) Now(ctx context.Context) (time.Time, error) {
	now, err := a.b.Now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("read store's clock: %w", err)
	}
	return now, nil
}

// read gives a small object whole; found is false when there is none.
func (a *Archive) read(ctx context.Context, key string) (data []byte, found bool, err error) {
	r, _, err := a.b.Get(ctx, key)
	if errors.Is(err, bucket.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = r.Close() }()
	data, err = io.ReadAll(io.LimitReader(r, maxRecord+1))
	if err != nil {
		return nil, false, fmt.Errorf("read %s: %w", key, err)
	}
	if len(data) > maxRecord {
		return nil, false, fmt.Errorf("read %s: more than %d bytes: %w", key, maxRecord, ErrDamaged)
	}
	return data, true, nil
}

// exists tells whether there is an object under the key, by reading it and not by listing.
func (a *Archive) exists(ctx context.Context, key string) (bool, error) {
	_, found, err := a.read(ctx, key)
	return found, err
}

// createOnce writes a small record that is the same whoever writes it: already there is success.
func (a *Archive) createOnce(ctx context.Context, key string, data []byte, mediaType string) error {
	err := a.b.Create(ctx, key, bucket.Bytes(data, mediaType))
	if errors.Is(err, bucket.ErrExists) {
		return nil
	}
	return err
}

const jsonType = "application/json"

// encode writes a record as indented JSON with a last line break: people read these files too.
func encode(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return append(data, '\n'), nil
}

// decode reads a record of the given version; older readers refuse newer records, unknown fields are tolerated.
//
//nolint:unparam // the versions of manifests and of markers are raised each on its own
func decode(key string, data []byte, version int, v any) error {
	var head struct {
		V       int `json:"v"`
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("parse %s: %w (%w)", key, ErrDamaged, err)
	}
	if max(head.V, head.Version) > version {
		return fmt.Errorf("parse %s: version %d: %w", key, max(head.V, head.Version), ErrNewer)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("parse %s: %w (%w)", key, ErrDamaged, err)
	}
	return nil
}
