package aws

import (
	"context"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/lambda/messages"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

// refetch makes one scheduled pass an event, whatever the event says.
type refetch struct {
	passes  passer
	metrics *metrics
	now     func() time.Time
	log     *slog.Logger
}

// passer makes one pass; kyc.Refetcher is the real one.
type passer interface {
	RunReport(ctx context.Context, resume bool) (kyc.PassReport, error)
}

// Invoke implements lambda.Handler. A pass that fails is an error of the function, so that its Errors metric shows it; the
// next pass begins anew.
func (r *refetch) Invoke(ctx context.Context, _ []byte) ([]byte, error) {
	defer r.metrics.flush()
	bounded, cancel := platform.TimesOf(ctx, r.now()).Bound(ctx)
	defer cancel()
	report, err := r.passes.RunReport(bounded, false)
	r.metrics.pass(report)
	if err != nil {
		r.log.LogAttrs(ctx, slog.LevelError, "pass", append(report.Attrs(), slog.Any("error", err))...)
		return nil, messages.InvokeResponse_Error{Type: "Refetch.PassFailed", Message: err.Error()}
	}
	return []byte("null"), nil
}
