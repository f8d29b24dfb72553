package faceidtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

func TestSamplesAreWhatTheySay(t *testing.T) {
	for want, b := range map[string][]byte{"jpg": Photo(), "png": PhotoPNG(), "mp4": Video()} {
		if got := extension(b); got != want {
			t.Errorf("a sample looks like %s, want %s", got, want)
		}
		clear(b)
	}
	if extension(Photo()) != "jpg" {
		t.Error("a caller can change the sample")
	}
	if extension(markedJPEG("own1")) != "jpg" || extension(markedMP4("own1")) != "mp4" {
		t.Error("a marked medium is not whole")
	}
}

func TestBigVideo(t *testing.T) {
	_, video := MediaOf("big2mb1")
	b, err := io.ReadAll(video.Open())
	if err != nil {
		t.Fatal(err)
	}
	if len(b) != 2<<20 || video.Size() != 2<<20 || !boxesAddUp(b) {
		t.Errorf("%d bytes, boxes add up: %t; want 2 MiB that do", len(b), boxesAddUp(b))
	}
	sum := sha256.Sum256(b)
	if video.SHA256() != hex.EncodeToString(sum[:]) {
		t.Error("the digest is of other bytes than the first reading")
	}
	if _, other := MediaOf("big2mb2"); other.SHA256() == video.SHA256() {
		t.Error("two orders have the same video")
	}
}

// TestBigReplyIsStreamed sends 64 MiB over HTTP in a few MiB of memory, with the right length.
func TestBigReplyIsStreamed(t *testing.T) {
	c := newCaller(t, Sync, func(c *Config) { c.MediaAfter = -1 })
	c.refresh()
	q := c.query("big64mb1", "3")
	req := c.request("GET", Sync.path()+"?app_id="+testApp+"&order_no=big64mb1&version=1.0.0&get_file=3&nonce="+q["nonce"]+"&sign="+q["sign"], "", "")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != resp.ContentLength || n < 64<<20/3*4 {
		t.Errorf("%d bytes of %d (%v)", n, resp.ContentLength, err)
	}
	runtime.ReadMemStats(&after)
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 8 {
		t.Errorf("%d MiB were allocated on the way", grown)
	}
}

func TestWriteBase64(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, blockLen - 1, blockLen, blockLen + 1, 3*blockLen + 2} {
		plain := strings.Repeat("x", n)
		var out strings.Builder
		if err := writeBase64(&out, strings.NewReader(plain)); err != nil || out.String() != base64.StdEncoding.EncodeToString([]byte(plain)) {
			t.Errorf("%d bytes: not their Base64 (%v)", n, err)
		}
	}
}
