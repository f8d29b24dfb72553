package archive

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/bucket"
)

// Plain is what is known of bytes that are stored encrypted.
type Plain struct {
	Size   int64
	Digest string // SHA-256, lower-case hex
}

// KeepEncrypted creates an encrypted evidence object under the name that its kind, the digest of its plain bytes and their
// extension make; c is the ciphertext. No two encryptions of the same bytes are alike, so the name alone says that two are
// the same thing: one that is there already counts. What is stored of it is then the first one's, which is read back; it
// must be a whole file of age with as many plain bytes as these. Otherwise it is ErrDamaged.
func (a *Archive) KeepEncrypted(ctx context.Context, o Order, kind Kind, ext string, p Plain, c bucket.Content) (Evidence, error) {
	e := Evidence{Name: Name{Kind: kind, Digest: p.Digest, Ext: EncryptedExt(ext)}, Size: c.Size, Plain: p.Size, SHA: hex.EncodeToString(c.SHA256[:])}
	c.Retain, c.MediaType = true, "" // what it is inside does not show
	err := a.b.Create(ctx, FileKey(o, e.File()), c)
	if errors.Is(err, bucket.ErrExists) {
		e.Size = anySize
		e, err = a.checkEncrypted(ctx, o, e)
		if err == nil && e.Plain != p.Size {
			err = fmt.Errorf("%s holds %d plain bytes, not %d: %w", FileKey(o, e.File()), e.Plain, p.Size, ErrDamaged)
		}
	}
	if err != nil {
		return Evidence{}, fmt.Errorf("keep %s of order %s: %w", kind, o, err)
	}
	return e, nil
}

// anySize says that the size of a stored object is not known yet.
const anySize = -1

// checkEncrypted re-reads an encrypted file and fills in what is stored, and how many plain bytes that holds.
func (a *Archive) checkEncrypted(ctx context.Context, o Order, e Evidence) (Evidence, error) {
	key := FileKey(o, e.File())
	r, _, err := a.b.Get(ctx, key)
	if err != nil {
		return e, err
	}
	defer func() { _ = r.Close() }()
	var begin agekey.Begin
	got, err := a.measureAll(ctx, io.TeeReader(r, &begin))
	if err != nil {
		return e, fmt.Errorf("read %s: %w", key, err)
	}
	if e.Size != anySize && got.size != e.Size {
		return e, fmt.Errorf("%s has %d bytes, not %d: %w", key, got.size, e.Size, ErrDamaged)
	}
	e.Size, e.SHA = got.size, got.digest
	if e.Plain, err = plainSize(&begin, got.size); err != nil {
		return e, fmt.Errorf("%s: %w", key, err)
	}
	return e, nil
}

// plainSize is how many plain bytes a stored file of age holds; ErrDamaged where it is none.
func plainSize(begin *agekey.Begin, stored int64) (int64, error) {
	head, err := begin.Head()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	n, err := head.PlainSize(stored)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return n, nil
}

// ReadOpenNote gives the note that stands in the open before an encrypted file's ciphertext.
func (a *Archive) ReadOpenNote(ctx context.Context, o Order, name string) ([]byte, error) {
	r, _, err := a.b.Get(ctx, FileKey(o, name))
	if err != nil {
		return nil, fmt.Errorf("read %s of order %s: %w", name, o, err)
	}
	defer func() { _ = r.Close() }()
	first, err := io.ReadAll(io.LimitReader(r, agekey.HeadMost))
	if err != nil {
		return nil, fmt.Errorf("read %s of order %s: %w", name, o, err)
	}
	head, err := agekey.ReadHead(first)
	if err != nil {
		return nil, fmt.Errorf("read %s of order %s: %w (%w)", name, o, ErrDamaged, err)
	}
	return head.Note, nil
}
