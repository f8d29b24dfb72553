package kyc_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// dated is an upstream that tells its time.
type dated struct {
	upstream
	date time.Time
}

func (d *dated) Query(ctx context.Context, o archive.Order, want kyc.Media, sink kyc.Sink) (kyc.Reply, error) {
	r, err := d.upstream.Query(ctx, o, want, sink)
	r.Date = d.date
	return r, err
}

// TestSkewedClocksCloseNothing: an order is given up when this machine's clock, the store's and the service's agree, and not before.
func TestSkewedClocksCloseNothing(t *testing.T) {
	const near, far = 5 * time.Minute, 5*time.Minute + time.Second
	for _, tc := range []struct {
		name            string
		local, upstream time.Duration // off the store's clock
		noDate          bool
		answer          answer
		want            kyc.State
	}{
		{"all agree", 0, 0, false, none, kyc.StateUnavailable},
		{"local a little behind", -near, 0, false, none, kyc.StateUnavailable},
		{"local a little ahead", near, 0, false, none, kyc.StateUnavailable},
		{"local behind", -far, 0, false, none, kyc.StatePending},
		{"local ahead", far, 0, false, none, kyc.StatePending},
		{"local years behind", -20 * 365 * 24 * time.Hour, 0, false, none, kyc.StatePending},
		{"service a little ahead", 0, near, false, none, kyc.StateUnavailable},
		{"service ahead", 0, far, false, none, kyc.StatePending},
		{"service behind", 0, -far, false, none, kyc.StatePending},
		{"service tells no time", 0, 0, true, none, kyc.StateUnavailable},
		{"local and service agree with one another only", far, far, false, none, kyc.StatePending},
		{"partial, all agree", 0, 0, false, noVideo, kyc.StatePartial},
		{"partial, service ahead", 0, far, false, noVideo, kyc.StatePending},
		{"whole: no clock matters", far, -far, false, whole, kyc.StateArchived},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld()
			m := w.open(t)
			m.Single = true
			w.now = w.now.Add(w.settings.Deadline)
			up := &dated{upstream: upstream{script: []answer{tc.answer}}}
			if !tc.noDate {
				up.date = w.now.Add(tc.upstream)
			}
			p := w.puller(w.mem, up)
			p.Now = func() time.Time { return w.now.Add(tc.local) }
			report, err := p.Step(t.Context(), m)
			if err != nil || report.State != tc.want {
				t.Errorf("%+v, %v; want %s", report, err, tc.want)
			}
			pending := tc.want == kyc.StatePending
			if told := report.Err != nil && strings.Contains(report.Err.Error(), "clocks differ"); told != pending {
				t.Errorf("the operator is told: %t: %v", told, report.Err)
			}
			if w.waiting() != pending || len(w.keys("closed/")) > 0 != (tc.want == kyc.StateUnavailable) {
				t.Errorf("left: %v", w.keys(""))
			}
		})
	}
}

// TestDeadlineIsByTheStoresClock: a minute before it nothing is given up.
func TestDeadlineIsByTheStoresClock(t *testing.T) {
	w := newWorld()
	m := w.open(t)
	w.now = w.now.Add(w.settings.Deadline - time.Minute)
	if report := w.stepOn(t, &recorder{Bucket: w.mem}, m, none); report.State != kyc.StatePending {
		t.Errorf("%+v", report)
	}
}
