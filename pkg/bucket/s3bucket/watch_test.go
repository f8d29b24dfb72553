package s3bucket

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// waits answers nothing until the client has long gone.
func waits(http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Minute) }

// drinks reads the request's body in gulps, with a pause before each, then answers.
func drinks(gulp int, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		buffer := make([]byte, gulp)
		for {
			time.Sleep(pause)
			if _, err := io.ReadFull(r.Body, buffer); err != nil {
				w.WriteHeader(http.StatusOK)
				return
			}
		}
	}
}

// pours answers with a body in drops, with a pause before each; after some of them nothing more comes.
func pours(drops, size int, pause time.Duration, whole bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		if !whole {
			w.Header().Set("Content-Length", "1000000000")
		}
		for range drops {
			time.Sleep(pause)
			_, _ = w.Write(make([]byte, size))
			_ = http.NewResponseController(w).Flush()
		}
		if !whole {
			waits(w, r)
		}
	}
}

// zeros is a content of so many zero bytes, which takes no room.
func zeros(size int64) bucket.Content {
	body := io.NewSectionReader(zeroAt{}, 0, size)
	sum := sha256.New()
	_, _ = io.Copy(sum, body)
	c := bucket.Content{Body: body, Size: size}
	sum.Sum(c.SHA256[:0])
	return c
}

type zeroAt struct{}

func (zeroAt) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

// TestSlowUpload: a large object may take its time on a slow link; one that stands still, or trickles, is given up.
func TestSlowUpload(t *testing.T) {
	for name, test := range map[string]struct {
		size  int64
		serve http.HandlerFunc
		want  string // in the error; "" is none
		took  time.Duration
	}{
		"200 MB at 64 KB a second":  {200 << 20, drinks(64<<10, time.Second), "", 3201 * time.Second},
		"no answer to a small one":  {100, waits, "nothing moved for 20s", attempts * quietTime},
		"stands still":              {10 << 20, waits, "nothing moved for 1m24s", attempts * 84 * time.Second},
		"a trickle of 1 KB/s":       {10 << 20, drinks(16<<10, 16*time.Second), "bytes moved in", 0},
		"the answer takes a minute": {4 << 20, drinks(5<<20, time.Minute), "", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.serve, func(t *testing.T, c Config) {
				start := time.Now()
				err := open(t, c).Create(t.Context(), "k", zeros(test.size))
				took := time.Since(start)
				if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("error %v, want …%s…", err, test.want)
				}
				if test.took != 0 && (took < test.took || took > test.took+5*time.Second) {
					t.Errorf("took %v, want %v", took, test.took)
				}
			})
		})
	}
}

// TestSlowDownload: the same the other way round, and a reader who takes his time is not the store's fault.
func TestSlowDownload(t *testing.T) {
	for name, test := range map[string]struct {
		serve http.HandlerFunc
		want  string
	}{
		"steady":        {pours(100, 400_000, 19*time.Second, true), ""},
		"stands still":  {pours(1, 100_000, time.Second, false), "read object k: no answer from the store: nothing moved for 20s"},
		"a trickle":     {pours(100, 100, time.Second, false), "bytes moved in"},
		"no answer yet": {waits, "nothing moved for 20s"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, test.serve, func(t *testing.T, c Config) {
				err := readAll(open(t, c), t, time.Minute)
				if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("error %v, want …%s…", err, test.want)
				}
			})
		})
	}
}

// readAll gets k and reads it, with a pause in the middle.
func readAll(b *Bucket, t *testing.T, pause time.Duration) error {
	r, _, err := b.Get(t.Context(), "k")
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		return err
	}
	time.Sleep(pause)
	_, err = io.Copy(io.Discard, r)
	return err
}

// TestBrokenBody: bytes that can not be read are no fault of the network, and not tried again.
func TestBrokenBody(t *testing.T) {
	s := &script{steps: []http.HandlerFunc{takes}}
	inBubble(t, s.ServeHTTP, func(t *testing.T, c Config) {
		content := bucket.Bytes(make([]byte, 100), "")
		broken := errors.New("the disk is gone")
		content.Body = struct {
			io.Reader
			io.Seeker
		}{io.MultiReader(bytes.NewReader(make([]byte, 50)), failing{broken}), content.Body}
		if err := open(t, c).Create(t.Context(), "k", content); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
	})
	if s.count() > 1 {
		t.Errorf("%d tries", s.count())
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
