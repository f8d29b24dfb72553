package archive

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kycvault/kycvault/pkg/agekey"
)

// expected is what a file should be, as its name and the manifest say.
type expected struct {
	size      int64  // of the stored object
	digest    string // of the stored object; "" is not known: an encrypted file that no manifest names
	encrypted bool
	plain     measured // of an encrypted file; size -1 is not known
}

// listed is what is known of a file that a listing shows.
func listed(file string, size int64) expected {
	name, _ := ParseFileName(file)
	if name.Encrypted() {
		return expected{size: size, encrypted: true, plain: measured{anySize, name.Digest}}
	}
	return expected{size: size, digest: name.Digest}
}

// named is what is known of a file that a manifest names.
func named(f File) expected {
	name, _ := ParseFileName(f.Name)
	stored := f.StoredAs()
	want := expected{size: stored.Size, digest: stored.SHA256, encrypted: name.Encrypted()}
	if want.encrypted {
		want.plain = measured{f.Size, name.Digest}
	}
	return want
}

// storedAs tells whether the stored object is the one that it should be, as far as that is known.
func (w expected) storedAs(got measured) bool {
	return got.size == w.size && (w.digest == "" || got.digest == w.digest)
}

// reading is what a file's bytes are. Trouble says in what an encrypted one is not what its name says, though it be what was
// stored; nil is none.
type reading struct {
	measured
	plain   measured // digest "" is not known: no key was given
	trouble error
}

// fits tells whether a file is what it should be. It says in got what is wrong with an encrypted one.
func (w expected) fits(got reading) bool { return w.storedAs(got.measured) && w.judge(got) == nil }

// judge says in what the inside of an encrypted file is not what it should be.
func (w expected) judge(got reading) error {
	switch {
	case !w.encrypted:
		return nil
	case got.trouble != nil:
		return got.trouble
	case w.plain.size != anySize && got.plain.size != w.plain.size:
		return fmt.Errorf("it holds %d plain bytes, and the manifest says %d", got.plain.size, w.plain.size)
	case got.plain.digest != "" && got.plain.digest != w.plain.digest:
		return errors.New("its plain bytes have another digest")
	}
	return nil
}

// measure re-reads a stored file. Of an encrypted one it also learns how many plain bytes it holds, and with keys which.
func (v *verifier) measure(ctx context.Context, key string, encrypted bool) (reading, error) {
	r, _, err := v.a.b.Get(ctx, key)
	if err != nil {
		return reading{}, err
	}
	defer func() { _ = r.Close() }()
	var got reading
	switch {
	case !encrypted:
		got.measured, err = v.a.measureAll(ctx, r)
	case v.options.Keys == nil:
		got, err = v.a.measureClosed(ctx, r)
	default:
		got, err = v.a.measureOpened(ctx, r, v.options.Keys)
	}
	if err != nil {
		return reading{}, fmt.Errorf("read %s: %w", key, err)
	}
	return got, nil
}

// measureClosed measures an encrypted file without a key.
func (a *Archive) measureClosed(ctx context.Context, r io.Reader) (got reading, err error) {
	var begin agekey.Begin
	if got.measured, err = a.measureAll(ctx, io.TeeReader(r, &begin)); err != nil {
		return reading{}, err
	}
	got.plain.size, got.trouble = plainSize(&begin, got.size)
	return got, nil
}

// measureOpened measures an encrypted file and what it holds, in one pass.
func (a *Archive) measureOpened(ctx context.Context, r io.Reader, keys agekey.Identities) (got reading, err error) {
	stored := newMeter(r)
	plain, err := keys.Decrypt(stored)
	if err == nil {
		got.plain, err = a.measureAll(ctx, plain)
	}
	if stored.err != nil || ctx.Err() != nil {
		return reading{}, errors.Join(stored.err, context.Cause(ctx))
	}
	got.trouble = err
	if _, err := a.measureAll(ctx, stored); err != nil { // what decryption has left unread
		return reading{}, err
	}
	got.measured = stored.sum()
	return got, nil
}
