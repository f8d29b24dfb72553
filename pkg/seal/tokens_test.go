package seal_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowAuthority: one that answers, and takes long for it, does not hold a pass up for long; the next passes go on.
func TestSlowAuthority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVault(t, monday)
		v.archived("a", monday)
		s := v.sealer(time.Hour)
		s.Stamper = stamper(func(signed []byte) ([]byte, error) {
			time.Sleep(14 * time.Second)
			return v.stampAt()(signed)
		})
		now, stamped := monday.Add(24*time.Hour), 0
		for stamped < 23 {
			start := time.Now()
			r := v.pass(s, now)
			if took := time.Since(start); took > 45*time.Second || r.Stamped == 0 {
				t.Fatalf("%+v after %s", r, took)
			}
			stamped += r.Stamped
			now = now.Add(5 * time.Minute)
		}
	})
}
