package kyc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// TestWhenAnOrderIsQuiet: from half an hour of age, if the service does not know it and nothing was ever stored.
func TestWhenAnOrderIsQuiet(t *testing.T) {
	for _, tc := range []struct {
		name   string
		age    time.Duration
		stored bool
		answer answer
		want   string
	}{
		{"young", 30*time.Minute - time.Second, false, none, "retry"},
		{"half an hour old", 30 * time.Minute, false, none, "quiet"},
		{"a photo is there", time.Hour, true, none, "retry"},
		{"known now", time.Hour, false, noVideo, "retry"},
		{"another pending code", time.Hour, false, answer{code: "66660099", class: kyc.Pending}, "retry"},
	} {
		w := newWorld()
		m := w.open(t)
		if tc.stored {
			keep(t, w, archive.Photo, "png", tinyPNG(1))
		}
		w.now = w.now.Add(tc.age)
		m.Single = true
		if report := w.stepOn(t, &recorder{Bucket: w.mem}, m, tc.answer); report.State != kyc.StatePending {
			t.Errorf("%s: %+v", tc.name, report)
		}
		if keys := w.keys("retry/", "quiet/"); len(keys) != 1 || !strings.HasPrefix(keys[0], tc.want+"/") {
			t.Errorf("%s: %v, want it %s", tc.name, keys, tc.want)
		}
	}
}

// TestFirstMessageIsTaken: the message that Intake sends can be read.
func TestFirstMessageIsTaken(t *testing.T) {
	msgs, err := kyc.ParseMessages([]byte(strings.Replace(aMessage, `"attempt":2`, `"attempt":1`, 1)))
	if err != nil || len(msgs) != 1 || msgs[0].Attempt != 1 {
		t.Errorf("%+v, %v", msgs, err)
	}
}
