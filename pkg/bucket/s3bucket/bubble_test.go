package s3bucket

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// A canned store answers over pipes, on which a synctest bubble stands still, so that waits take no time.

const (
	cannedKey     = "AKIDOFTESTS"
	cannedSecret  = "a-secret-key-that-nobody-may-see"
	cannedSession = "a-session-token-that-nobody-may-see"
)

// inBubble runs test with a bucket of a store that answers by handler, in fake time.
func inBubble(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, c Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := peertest.NewPipes()
		server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
		go func() { _ = server.Serve(l) }()
		client := newClient()
		transport := client.Transport.(*http.Transport)
		transport.DialContext = l.Dial
		defer func() {
			transport.CloseIdleConnections()
			_ = server.Close()
			time.Sleep(time.Hour) // handlers may be asleep
		}()
		test(t, Config{Bucket: "vault", Region: "eu-central-1", Endpoint: "http://store", PathStyle: true, Client: client,
			Credentials: credentials.NewStaticCredentialsProvider(cannedKey, cannedSecret, cannedSession)})
	})
}

// refusal is an error answer of S3.
func refusal(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("X-Amz-Request-Id", "REQUEST1")
	w.WriteHeader(status)
	if code != "" {
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message><RequestId>REQUEST1</RequestId></Error>", code, message)
	}
}

// script answers the nth request by its nth handler, and all later ones by the last.
type script struct {
	mu    sync.Mutex
	steps []http.HandlerFunc
	seen  []*http.Request
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	step := s.steps[min(len(s.seen), len(s.steps)-1)]
	s.seen = append(s.seen, r)
	s.mu.Unlock()
	step(w, r)
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// takes reads the request's body and answers 200.
func takes(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusOK)
}

// says answers with an error.
func says(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { refusal(w, status, code, message) }
}

// resets breaks the connection without an answer.
func resets(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
