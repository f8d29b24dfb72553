package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// Evidence is one evidence file as a listing shows it, or as it was just written.
type Evidence struct {
	Name
	Size  int64     // of the stored object
	At    time.Time // the store's modification time; zero for one that was just written
	Plain int64     // size of the plain bytes; of an encrypted file it is known once it was kept or checked
	SHA   string    // digest of the stored object, lower-case hex; known at the same time
}

// StoredAs gives what a manifest says of the stored object: nil unless it is encrypted.
func (e Evidence) StoredAs() *StoredAs {
	if !e.Encrypted() {
		return nil
	}
	return &StoredAs{Size: e.Size, SHA256: e.SHA}
}

// File is the evidence's file name.
func (e Evidence) File() string { return FileName(e.Kind, e.Digest, e.Ext) }

// ListEvidence lists the evidence of an order. Manifests and names of other versions are passed over.
func (a *Archive) ListEvidence(ctx context.Context, o Order) ([]Evidence, error) {
	var all []Evidence
	for obj, err := range a.b.List(ctx, orderPrefix(o), "") {
		if err != nil {
			return nil, fmt.Errorf("list evidence of order %s: %w", o, err)
		}
		if name, ok := ParseFileName(strings.TrimPrefix(obj.Key, orderPrefix(o))); ok {
			all = append(all, Evidence{Name: name, Size: obj.Size, At: obj.Modified})
		}
	}
	return all, nil
}

// KeepEvidence creates an evidence object under the name that its kind, digest and extension make. One that is there
// already is read back: the same bytes are success, others are ErrDamaged, for nothing may be overwritten.
func (a *Archive) KeepEvidence(ctx context.Context, o Order, kind Kind, ext string, c bucket.Content) (Evidence, error) {
	digest := hex.EncodeToString(c.SHA256[:])
	e := Evidence{Name: Name{Kind: kind, Digest: digest, Ext: ext}, Size: c.Size, Plain: c.Size, SHA: digest}
	key := FileKey(o, e.File())
	c.Retain = true
	err := a.b.Create(ctx, key, c)
	if errors.Is(err, bucket.ErrExists) {
		err = a.checkFile(ctx, key, e.Size, e.Digest)
	}
	if err != nil {
		return Evidence{}, fmt.Errorf("keep %s of order %s: %w", kind, o, err)
	}
	return e, nil
}

// OpenEvidence opens an evidence file. The caller closes the reader.
func (a *Archive) OpenEvidence(ctx context.Context, o Order, name string) (io.ReadCloser, bucket.Object, error) {
	return a.b.Get(ctx, FileKey(o, name))
}

// ReadSmall gives a small evidence file whole: a result.
func (a *Archive) ReadSmall(ctx context.Context, o Order, name string) ([]byte, error) {
	data, found, err := a.read(ctx, FileKey(o, name))
	if err == nil && !found {
		err = bucket.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of order %s: %w", name, o, err)
	}
	return data, nil
}

// Check re-reads evidence that a listing shows: its bytes must be those of its name, and its size the listed one.
// Otherwise it is ErrDamaged, and may not be named by a manifest. Of an encrypted file no more can be checked without a key
// than that it is a whole file of age; what it holds is then known from what its creator named it (see KeepEncrypted).
func (a *Archive) Check(ctx context.Context, o Order, e Evidence) (Evidence, error) {
	var err error
	if e.Encrypted() {
		e, err = a.checkEncrypted(ctx, o, e)
	} else {
		e.Plain, e.SHA = e.Size, e.Digest
		err = a.checkFile(ctx, FileKey(o, e.File()), e.Size, e.Digest)
	}
	if err != nil {
		return Evidence{}, fmt.Errorf("check evidence of order %s: %w", o, err)
	}
	return e, nil
}

// checkFile re-reads a stored file and compares size and digest.
func (a *Archive) checkFile(ctx context.Context, key string, size int64, digest string) error {
	r, obj, err := a.b.Get(ctx, key)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if obj.Size != size {
		return fmt.Errorf("%s has %d bytes, not %d: %w", key, obj.Size, size, ErrDamaged)
	}
	got, err := a.measureAll(ctx, r)
	if err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	if got.digest != digest {
		return fmt.Errorf("%s has other bytes than its name says: %w", key, ErrDamaged)
	}
	return nil
}

// measured is what a file's bytes are.
type measured struct {
	size   int64
	digest string
}

// measureAll reads to the end, or until ctx ends.
func (a *Archive) measureAll(ctx context.Context, r io.Reader) (measured, error) {
	buf := a.buffers.Get().(*buffer)
	defer a.buffers.Put(buf)
	h := sha256.New()
	var size int64
	for {
		n, err := r.Read(buf[:])
		_, _ = h.Write(buf[:n]) // never fails
		size += int64(n)
		switch {
		case errors.Is(err, io.EOF):
			return measured{size, hex.EncodeToString(h.Sum(nil))}, nil
		case err != nil:
			return measured{}, err
		case ctx.Err() != nil:
			return measured{}, context.Cause(ctx)
		}
	}
}
