package tencent

import (
	"context"
	"errors"
	"log/slog"

	"github.com/kycvault/kycvault/pkg/platform"
)

// NewRefetch makes the refetch function: a timer trigger's event is one pass. With KYC_SEAL_KEY a pass also closes the windows of
// time that are over.
func NewRefetch(o Options) *Function {
	return &Function{
		core: newCore(o, special{
			needs: platform.NeedUpstream | platform.NeedArchive | platform.NeedPullFunction,
			seals: true,
			wire:  func(s *system) error { return s.Seals(s.config) },
		}),
		takes: []kind{timerEvent},
		run:   pass,
	}
}

// errPass says that a pass failed. Delivered again, its event is another pass.
var errPass = errors.New("the pass failed: the log has why")

// pass makes a pass.
func pass(ctx context.Context, s *system, _ platform.Times, _ []byte) ([]byte, error) {
	report, err := s.Refetcher.RunReport(ctx, false)
	if err == nil {
		return null, nil
	}
	attrs := append(report.Attrs(), slog.Any("error", err))
	s.log.LogAttrs(ctx, slog.LevelError, "pass", attrs...)
	return nil, errPass
}
