// Package local is the one-process platform: all three functions in one process, on a folder or any other archive that it
// is given (kycvault serve, pull and demo).
package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/delay/timer"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	// parallel is how many orders are pulled at once. Each one holds a socket, some buffers and, for larger media, a
	// temporary file.
	parallel = 16
	// grace is how long a stopping process waits for the steps and requests under way.
	grace = 10 * time.Second
)

// Server is a wired one-process platform.
type Server struct {
	*platform.System
	config platform.Config
	timer  *timer.Timer
	log    *slog.Logger
}

// Options are what New can be given beside the configuration. Writer and Log are required.
type Options struct {
	Writer    string // program and version, for manifests
	Log       *slog.Logger
	Bucket    bucket.Bucket   // nil opens KYC_ARCHIVE
	Transport *http.Transport // to the upstream; nil is the client's own
}

// New wires a server.
func New(c platform.Config, o Options) (*Server, error) {
	if o.Bucket == nil {
		b, err := OpenArchive(c.Archive)
		if err != nil {
			return nil, err
		}
		o.Bucket = b
	}
	s := &Server{config: c, log: o.Log}
	s.timer = timer.New(func(ctx context.Context, m kyc.Message) error { return s.Puller.Run(ctx, m) }, parallel, o.Log)
	var err error
	s.System, err = platform.Wire(c, platform.Parts{
		Bucket: o.Bucket, Delayer: s.timer, Transport: o.Transport, Writer: o.Writer, Now: time.Now, Rand: rand.Reader, Log: o.Log,
	})
	if err == nil {
		err = s.Seals(c)
	}
	return s, err
}

// Serve answers the webhook on l, makes the steps and the scheduled passes until ctx ends, and then waits for what is under
// way. The first pass takes up every order that an earlier process left.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if s.config.WebhookAuth == webhook.NoProof {
		if err := webhook.LoopbackOnly(l.Addr().String()); err != nil {
			return err
		}
	}
	handler, err := s.Webhook(s.config)
	if err != nil {
		return fmt.Errorf("make webhook: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() { s.Run(ctx) })

	server := webhook.NewServer(handler)
	server.ErrorLog = slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)
	wg.Go(func() {
		<-ctx.Done()
		stopping, stop := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer stop()
		_ = server.Shutdown(stopping)
	})
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve webhook: %w", err)
	}
	return nil
}

// Run makes steps and scheduled passes until ctx ends.
func (s *Server) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { s.timer.Run(ctx, grace) })
	passes, cancel := outlive(ctx, grace) // a pass under way ends, and with it a refresh of the ticket
	defer cancel()
	s.Refetcher.Run(passes, true)
	tick := time.NewTicker(s.config.RefetchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.Refetcher.Run(passes, false)
		}
	}
}

// outlive gives a context that ends some time after ctx does.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		end := time.AfterFunc(by, cancel)
		context.AfterFunc(longer, func() { end.Stop() })
	})
	return longer, func() { stop(); cancel() }
}
