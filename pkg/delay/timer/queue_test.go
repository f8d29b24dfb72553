package timer

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// TestWaitsByTheStopWatch: a message carries the clock's time, as it may come from elsewhere. What waits here has a monotonic
// reading beside it (see package time), so that a clock that is set back makes no step wait for that time to come again.
func TestWaitsByTheStopWatch(t *testing.T) {
	timer := New(nil, 1, slog.New(slog.DiscardHandler))
	if err := timer.Delay(t.Context(), kyc.Message{NotBefore: time.Now().UTC().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	at := timer.live[0].at
	if d := time.Until(at); !strings.Contains(at.String(), " m=") || d < 59*time.Minute || d > time.Hour {
		t.Errorf("waits until %s, %s", at, d)
	}
}
