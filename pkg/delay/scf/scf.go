// Package scf hands step messages to a function on Tencent SCF: an asynchronous Invoke of the SCF API (version 2018-04-16, doc
// 583/17243), through Tencent's own SDK.
//
// SCF delivers an event at once, so the function waits for the time of a message itself; one event carries all short steps
// of an order. Live messages go alone, since the function waits for each; single tries go in arrays, since an account may
// make about 100 calls a second (older documents: 20), and all functions share them.
//
// A message that could not be handed over loses nothing: its order's marker is in the archive.
package scf

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/tencentcloud/tencentcloud-sdk-go/tencentcloud/common"

	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
)

const (
	perSecond = 15 // calls of one process: below the oldest limit for an account, with room for others
	parallel  = 4  // calls under way at once
	tries     = 3  // of one call: what may pass by itself is tried again
	firstWait = 300 * time.Millisecond
	// workedOff is how many single tries a second the function is trusted with, for want of a way to read how many events
	// wait: more than 100,000 orders that wait need (28 a second, each once an hour), and a fraction of what 20 instances do.
	workedOff = 30
)

// Credential is a key pair of CAM, with the session token of a temporary one.
type Credential struct {
	SecretID     string
	SecretKey    secret.Text
	SessionToken secret.Text
}

// Config says which function to invoke, where and as whom.
type Config struct {
	Function    Function
	Region      string                                        // such as ap-guangzhou
	Endpoint    string                                        // another origin than the public one: scheme and host
	Credentials func(ctx context.Context) (Credential, error) // asked for each call: those of a role change
	Transport   http.RoundTripper                             // nil has this package's time-outs
}

// Delayer implements kyc.Delayer. It is safe for use by many goroutines.
type Delayer struct {
	config Config
	sdk    *common.Client
	scheme string
	host   string

	mu   sync.Mutex
	next time.Time // when the next call may go out
}

var _ kyc.Delayer = (*Delayer)(nil)

// New checks c. It reaches nothing.
func New(c Config) (*Delayer, error) {
	d := &Delayer{config: c}
	if err := errors.Join(c.check(), d.setOrigin(c.Endpoint)); err != nil {
		return nil, fmt.Errorf("make SCF delayer: %w", err)
	}
	d.sdk = newClient(c, d.scheme, d.host)
	return d, nil
}

func (c Config) check() error {
	var errs []error
	if c.Function.Name == "" {
		errs = append(errs, errors.New("no function to invoke"))
	}
	if c.Region == "" {
		errs = append(errs, errors.New("no region, such as ap-guangzhou"))
	}
	if c.Credentials == nil {
		errs = append(errs, errors.New("no credentials"))
	}
	return errors.Join(errs...)
}

// Delay implements kyc.Delayer. It goes on after an event that failed, unless the next ones would fail alike.
func (d *Delayer) Delay(ctx context.Context, msgs ...kyc.Message) error {
	events, err := pack(msgs)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var failures failures
	free := make(chan struct{}, parallel)
	for _, event := range events {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			if err := d.send(ctx, event); err != nil {
				failures.add(err)
				if hopeless(err) {
					cancel()
				}
			}
		})
	}
	wg.Wait()
	if err := failures.err(); err != nil {
		return fmt.Errorf("invoke %s: %d of %d events failed: %w", d.config.Function, failures.n, len(events), err)
	}
	return nil
}

// Room implements kyc.Delayer. What waits can not be read from SCF, so this is what the function is trusted with.
func (d *Delayer) Room(_ context.Context, within time.Duration) (int, error) {
	return max(parallel, int(within.Seconds()*workedOff)), nil
}

// failures counts failed events and keeps the first error that says more than that the others were given up.
type failures struct {
	mu    sync.Mutex
	n     int
	first error
}

func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if f.first == nil || errors.Is(f.first, context.Canceled) {
		f.first = err
	}
}

func (f *failures) err() error { return f.first }
