package faceid

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/archive"
)

// benchVideo is 50 MB of bytes that do not compress, and the reply that brings them. All benchmarks count Base64 text, so
// that their MB/s can be compared (DESIGN section 7).
func benchVideo() (plain []byte, reply []byte) {
	plain = make([]byte, 50<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(plain)
	text := base64.StdEncoding.EncodeToString(plain)
	return plain, []byte(`{"code":"0","msg":"ok","result":{"orderNo":"order1","video":"` + text + `","liveRate":"99"},"appId":"IDAXXXXX"}`)
}

func benchSink(h hash.Hash) func(archive.Kind) (io.Writer, error) {
	return func(archive.Kind) (io.Writer, error) { return h, nil }
}

// BenchmarkDecode streams the reply and hashes the video.
func BenchmarkDecode(b *testing.B) {
	plain, reply := benchVideo()
	want := sha256.Sum256(plain)
	b.SetBytes(int64(base64.StdEncoding.EncodedLen(len(plain))))
	b.ReportAllocs()
	for b.Loop() {
		h := sha256.New()
		if _, err := readReply(bytes.NewReader(reply), "IDAXXXXX", "order1", benchSink(h)); err != nil {
			b.Fatal(err)
		}
		if !bytes.Equal(h.Sum(nil), want[:]) {
			b.Fatal("decoded other bytes")
		}
	}
}

// BenchmarkDecodeEscaped is BenchmarkDecode for a service that escapes slashes, as PHP does.
func BenchmarkDecodeEscaped(b *testing.B) {
	plain, reply := benchVideo()
	reply = []byte(strings.ReplaceAll(string(reply), "/", `\/`))
	b.SetBytes(int64(base64.StdEncoding.EncodedLen(len(plain))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readReply(bytes.NewReader(reply), "IDAXXXXX", "order1", benchSink(sha256.New())); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeWrapped is BenchmarkDecode for a service that breaks lines, as MIME encoders do.
func BenchmarkDecodeWrapped(b *testing.B) {
	plain, _ := benchVideo()
	var text strings.Builder
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(plain)), 76) {
		text.Write(line)
		text.WriteString(`\r\n`)
	}
	reply := []byte(`{"code":"0","result":{"video":"` + text.String() + `"}}`)
	b.SetBytes(int64(base64.StdEncoding.EncodedLen(len(plain))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := readReply(bytes.NewReader(reply), "IDAXXXXX", "order1", benchSink(sha256.New())); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSHA256 hashes the video alone: what no decoder can beat on one core.
func BenchmarkSHA256(b *testing.B) {
	plain, _ := benchVideo()
	b.SetBytes(int64(base64.StdEncoding.EncodedLen(len(plain))))
	for b.Loop() {
		sha256.Sum256(plain)
	}
}

// BenchmarkSHA256Text hashes the Base64 text itself.
func BenchmarkSHA256Text(b *testing.B) {
	plain, _ := benchVideo()
	text := []byte(base64.StdEncoding.EncodeToString(plain))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		sha256.Sum256(text)
	}
}

// BenchmarkStandard does the same as BenchmarkDecode by hand, with the standard library.
func BenchmarkStandard(b *testing.B) {
	plain, reply := benchVideo()
	b.SetBytes(int64(base64.StdEncoding.EncodedLen(len(plain))))
	b.ReportAllocs()
	for b.Loop() {
		body, err := io.ReadAll(bytes.NewReader(reply))
		if err != nil {
			b.Fatal(err)
		}
		var v struct {
			Result struct {
				Video string `json:"video"`
			} `json:"result"`
		}
		if err := json.Unmarshal(body, &v); err != nil {
			b.Fatal(err)
		}
		video, err := base64.StdEncoding.DecodeString(v.Result.Video)
		if err != nil {
			b.Fatal(err)
		}
		sha256.Sum256(video)
	}
}
