package faceid

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// piped is a transport over pipes, on whose other end serve answers: such connections stand still in a synctest bubble.
func piped(serve func(conn net.Conn)) func(*Config) {
	return func(c *Config) {
		c.Transport = &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go func() {
					defer func() { _ = theirs.Close() }()
					if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
						serve(theirs)
					}
				}()
				return ours, nil
			},
		}
	}
}

// slowly writes the parts with a pause before each.
func slowly(pause time.Duration, parts ...string) func(net.Conn) {
	return func(conn net.Conn) {
		for _, p := range parts {
			time.Sleep(pause)
			if _, err := io.WriteString(conn, p); err != nil {
				return
			}
		}
	}
}

// thenNothing keeps the connection open without a word.
func thenNothing(first func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		first(conn)
		_, _ = io.Copy(io.Discard, conn)
	}
}

func TestStall(t *testing.T) {
	half := len(zeroReply) / 2
	for _, c := range []struct {
		name  string
		serve func(net.Conn)
		took  time.Duration
		good  bool
	}{
		{"steady", slowly(29*time.Second, head(200), zeroReply[:half], zeroReply[half:]), 3 * 29 * time.Second, true},
		{"stops before the body", thenNothing(slowly(time.Second, head(200))), 31 * time.Second, false},
		{"stops in the middle", thenNothing(slowly(time.Second, head(200), zeroReply[:half])), 32 * time.Second, false},
		{"too late", slowly(31*time.Second, head(200)+zeroReply[:half], zeroReply[half:]), 61 * time.Second, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				defer time.Sleep(time.Minute) // the other end may be asleep
				start := time.Now()
				_, err := newTestAPI(t, "http://service", piped(c.serve)).Query(t.Context(), ticketText(), testOrder, kyc.Photo, nil)
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if c.good {
					if err != nil {
						t.Error(err)
					}
					return
				}
				wantClass(t, c.name, err, kyc.Transient)
				if !errors.Is(err, errStalled) {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}

type slowWriter struct{ pause time.Duration }

func (w slowWriter) Write(b []byte) (int, error) {
	time.Sleep(w.pause)
	return len(b), nil
}

// TestSlowSink: the time that our own side takes is not the service's.
func TestSlowSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newTestAPI(t, "http://service", piped(slowly(0, head(200)+zeroReply)))
		_, err := api.Query(t.Context(), ticketText(), testOrder, kyc.Photo, func(archive.Kind) (io.Writer, error) {
			time.Sleep(time.Hour)
			return slowWriter{time.Hour}, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// TestDeadline: the caller's own end comes before the stall time, and is named as what it is.
func TestDeadline(t *testing.T) {
	for name, end := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 10*time.Second)
		},
		"cancel": func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(10*time.Second, cancel)
			return ctx, cancel
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := end(t.Context())
				defer cancel()
				start := time.Now()
				api := newTestAPI(t, "http://service", piped(thenNothing(slowly(0, head(200)+zeroReply[:20]))))
				_, err := api.Query(ctx, ticketText(), testOrder, kyc.Photo, nil)
				if !errors.Is(err, ctx.Err()) || ctx.Err() == nil || time.Since(start) != 10*time.Second {
					t.Errorf("after %v: %v", time.Since(start), err)
				}
			})
		})
	}
}

// TestTrickle: a body that never stops and never ends is given up after a minute.
func TestTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trickle := func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"code\":\"0\",\"x\":\"")
			for {
				time.Sleep(time.Second)
				if _, err := io.WriteString(conn, "a"); err != nil {
					return
				}
			}
		}
		began := time.Now()
		_, err := newTestAPI(t, "http://service.test", piped(trickle)).Query(t.Context(), ticketText(), testOrder, 0, nil)
		if !errors.Is(err, errTooSlow) || kyc.ClassOf(err) != kyc.Transient {
			t.Errorf("error is %v", err)
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("took %s", took)
		}
		time.Sleep(2 * time.Second) // the trickle notices
	})
}
