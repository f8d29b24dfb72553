package s3bucket

import (
	"net/http"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// dated answers as a store whose clock is ahead by so much.
func dated(ahead *time.Duration, answer http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * time.Millisecond) // the way there
		w.Header().Set("Date", time.Now().Add(*ahead).UTC().Format(http.TimeFormat))
		time.Sleep(10 * time.Millisecond) // and back
		answer(w, r)
	}
}

// TestNow: the store's clock is known from whatever it answers, and asked for when nothing was heard for minutes.
func TestNow(t *testing.T) {
	ahead := 5 * time.Minute
	s := &script{steps: []http.HandlerFunc{dated(&ahead, says(403, "", ""))}}
	inBubble(t, s.ServeHTTP, func(t *testing.T, c Config) {
		b := open(t, c)
		off := func(within time.Duration) {
			t.Helper()
			now, err := b.Now(t.Context())
			if got := now.Sub(time.Now()) - ahead; err != nil || got.Abs() > within {
				t.Errorf("off by %v, error %v", got, err)
			}
		}
		off(time.Second)
		if off(time.Second); s.count() != 1 {
			t.Errorf("%d requests for a clock that is known", s.count())
		}
		for range 10 { // answers at other fractions of a second narrow it
			time.Sleep(333 * time.Millisecond)
			_ = b.Put(t.Context(), "k", bucket.Bytes(nil, ""))
		}
		off(150 * time.Millisecond)
		asked := s.count()
		time.Sleep(fresh - time.Second)
		if off(150 * time.Millisecond); s.count() != asked {
			t.Error("asked too early")
		}
		time.Sleep(2 * time.Second)
		if off(time.Second); s.count() != asked+1 {
			t.Errorf("%d requests for a clock not heard of for minutes", s.count()-asked)
		}
		ahead = -time.Hour // somebody sets a clock
		_ = b.Put(t.Context(), "k", bucket.Bytes(nil, ""))
		off(time.Second)
	})
}

// TestNowOfAFrozenProcess: the wall clock goes on while the monotonic one stands still.
func TestNowOfAFrozenProcess(t *testing.T) {
	var ahead time.Duration
	s := &script{steps: []http.HandlerFunc{dated(&ahead, says(200, "", ""))}}
	inBubble(t, s.ServeHTTP, func(t *testing.T, c Config) {
		var slept time.Duration
		start := time.Now()
		c.Now = func() time.Time { // its monotonic reading says that no time has passed
			return time.Unix(0, time.Now().Add(slept).UnixNano()).Add(0)
		}
		b := open(t, c)
		if _, err := b.Now(t.Context()); err != nil {
			t.Fatal(err)
		}
		slept, ahead = time.Hour, time.Hour
		now, err := b.Now(t.Context())
		if err != nil || now.Sub(start) < time.Hour {
			t.Errorf("now is %v after the start, error %v", now.Sub(start), err)
		}
		if s.count() != 2 {
			t.Errorf("%d requests", s.count())
		}
	})
}

// TestNowFails: without a Date, or without an answer, there is no time.
func TestNowFails(t *testing.T) {
	undated := func(w http.ResponseWriter, _ *http.Request) { w.Header()["Date"] = nil }
	for name, answer := range map[string]http.HandlerFunc{"no Date": undated, "no answer": resets} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, answer, func(t *testing.T, c Config) {
				if now, err := open(t, c).Now(t.Context()); err == nil {
					t.Errorf("it is %v", now)
				}
			})
		})
	}
}
