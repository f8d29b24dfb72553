package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// passes are a refetcher's.
type passes struct {
	report kyc.PassReport
	err    error
	left   time.Duration
}

func (p *passes) RunReport(ctx context.Context, resume bool) (kyc.PassReport, error) {
	deadline, _ := ctx.Deadline()
	p.left = time.Until(deadline)
	if resume {
		return p.report, errors.New("a function does not take up after another process")
	}
	return p.report, p.err
}

// TestRefetch: a pass that fails is an error of the function, logged once with what it saw.
func TestRefetch(t *testing.T) {
	for name, c := range map[string]struct {
		passes  passes
		failed  string
		metrics string
		logged  int
	}{
		"good":   {passes{report: kyc.PassReport{Whole: true, Waiting: 2}}, "", `"Waiting":2`, 0},
		"bad":    {passes{err: errors.New("list pending/: no store today")}, "list pending/: no store today", "", 1},
		"halves": {passes{report: kyc.PassReport{Whole: true, Waiting: 2, AtRisk: 1}, err: errors.New("no queue today")}, "no queue today", `"AtRisk":1`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m, out := testMetrics()
			log := new(bytes.Buffer)
			r := &refetch{passes: &c.passes, metrics: m, now: time.Now, log: slog.New(slog.NewJSONHandler(log, nil))}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			answer, err := r.Invoke(ctx, []byte(`"any event"`))
			if (err == nil) != (c.failed == "") || err == nil && !json.Valid(answer) {
				t.Fatalf("%s, %v", answer, err)
			}
			if err != nil && !strings.Contains(err.Error(), c.failed) {
				t.Errorf("error is %v", err)
			}
			if n := strings.Count(log.String(), `"msg":"pass"`); n != c.logged || c.failed != "" && !strings.Contains(log.String(), c.failed) {
				t.Errorf("log: %s", log)
			}
			if !strings.Contains(out.String(), c.metrics) || c.metrics == "" && out.Len() > 0 {
				t.Errorf("metrics: %s", out)
			}
			if c.passes.left > 58*time.Second {
				t.Errorf("the pass has %s of a minute", c.passes.left)
			}
		})
	}
}
