package local

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/kyc"
)

// lookEvery is how often RefetchOnce looks whether all tries are done.
const lookEvery = 50 * time.Millisecond

// RefetchOnce makes one scheduled pass, and the tries that it handed out, until none is left. What is not due waits for a
// later pass, and so does what does not fit into one.
func (s *Server) RefetchOnce(ctx context.Context) (kyc.PassReport, error) {
	report, err := s.Refetcher.Pass(ctx, false)
	if err == nil {
		s.workOff(ctx)
	}
	if ctx.Err() != nil {
		return report, errors.New("interrupted: every order still waits for a later pass; run the same command again to go on")
	}
	return report, err
}

// workOff makes the steps that wait, and those that come of them, until none is left or ctx ends.
func (s *Server) workOff(ctx context.Context) {
	running, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { s.timer.Run(running, grace) })
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !s.timer.Idle() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
