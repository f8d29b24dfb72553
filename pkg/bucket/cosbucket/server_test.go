package cosbucket

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// with gives a pair that never changes.
func with(k costest.Key) Credentials {
	c := Credential{SecretID: k.SecretID, SecretKey: secret.New(k.SecretKey), SessionToken: secret.New(k.Token)}
	return func(context.Context) (Credential, error) { return c, nil }
}

// configFor is a Config for a server's bucket, with a transport that ends with the test.
func configFor(t *testing.T, s *costest.Running) Config {
	t.Helper()
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	return Config{
		Bucket: costest.DefaultBucket, Endpoint: s.URL, Credentials: with(costest.DefaultKey), Client: &http.Client{Transport: transport},
	}
}

// open opens a server's bucket; change, if there is one, changes its Config before.
func open(t *testing.T, s *costest.Running, change func(*Config)) *Bucket {
	t.Helper()
	c := configFor(t, s)
	if change != nil {
		change(&c)
	}
	b, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	b.pauses = []time.Duration{2 * time.Millisecond, 2 * time.Millisecond, 2 * time.Millisecond}
	return b
}

func fault(t *testing.T, s *costest.Running, f costest.Fault) {
	t.Helper()
	if err := s.AddFault(f); err != nil {
		t.Fatal(err)
	}
}

func text(s string) bucket.Content { return bucket.Bytes([]byte(s), "text/plain") }

func read(t *testing.T, b bucket.Bucket, key string) string {
	t.Helper()
	r, _, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func create(t *testing.T, b bucket.Bucket, key, content string) {
	t.Helper()
	if err := b.Create(t.Context(), key, text(content)); err != nil {
		t.Fatal(err)
	}
}

// puts counts the puts of a key that reached the server.
func puts(s *costest.Running, key string) int {
	return s.Count(func(c costest.Call) bool { return c.Action == costest.PutObject && c.Key == key })
}
