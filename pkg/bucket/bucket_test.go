package bucket_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/membucket"
)

func TestPrefixed(t *testing.T) {
	plain := membucket.New(nil)
	for prefix, key := range map[string]string{"kyc": "a", "kyc/": "b", "bank/kyc": "c"} {
		b, err := bucket.Prefixed(plain, prefix)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Create(t.Context(), key, bucket.Bytes(nil, "")); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, o := range plain.Objects() {
		got = append(got, o.Key)
	}
	if diff := cmp.Diff([]string{"bank/kyc/c", "kyc/a", "kyc/b"}, got); diff != "" {
		t.Errorf("keys in the store, -want +got:\n%s", diff)
	}
	if b, err := bucket.Prefixed(plain, ""); err != nil || b != bucket.Bucket(plain) {
		t.Errorf("an empty prefix gives %v, %v; want the bucket itself", b, err)
	}
	for _, prefix := range []string{"/", "/a", "a//", "..", "a/../b", ".a", "a b"} {
		if _, err := bucket.Prefixed(plain, prefix); !errors.Is(err, bucket.ErrKey) {
			t.Errorf("prefix %q: error %v", prefix, err)
		}
	}
}

func TestPrefixedDoesNotWidenBadKeys(t *testing.T) {
	plain := membucket.New(nil)
	b, err := bucket.Prefixed(plain, "kyc")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"", "/a", "../a", "../../a"} {
		if err := b.Put(t.Context(), key, bucket.Bytes(nil, "")); !errors.Is(err, bucket.ErrKey) {
			t.Errorf("key %q: error %v", key, err)
		}
	}
}

func TestCopy(t *testing.T) {
	content := strings.Repeat("0123456789", 50_000)
	tests := map[string]struct {
		spoil func(*bucket.Content)
		want  error
	}{
		"as promised": {func(*bucket.Content) {}, nil},
		"longer":      {func(c *bucket.Content) { c.Size-- }, bucket.ErrMismatch},
		"shorter":     {func(c *bucket.Content) { c.Size++ }, bucket.ErrMismatch},
		"no size":     {func(c *bucket.Content) { c.Size = -1 }, bucket.ErrMismatch},
		"huge size":   {func(c *bucket.Content) { c.Size = 1 << 40 }, bucket.ErrMismatch},
		"other":       {func(c *bucket.Content) { c.SHA256[0]++ }, bucket.ErrMismatch},
		"CRC-32C":     {func(c *bucket.Content) { c.CRC32C = castagnoli(content) }, nil},
		"other CRC":   {func(c *bucket.Content) { c.CRC32C = castagnoli(content + "x") }, bucket.ErrMismatch},
		"CRC, longer": {func(c *bucket.Content) { c.CRC32C = castagnoli(content); c.Size-- }, bucket.ErrMismatch},
	}
	for name, test := range tests {
		c := bucket.Bytes([]byte(content), "")
		_, _ = io.CopyN(io.Discard, c.Body, 7) // Copy starts from the beginning all the same
		test.spoil(&c)
		var got bytes.Buffer
		err := bucket.Copy(t.Context(), &got, c)
		if !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", name, err, test.want)
		}
		if test.want == nil && got.String() != content {
			t.Errorf("%s: other bytes copied", name)
		}
		if got.Len() > len(content) {
			t.Errorf("%s: %d bytes written", name, got.Len())
		}
	}
}

func castagnoli(s string) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.Checksum([]byte(s), crc32.MakeTable(crc32.Castagnoli)))
}

func TestWrap(t *testing.T) {
	for want, err := range map[string]error{
		"get object a/b: object not found": bucket.Wrap("get object", "a/b", bucket.ErrNotFound),
		`get object "a\nb": invalid key`:   bucket.Wrap("get object", "a\nb", bucket.ErrKey),
	} {
		if err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	}
	if err := bucket.Wrap("get object", "a", nil); err != nil {
		t.Errorf("no error became %v", err)
	}
}

// FuzzCheckKey checks that what passes as a key is a clean path that stays below where it starts, and that each of its
// beginnings passes as a prefix.
func FuzzCheckKey(f *testing.F) {
	for _, key := range []string{"", "a", "a/b", "../a", "a/./b", "orders/A1/photo.00.jpg", "a//b", "a/", ".tmp/x", "a\\..\\b"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		err := bucket.CheckKey(key)
		if err != nil {
			if !errors.Is(err, bucket.ErrKey) {
				t.Errorf("%q: error %v", key, err)
			}
			return
		}
		if !filepath.IsLocal(key) || path.Clean(key) != key {
			t.Errorf("%q passes as a key", key)
		}
		for i := range len(key) + 1 {
			if err := bucket.CheckPrefix(key[:i]); err != nil {
				t.Errorf("%q is a key, but %q no prefix: %v", key, key[:i], err)
			}
		}
	})
}
