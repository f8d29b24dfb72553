package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	appID      = "IDAXXXXX"
	orderNo    = "order1"
	mebibyte   = 1 << 20
	videoBytes = 50 * mebibyte // of the row that is held to its ratio
)

// sample is a video, and the reply that brings it.
type sample struct {
	video, reply []byte
	digest       [sha256.Size]byte
}

func newSample(size int) *sample {
	s := &sample{video: make([]byte, size)}
	_, _ = rand.NewChaCha8([32]byte{}).Read(s.video)
	s.digest = sha256.Sum256(s.video)
	s.reply = slices.Concat([]byte(`{"code":"0","msg":"ok","bizSeqNo":"1","result":{"orderNo":"`+orderNo+`","photo":"","video":"`),
		base64.StdEncoding.AppendEncode(nil, s.video), []byte(`","liveRate":"99","similarity":"88.01"},"transactionTime":"20240726143638"}`))
	return s
}

// text is how many bytes of Base64 the video is: all speeds of decoding count these.
func (s *sample) text() int { return base64.StdEncoding.EncodedLen(len(s.video)) }

// turns is how often a small sample is decoded for one measurement.
func (s *sample) turns() int { return max(1, 8*mebibyte/len(s.video)) }

func (s *sample) repeated(f func() error) func() error {
	return func() error {
		for range s.turns() {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	}
}

// speed shows the median of a sample's times as megabytes of Base64 text a second.
func (s *sample) speed(times []time.Duration) string {
	return fmt.Sprintf("%.0f MB/s", float64(s.text()*s.turns())/1e6/median(times).Seconds())
}

// decode measures a reply's way from text to bytes with a digest.
func decode(ctx context.Context, s settings, t *table) error {
	for _, size := range []int{mebibyte / 10, mebibyte, 10 * mebibyte, videoBytes} {
		if err := decodeOne(ctx, s, t, newSample(size/s.scale)); err != nil {
			return err
		}
	}
	return decodeHTTP(ctx, s, t, newSample(videoBytes/s.scale))
}

func decodeOne(ctx context.Context, s settings, t *table, x *sample) error {
	api, err := fromMemory(x)
	if err != nil {
		return err
	}
	byHand := func() error { return x.byHand(bytes.NewReader(x.reply)) }
	ours := func() error { return x.ours(ctx, api) }
	digest := func() error { sha256.Sum256(x.video); return nil }
	took, err := takeTurns(s.rounds, x.repeated(byHand), x.repeated(ours), x.repeated(digest))
	if err != nil {
		return err
	}
	held := len(x.video) == videoBytes
	name := fmt.Sprintf("decode a video of %.3g MB", float64(len(x.video))/mebibyte)
	faster, share := ratio(took[0], took[1]), ratio(took[2], took[1])
	t.add(row{what: name, other: "by hand " + x.speed(took[0]), ours: x.speed(took[1]), ratio: times(faster),
		hold: only(held, "≥ 8 ×"), held: faster >= 8})
	t.add(row{what: "… against SHA-256 alone", other: x.speed(took[2]), ours: x.speed(took[1]), ratio: fmt.Sprintf("%.0f %%", share*100),
		hold: only(held, "≥ 60 %"), held: share >= 0.6})
	return allocations(t, byHand, ours)
}

// most is what decoding may allocate at any size: a window, the lane's buffers, and the request.
const most = mebibyte / 2

func allocations(t *table, byHand, ours func() error) error {
	other, _, err := allocated(byHand)
	if err != nil {
		return err
	}
	n, objects, err := allocated(ours)
	if err != nil {
		return err
	}
	t.add(row{what: "… allocated", other: "by hand " + mebibytes(other), ours: fmt.Sprintf("%s in %d pieces", mebibytes(n), objects),
		ratio: fraction(float64(n) / float64(other)), hold: "≤ 0.5 MiB", held: n <= most})
	return nil
}

// only gives the text if the condition holds.
func only(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

// allocated tells what a function allocates.
func allocated(f func() error) (size, objects int64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc), int64(after.Mallocs - before.Mallocs), err
}

// decodeHTTP is decoding behind a real connection, whose other end runs in this process as well.
func decodeHTTP(ctx context.Context, s settings, t *table, x *sample) error {
	base, stop, err := x.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	api, err := faceid.New(faceid.Config{AppID: appID, BaseURL: base})
	if err != nil {
		return err
	}
	byHand := func() error {
		res, err := http.Get(base)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		return x.byHand(res.Body)
	}
	took, err := takeTurns(s.rounds, byHand, func() error { return x.ours(ctx, api) })
	if err != nil {
		return err
	}
	t.add(row{what: "… of 50 MB from a socket", other: "by hand " + x.speed(took[0]), ours: x.speed(took[1]), ratio: times(ratio(took[0], took[1]))})
	return nil
}

func (s *sample) byHand(body io.Reader) error {
	_, video, err := decodeByHand(body)
	if err == nil && len(video) != len(s.video) {
		err = fmt.Errorf("decoded %d bytes of %d", len(video), len(s.video))
	}
	return err
}

func (s *sample) ours(ctx context.Context, api *faceid.API) error {
	var h hash.Hash
	_, err := api.Query(ctx, secret.New("a-ticket"), orderNo, kyc.Video, func(archive.Kind) (io.Writer, error) {
		h = sha256.New()
		return h, nil
	})
	if err == nil && [sha256.Size]byte(h.Sum(nil)) != s.digest {
		err = fmt.Errorf("decoded other bytes")
	}
	return err
}

// fromMemory makes a client whose every reply is the sample, without a socket between.
func fromMemory(s *sample) (*faceid.API, error) {
	transport := new(http.Transport)
	transport.RegisterProtocol("http", replier(func(r *http.Request) *http.Response {
		return &http.Response{
			StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r,
			Body: io.NopCloser(bytes.NewReader(s.reply)), ContentLength: int64(len(s.reply)),
		}
	}))
	return faceid.New(faceid.Config{AppID: appID, BaseURL: "http://memory", Transport: transport})
}

// replier is an http.RoundTripper that never fails.
type replier func(*http.Request) *http.Response

// RoundTrip implements http.RoundTripper.
func (f replier) RoundTrip(r *http.Request) (*http.Response, error) { return f(r), nil }

// serve answers every request with the reply.
func (s *sample) serve(ctx context.Context) (base string, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(s.reply)
	})}
	go func() { _ = server.Serve(l) }()
	return "http://" + l.Addr().String(), func() { _ = server.Close() }, nil
}
