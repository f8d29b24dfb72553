package s3bucket

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket/s3test"
	"github.com/kycvault/kycvault/pkg/peertest"
)

func never(int, *http.Request) trouble { return nil }

// holds checks that an object is whole.
func holds(t *testing.T, b *Bucket, key, want string) {
	t.Helper()
	r, o, err := b.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != want || o.Size != int64(len(want)) {
		t.Errorf("%s: %d bytes of %d, told as %d, error %v", key, len(got), len(want), o.Size, err)
	}
}

func keys(t *testing.T, b *Bucket) (all []string) {
	t.Helper()
	for o, err := range b.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o.Key)
	}
	return all
}

// TestFaults: with the first four requests of each call hit by something, every call comes right.
func TestFaults(t *testing.T) {
	t.Parallel()
	server := peertest.StartS3(t)
	p := startProxy(t, server, firstOf(refuses(503, "ServiceUnavailable"), losesAnswer, resetsBefore, slow))
	b := open(t, p.through(makeBucket(t, server, s3test.Plain)))
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			key, text := fmt.Sprintf("orders/A%d/photo.jpg", i), strings.Repeat(fmt.Sprint(i), 1000)
			if err := b.Create(t.Context(), key, bucket.Bytes([]byte(text), "")); err != nil && !errors.Is(err, bucket.ErrExists) {
				t.Errorf("create: %v", err)
			}
			if err := b.Put(t.Context(), "retry/"+key, bucket.Bytes([]byte(text), "")); err != nil {
				t.Errorf("put: %v", err)
			}
			holds(t, b, key, text)
			if err := b.Delete(t.Context(), "retry/"+key); err != nil {
				t.Errorf("delete: %v", err)
			}
		})
	}
	wg.Wait()
	if got := keys(t, b); len(got) != 24 {
		t.Errorf("listed %q", got)
	}
}

// TestRaceThroughFaults: of sixteen creates of one key at most one hears that it won, and one's bytes are there, whole.
func TestRaceThroughFaults(t *testing.T) {
	t.Parallel()
	server := peertest.StartS3(t)
	for _, k := range s3test.Kinds() {
		p := startProxy(t, server, firstOf(conflicts, losesAnswer, resetsBefore))
		b := open(t, p.through(makeBucket(t, server, k)))
		won := make(chan string, 16)
		texts := map[string]bool{}
		var wg sync.WaitGroup
		for i := range 16 {
			text := strings.Repeat(fmt.Sprintf("%02d", i), 4000)
			texts[text] = true
			wg.Go(func() {
				switch err := b.Create(t.Context(), "k", bucket.Bytes([]byte(text), "")); {
				case err == nil:
					won <- text
				case !errors.Is(err, bucket.ErrExists):
					t.Errorf("%s: %v", k, err)
				}
			})
		}
		wg.Wait()
		if len(won) > 1 {
			t.Fatalf("%s: %d winners", k, len(won))
		}
		r, _, err := b.Get(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		_ = r.Close()
		if err != nil || !texts[string(got)] || len(won) == 1 && <-won != string(got) {
			t.Errorf("%s: %d bytes that no winner wrote, error %v", k, len(got), err)
		}
	}
}

// TestLostAnswer: a create that took effect and was not heard of is ErrExists, as the contract allows.
func TestLostAnswer(t *testing.T) {
	server := peertest.StartS3(t)
	for _, k := range s3test.Kinds() {
		p := startProxy(t, server, onlyFirst(http.MethodPut, losesAnswer))
		b := open(t, p.through(makeBucket(t, server, k)))
		if err := b.Create(t.Context(), "k", bucket.Bytes([]byte("mine"), "")); !errors.Is(err, bucket.ErrExists) {
			t.Errorf("%s: error %v", k, err)
		}
		holds(t, b, "k", "mine")
	}
}

// TestChangedOnTheWay: the store checks the digest.
func TestChangedOnTheWay(t *testing.T) {
	server := peertest.StartS3(t)
	p := startProxy(t, server, onlyFirst(http.MethodPut, changesByte))
	b := open(t, p.through(makeBucket(t, server, s3test.Plain)))
	err := b.Create(t.Context(), "k", bucket.Bytes([]byte("evidence"), ""))
	if !errors.Is(err, bucket.ErrMismatch) {
		t.Errorf("error %v", err)
	}
	if got := keys(t, b); len(got) != 0 {
		t.Errorf("%q is there", got)
	}
}

// TestCutAnswers: a listing that breaks off is asked for again; an object that does is an error of its reader.
func TestCutAnswers(t *testing.T) {
	server := peertest.StartS3(t)
	cutting := false
	p := startProxy(t, server, func(n int, r *http.Request) trouble {
		if cutting && n%2 == 0 && r.Method == http.MethodGet {
			return cutsAnswer
		}
		return nil
	})
	b := open(t, p.through(makeBucket(t, server, s3test.Plain)))
	text := strings.Repeat("0123456789", 10_000)
	for i := range 20 {
		if err := b.Create(t.Context(), fmt.Sprintf("k%02d", i), bucket.Bytes([]byte(text), "")); err != nil {
			t.Fatal(err)
		}
	}
	cutting = true
	if got := keys(t, b); len(got) != 20 {
		t.Errorf("listed %q", got)
	}
	cut := 0
	for range 4 {
		r, _, err := b.Get(t.Context(), "k00")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, r)
		_ = r.Close()
		if err != nil {
			cut++
		}
		if err != nil && (!errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), "read object k00: ")) {
			t.Errorf("error %v", err)
		}
	}
	if cut == 0 {
		t.Error("no answer was cut")
	}
}

