package faceidtest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/secret"
)

func TestListenOnLoopbackOnly(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", ""} {
		if _, err := Listen(addr); !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%q: error %v, want %v", addr, err, ErrNotLoopback)
		}
		if err := New(Config{}).ListenAndServe(t.Context(), addr); !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%q: error %v, want %v", addr, err, ErrNotLoopback)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		ln, err := Listen(addr)
		if err != nil {
			t.Fatalf("%s: %v", addr, err)
		}
		_ = ln.Close()
	}
}

// TestServeEndsWithItsContext: also while a reply stalls.
func TestServeEndsWithItsContext(t *testing.T) {
	s := New(Config{AppID: testApp, Secret: secret.New(testSecret)})
	if err := s.AddFault(Fault{Delay: time.Hour}); err != nil {
		t.Fatal(err)
	}
	ln, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served, asked := make(chan error, 1), make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	go func() {
		resp, err := http.Get("http://" + ln.Addr().String() + Sync.path())
		if err == nil {
			_ = resp.Body.Close()
		}
		asked <- err
	}()
	for s.faultsHit() == 0 {
		time.Sleep(time.Millisecond)
	}
	end := time.Now()
	cancel()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if took := time.Since(end); took >= shutdownTime {
		t.Errorf("it took %v: the reply was cut off, not ended", took)
	}
	if err := <-asked; err == nil {
		t.Error("the call under way was answered")
	}
}

func (s *Server) faultsHit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.Hits(0)
}

func TestServeTellsWhyItCouldNot(t *testing.T) {
	ln, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	if err := New(Config{}).Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("error %v, want %v", err, net.ErrClosed)
	}
}
