package buckettest

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// suite is one test on one fresh bucket.
type suite struct {
	*testing.T
	harness Harness
	bucket  bucket.Bucket
}

func text(s string) bucket.Content { return bucket.Bytes([]byte(s), "text/plain") }

func (s suite) create(key, content string) {
	s.Helper()
	s.ok("Create", s.bucket.Create(s.Context(), key, text(content)))
}

func (s suite) put(key, content string) {
	s.Helper()
	s.ok("Put", s.bucket.Put(s.Context(), key, text(content)))
}

func (s suite) delete(key string) {
	s.Helper()
	s.ok("Delete", s.bucket.Delete(s.Context(), key))
}

func (s suite) ok(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// is wants an error of a kind, and an error that can be read: with the key in it when it is about one.
func (s suite) is(what string, err, kind error) {
	s.Helper()
	if !errors.Is(err, kind) {
		s.Errorf("%s: error %v, want %v", what, err, kind)
	}
}

func (s suite) holds(key, want string) {
	s.Helper()
	got, err := get(s.Context(), s.bucket, key)
	s.ok("Get", err)
	if got != want {
		s.Errorf("%s holds %s, want %s", key, short(got), short(want))
	}
}

func (s suite) absent(key string) {
	s.Helper()
	_, err := get(s.Context(), s.bucket, key)
	s.is("Get "+key, err, bucket.ErrNotFound)
	s.settle()
	for _, o := range s.list(key, "") {
		if o.Key == key {
			s.Errorf("%s is not there, but a listing shows it", key)
		}
	}
}

func (s suite) settle() {
	s.Helper()
	if s.harness.Settle != nil {
		s.harness.Settle(s.T)
	}
}

func (s suite) list(prefix, after string) []bucket.Object {
	s.Helper()
	objects, err := list(s.Context(), s.bucket, prefix, after)
	s.ok("List", err)
	return objects
}

func (s suite) keys(prefix, after string) []string {
	s.Helper()
	var keys []string
	for _, o := range s.list(prefix, after) {
		keys = append(keys, o.Key)
	}
	return keys
}

func (s suite) now() time.Time {
	s.Helper()
	now, err := s.bucket.Now(s.Context())
	s.ok("Now", err)
	return now
}

func get(ctx context.Context, b bucket.Bucket, key string) (string, error) {
	r, o, err := b.Get(ctx, key)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	switch {
	case err != nil:
		return "", err
	case o.Key != key:
		return "", errors.New("told by Get of another key: " + o.Key)
	case o.Size != int64(len(data)):
		return "", errors.New("told by Get of another size")
	}
	return string(data), nil
}

func list(ctx context.Context, b bucket.Bucket, prefix, after string) ([]bucket.Object, error) {
	var objects []bucket.Object
	for o, err := range b.List(ctx, prefix, after) {
		if err != nil {
			return objects, err
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// short keeps a failure readable when objects are large.
func short(s string) string {
	const most = 40
	if len(s) <= most {
		return "«" + s + "»"
	}
	return "«" + s[:most] + "…» and more"
}

func large(n int) string { return strings.Repeat("0123456789abcdef", n/16) }