// TestConnectionsAreKept: calls one after the other share a connection, whatever they came to.
func TestConnectionsAreKept(t *testing.T) {
	server := peertest.StartS3(t)
	p := startProxy(t, server, never)
	b := open(t, p.through(makeBucket(t, server, s3test.Plain)))
	for range 10 {
		_ = b.Create(t.Context(), "a", bucket.Bytes([]byte("x"), ""))
		_ = b.Put(t.Context(), "b", bucket.Bytes(nil, ""))
		holds(t, b, "a", "x")
		for range b.List(t.Context(), "", "") { //nolint:errcheck // the first page is enough
			break
		}
		_, _, _ = b.Get(t.Context(), "missing")
		_ = b.Delete(t.Context(), "b")
		_, _ = b.About(t.Context())
	}
	if n := p.conns.Load(); n > 2 {
		t.Errorf("%d connections", n)
	}
}

// TestMemoryIsFlat: an object's bytes pass through a buffer, however many they are, and are read once.
func TestMemoryIsFlat(t *testing.T) {
	server := peertest.StartS3(t)
	b := open(t, makeBucket(t, server, s3test.Plain))
	c := zeros(128 << 20)
	counted := &counter{ReadSeeker: c.Body}
	c.Body = counted
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := b.Create(t.Context(), "orders/A1/video.mp4", c); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2<<20 {
		t.Errorf("%d bytes allocated to put %d", allocated, c.Size)
	}
	if counted.read != c.Size {
		t.Errorf("%d bytes read to put %d", counted.read, c.Size)
	}
}

// counter counts the bytes that are read of a body.
type counter struct {
	io.ReadSeeker
	read int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	c.read += int64(n)
	return n, err
}

// gate is a body that stops half-way until it is let on.
type gate struct {
	io.ReadSeeker
	at      int64
	once    sync.Once
	reached chan struct{}
	on      chan struct{}
}

func (g *gate) Read(p []byte) (int, error) {
	if pos, err := g.Seek(0, io.SeekCurrent); err != nil || pos >= g.at {
		g.once.Do(func() { close(g.reached); <-g.on })
	}
	return g.ReadSeeker.Read(p)
}

// TestKilledInTheMiddle: a server that dies during a put and comes again has the object whole, or not at all.
func TestKilledInTheMiddle(t *testing.T) {
	for _, k := range s3test.Kinds() {
		for _, soon := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, back soon %v", k, soon), func(t *testing.T) {
				t.Parallel()
				server := peertest.StartS3(t)
				b := open(t, makeBucket(t, server, k))
				c := zeros(24 << 20)
				err := createMeanwhile(t, b, c, func() {
					server.Kill()
					if soon {
						server.Restart()
					}
				})
				if !soon {
					server.Restart()
				}
				wholeOrAbsent(t, b, c.Size, err)
			})
		}
	}
}

// createMeanwhile creates the object k, and does something when half of it is sent.
func createMeanwhile(t *testing.T, b *Bucket, c bucket.Content, do func()) error {
	g := &gate{ReadSeeker: c.Body, at: c.Size / 2, reached: make(chan struct{}), on: make(chan struct{})}
	c.Body = g
	created := make(chan error, 1)
	go func() { created <- b.Create(t.Context(), "k", c) }()
	<-g.reached
	do()
	close(g.on)
	return <-created
}

// wholeOrAbsent judges k by what its create said.
func wholeOrAbsent(t *testing.T, b *Bucket, size int64, created error) {
	t.Helper()
	r, o, err := b.Get(t.Context(), "k")
	switch {
	case err == nil:
		_ = r.Close()
		if o.Size != size || created != nil && !errors.Is(created, bucket.ErrExists) {
			t.Errorf("%d of %d bytes are there, create said %v", o.Size, size, created)
		}
	case !errors.Is(err, bucket.ErrNotFound) || created == nil || errors.Is(created, bucket.ErrExists):
		t.Errorf("get said %v, create %v", err, created)
	}
}
