package webhook

import (
	"context"
	"net/http"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// outcome is the body of 202 and 200.
type outcome struct {
	Order archive.Order `json:"orderNo"`
	State kyc.State     `json:"state"`
}

// completed is POST /v1/completions.
func (h *Handler) completed(r *http.Request, note *note) (reply, error) {
	if err := checkMediaType(r.Header); err != nil {
		return reply{}, err
	}
	body, err := readBody(r)
	if err != nil {
		return reply{}, err
	}
	order, err := parseBody(body)
	if err != nil {
		return reply{}, err
	}
	note.order = order
	by, err := h.completionProof(r, body, order)
	if err != nil {
		return reply{}, err
	}
	note.by = by
	return h.complete(r.Context(), order, by)
}

// complete hands a proven completion to Intake: 202 when that opened the order, else 200.
func (h *Handler) complete(ctx context.Context, order archive.Order, by string) (reply, error) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	out, err := h.intake.Complete(ctx, order, by)
	if err != nil {
		return reply{}, refuse(noArchive, "The archive can not take this order just now. Try again.", err)
	}
	rep := reply{status: http.StatusOK, body: outcome{Order: order, State: out.State}}
	if out.Created {
		rep.status = http.StatusAccepted
		rep.header = map[string]string{"Location": "/v1/orders/" + string(order)}
	}
	return rep, nil
}

// lasting gives a context that outlives a caller who hangs up, as a browser does that is sent on: the order has ended all
// the same. It keeps the platform's deadline and adds ours.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTimeout)
	deadline, ok := ctx.Deadline()
	if !ok {
		return kept, cancel
	}
	sooner, stop := context.WithDeadline(kept, deadline)
	return sooner, func() { stop(); cancel() }
}
