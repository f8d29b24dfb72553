package cosbucket

import (
	"crypto/sha256"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
)

// TestStall: a host that takes a request and never says a word is given up; so is one that takes no bytes.
func TestStall(t *testing.T) {
	for name, content := range map[string]bucket.Content{"small": text("x"), "large": zeros(64 << 20)} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = ln.Close() })
			transport := newTransport()
			transport.DialContext = dial(100 * time.Millisecond)
			b, err := New(Config{Bucket: costest.DefaultBucket, Endpoint: "http://" + ln.Addr().String(), Credentials: with(costest.DefaultKey), Client: &http.Client{Transport: transport}})
			if err != nil {
				t.Fatal(err)
			}
			b.pauses = nil
			b.guard.set(holds, "")
			if err := b.Put(t.Context(), "a", content); kindOf(err) != Unreachable {
				t.Errorf("Put = %v", err)
			}
		})
	}
}

// TestMovingConn: in fake time, a long write keeps the read that waits alive, and silence ends it.
func TestMovingConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer func() { _, _ = ours.Close(), theirs.Close() }()
		c := &movingConn{Conn: ours, stall: 30 * time.Second}
		var ended atomic.Bool
		go func() {
			_, _ = c.Read(make([]byte, 1))
			ended.Store(true)
		}()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		for range 10 {
			time.Sleep(20 * time.Second)
			if _, err := c.Write([]byte("x")); err != nil || ended.Load() {
				t.Fatalf("Write = %v, read ended: %v", err, ended.Load())
			}
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if !ended.Load() {
			t.Error("silence did not end the read")
		}
	})
}

// TestPause: in fake time, the pauses lie between half of what is said and all of it.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Bucket{config: Config{Now: time.Now}, pauses: ourPauses()}
		for n, d := range b.pauses {
			start := time.Now()
			if !b.again(t.Context(), &Error{Kind: Busy}, n) {
				t.Error("no further try")
			}
			if took := time.Since(start); took < d/2 || took > d {
				t.Errorf("pause %d took %v of %v", n, took, d)
			}
		}
		if b.again(t.Context(), &Error{Kind: Busy}, len(b.pauses)) || b.again(t.Context(), &Error{Kind: Denied}, 0) {
			t.Error("one try too many")
		}
	})
}

// nothing is a body of zeros that takes no memory.
type nothing struct{ at, size int64 }

func (z *nothing) Read(p []byte) (int, error) {
	n := min(int64(len(p)), z.size-z.at)
	if n == 0 {
		return 0, io.EOF
	}
	clear(p[:n])
	z.at += n
	return int(n), nil
}

func (z *nothing) Seek(offset int64, _ int) (int64, error) {
	z.at = offset
	return offset, nil
}

func zeros(size int64) bucket.Content {
	c := bucket.Content{Body: &nothing{size: size}, Size: size}
	sum := sha256.New()
	_, _ = io.Copy(sum, c.Body)
	copy(c.SHA256[:], sum.Sum(nil))
	return c
}

// TestMemory: what an object takes, to put and to get, does not grow with it. The server is in the same process, and keeps
// large objects on disk.
func TestMemory(t *testing.T) {
	const size, most = 128 << 20, 8 << 20
	s := costest.Start(t, costest.Config{})
	b := open(t, s, nil)
	c := zeros(size)
	create(t, b, "first", "x")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := b.Create(t.Context(), "large", c); err != nil {
		t.Fatal(err)
	}
	r, _, err := b.Get(t.Context(), "large")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if n, err := io.Copy(io.Discard, r); err != nil || n != size {
		t.Errorf("read %d bytes, %v", n, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > most {
		t.Errorf("%d bytes allocated for an object of %d", used, size)
	} else {
		t.Logf("%d bytes allocated", used)
	}
}
