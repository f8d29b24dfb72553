package cosbucket

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
)

// TestHeaders proves what a put says of itself: length, digest, create-once, encryption; the storage class only where the
// store's lock would be.
func TestHeaders(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, func(c *Config) { c.StorageClass, c.Encryption, c.KMSKey = "STANDARD_IA", EncryptionKMS, "key-1" })
	retained := text("evidence")
	retained.Retain = true
	if err := b.Create(t.Context(), "orders/A1/a", retained); err != nil {
		t.Fatal(err)
	}
	if err := b.Put(t.Context(), "retry/A1.x", bucket.Bytes(nil, "")); err != nil {
		t.Fatal(err)
	}
	history := s.History()
	if len(history) != 3 || history[0].Action != costest.GetBucketVersioning {
		t.Fatalf("calls %+v, want versioning, create, put", history)
	}
	first, second := history[1], history[2]
	if !first.ForbidOverwrite || !first.ContentMD5 || first.Length != 8 || first.MediaType != "text/plain" ||
		first.StorageClass != "STANDARD_IA" || first.Encryption != "cos/kms" || first.KMSKey != "key-1" {
		t.Errorf("create: %+v", first)
	}
	if second.ForbidOverwrite || !second.ContentMD5 || second.Length != 0 || second.MediaType != "application/octet-stream" ||
		second.StorageClass != "" || second.Encryption != "cos/kms" {
		t.Errorf("put: %+v", second)
	}
}

// TestLostAnswers: whatever happens to the answer of a create, the object is there once, and the caller is told nil or
// ErrExists, never that another wrote.
func TestLostAnswers(t *testing.T) {
	faults := map[string]costest.Fault{
		"reset before":     {Reset: true},
		"reset after":      {Reset: true, After: true},
		"503 before":       {Status: 503, Code: "SlowDown"},
		"503 after":        {Status: 503, Code: "SlowDown", After: true},
		"502 of a proxy":   {Status: 502},
		"500 twice":        {Status: 500, Code: "InternalError", Times: 2},
		"conflict for now": {Status: 409, Code: "OperationConflict"},
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := costest.Start(t, costest.Config{})
			b := open(t, s, nil)
			f.Action = costest.PutObject
			fault(t, s, f)
			err := b.Create(t.Context(), "orders/A1/a", text("content"))
			if f.After != errors.Is(err, bucket.ErrExists) || !f.After && err != nil {
				t.Errorf("Create = %v", err)
			}
			if got := read(t, b, "orders/A1/a"); got != "content" {
				t.Errorf("holds %q", got)
			}
			if err := b.Create(t.Context(), "orders/A1/a", text("other")); !errors.Is(err, bucket.ErrExists) {
				t.Errorf("second Create = %v", err)
			}
		})
	}
}

// TestLostAnswerSendsNoBytesAgain: after a lost answer the driver looks before it sends a medium a second time.
func TestLostAnswerSendsNoBytesAgain(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	fault(t, s, costest.Fault{Action: costest.PutObject, Reset: true, After: true})
	if err := b.Create(t.Context(), "a", text("content")); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("Create = %v", err)
	}
	if n := puts(s, "a"); n != 1 {
		t.Errorf("%d puts", n)
	}
}

// TestRacersWithFaults: of sixteen writers over a bad line at most one is told that it won, and the bytes are one writer's.
func TestRacersWithFaults(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s := costest.Start(t, costest.Config{Seed: seed})
			b := open(t, s, nil)
			fault(t, s, costest.Fault{Action: costest.PutObject, Rate: 0.2, Reset: true, After: seed%2 == 0})
			results := make([]error, 16)
			var wg sync.WaitGroup
			for i := range results {
				wg.Go(func() {
					results[i] = b.Create(t.Context(), "manifest", text(strings.Repeat(fmt.Sprintf("%02d", i), 5000)))
				})
			}
			wg.Wait()
			stored, won := string(s.Object("manifest")), 0
			if len(stored) != 10_000 || strings.ReplaceAll(stored, stored[:2], "") != "" {
				t.Fatalf("%d bytes stored, of more than one writer", len(stored))
			}
			for i, err := range results {
				switch {
				case err == nil && strings.HasPrefix(stored, fmt.Sprintf("%02d", i)):
					won++
				case err == nil:
					t.Errorf("writer %d was told that it won, and has not", i)
				case !errors.Is(err, bucket.ErrExists) && kindOf(err) != Unreachable:
					t.Errorf("writer %d: %v", i, err)
				}
			}
			if won > 1 {
				t.Errorf("%d winners", won)
			}
		})
	}
}

// TestCRC: an answer with another CRC-64 is an error, and the bytes are not sent again; an answer without one is not, since
// COS has then compared the MD5.
func TestCRC(t *testing.T) {
	tests := []struct {
		name, crc string
		want      error
	}{
		{"another", "1", errStored},
		{"no number", "abc", errStored},
		{"none", "-", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := costest.Start(t, costest.Config{})
			b := open(t, s, nil)
			fault(t, s, costest.Fault{Action: costest.PutObject, CRC: test.crc, Times: -1})
			if err := b.Create(t.Context(), "created", text("x")); !errors.Is(err, test.want) {
				t.Errorf("Create = %v, want %v", err, test.want)
			}
			if err := b.Put(t.Context(), "put", text("x")); !errors.Is(err, test.want) {
				t.Errorf("Put = %v, want %v", err, test.want)
			}
			if puts(s, "created") != 1 || puts(s, "put") != 1 {
				t.Error("sent again")
			}
		})
	}
}

// changing is a body that is other bytes the second time it is read.
type changing struct {
	*bytes.Reader
	rewinds int
}

func (c *changing) Seek(offset int64, whence int) (int64, error) {
	if c.rewinds++; c.rewinds == 2 {
		c.Reset([]byte("CONTENT"))
	}
	return c.Reader.Seek(offset, whence)
}

// TestChangedMeanwhile: bytes that change between being checked and being sent get no name.
func TestChangedMeanwhile(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	c := text("content")
	c.Body = &changing{Reader: bytes.NewReader([]byte("content"))}
	err := b.Create(t.Context(), "a", c)
	if err == nil || !strings.Contains(err.Error(), "BadDigest") {
		t.Errorf("Create = %v, want BadDigest", err)
	}
	if s.Object("a") != nil {
		t.Error("stored")
	}
}

func TestTooLarge(t *testing.T) {
	s := costest.Start(t, costest.Config{})
	c := text("x")
	c.Size = maxSize + 1
	if err := open(t, s, nil).Create(t.Context(), "a", c); err == nil || !strings.Contains(err.Error(), "more than COS takes") {
		t.Errorf("Create = %v", err)
	}
}

// TestBodyStops: what still reads a body when its request has ended gets an error, and the content stays where it is.
func TestBodyStops(t *testing.T) {
	u, err := newUpload(t.Context(), "a", text("content"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := u.open()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := b.Read(make([]byte, 3)); n != 3 || err != nil {
		t.Fatalf("Read = %d, %v", n, err)
	}
	if err := b.stop(); err != nil {
		t.Errorf("stop = %v", err)
	}
	if n, err := b.Read(make([]byte, 3)); n != 0 || !errors.Is(err, errStopped) {
		t.Errorf("Read = %d, %v", n, err)
	}
	if at, _ := u.content.Body.Seek(0, 1); at != 3 {
		t.Errorf("the content is at %d", at)
	}
}
