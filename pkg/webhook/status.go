package webhook

import (
	"context"
	"errors"
	"net/http"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

// status is GET /v1/orders/{orderNo}. The proof comes before the look, so that nobody learns which orders exist.
func (h *Handler) status(r *http.Request, note *note) (reply, error) {
	order, err := parseOrder(r.PathValue(paramOrder))
	if err != nil {
		return reply{}, err
	}
	note.order = order
	if err := h.orderProof(r, order); err != nil {
		return reply{}, err
	}
	note.by = ByJWT
	ctx, cancel := context.WithTimeout(r.Context(), workTimeout)
	defer cancel()
	status, err := h.orders.Status(ctx, order)
	switch {
	case errors.Is(err, kyc.ErrUnknownOrder):
		return reply{}, refuse(noOrder, "The archive knows nothing of this order.", nil)
	case err != nil:
		return reply{}, refuse(noArchive, "The archive can not be read just now. Try again.", err)
	}
	// The contract has lists, never null.
	if status.Files == nil {
		status.Files = []archive.File{}
	}
	if status.Missing == nil {
		status.Missing = []string{}
	}
	return reply{status: http.StatusOK, body: status}, nil
}
