package archive

import (
	"context"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// SealObject is one object of a seal, as a listing shows it.
type SealObject struct {
	Key      string    // set also when it is no seal's
	Start    time.Time // of the window
	Object   string    // SealLeaves, SealCheckpoint or SealToken
	Modified time.Time // by the store's clock
}

// ScanSeals lists the objects of the seals of windows that start at from (zero is the beginning) or later, in the order of time.
// A key that is none comes as an error for which Strange holds, and the scan goes on; any other error ends it.
func (a *Archive) ScanSeals(ctx context.Context, from time.Time) iter.Seq2[SealObject, error] {
	return func(yield func(SealObject, error) bool) {
		after := ""
		if !from.IsZero() {
			after = sealsPrefix + SealName(from)
		}
		for obj, err := range a.b.List(ctx, sealsPrefix, after) {
			if err != nil {
				yield(SealObject{}, fmt.Errorf("list seals: %w", err))
				return
			}
			s := SealObject{Key: obj.Key, Modified: obj.Modified}
			if s.Start, s.Object, err = parseSealKey(obj.Key); err != nil {
				err = fmt.Errorf("%w below %s: %w", errStrange, sealsPrefix, err)
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// ReadSeal gives a checkpoint or token whole; found is false when there is none.
func (a *Archive) ReadSeal(ctx context.Context, start time.Time, object string) (data []byte, found bool, err error) {
	key := SealKey(start, object)
	if data, found, err = a.read(ctx, key); err != nil {
		return nil, false, fmt.Errorf("read %s: %w", key, err)
	}
	return data, found, nil
}

// OpenSeal opens an object of a seal: leaves may be large. bucket.ErrNotFound when there is none. The caller closes the reader.
func (a *Archive) OpenSeal(ctx context.Context, start time.Time, object string) (io.ReadCloser, error) {
	r, _, err := a.b.Get(ctx, SealKey(start, object))
	return r, err
}

// CreateSeal creates an object of a seal, once: bucket.ErrExists when it is there.
func (a *Archive) CreateSeal(ctx context.Context, start time.Time, object string, c bucket.Content) error {
	c.Retain = true
	return a.b.Create(ctx, SealKey(start, object), c)
}
