package local

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

// pollIdle is how often Pull looks whether all steps are done.
const pollIdle = 50 * time.Millisecond

// Pull makes the steps of orders now, by the webhook's road: marker first. It gives the orders whose marker could not be
// written. An order that is not archived afterwards stays pending.
func (s *Server) Pull(ctx context.Context, orders []archive.Order) (map[archive.Order]error, error) {
	failed := make(map[archive.Order]error)
	for _, o := range orders {
		outcome, first, err := s.Intake.Claim(ctx, o, "command")
		if err != nil {
			failed[o] = err
			continue
		}
		if outcome.State == kyc.StatePending {
			if err := s.timer.Delay(ctx, first); err != nil {
				return failed, err
			}
		}
	}
	s.runChains(ctx)
	if ctx.Err() != nil {
		return failed, errors.New("interrupted: what was begun stays pending; run the same command again to go on")
	}
	return failed, nil
}

// runChains makes the steps that wait, and those that come of them, until none is left or ctx ends.
func (s *Server) runChains(ctx context.Context) {
	running, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { s.timer.Run(running, grace) })
	tick := time.NewTicker(pollIdle)
	defer tick.Stop()
	for !s.timer.Idle() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Mender makes a puller that can only mend: it has no upstream, and its steps ask nothing.
func Mender(c platform.Config, b bucket.Bucket, writer string, log *slog.Logger) *kyc.Puller {
	return &kyc.Puller{Core: kyc.Core{
		Archive: archive.New(b), Now: time.Now, Rand: rand.Reader, Log: log,
		Settings: kyc.Settings{AppID: c.AppID, Writer: writer, Media: c.Media},
	}}
}
