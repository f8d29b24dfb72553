package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	smallOrders = 2000 // with a photo of 66 kB and a video of 51 kB each
	callers     = 16   // front ends that call at the same time
	leastVerify = 500  // orders a second
)

// serve measures how many orders a second go through serve, from the webhook call to the journal entry; then reading all
// of them again. What to compare with is the disk alone: the same number of files, synced.
func serve(ctx context.Context, s settings, t *table) error {
	v := newVault(s, "small")
	defer v.close()
	orders := max(callers, smallOrders/s.scale)
	took, used, err := throughput(ctx, s, v, orders)
	if err != nil {
		return err
	}
	disk, err := syncedFiles(filepath.Join(s.scratch, "disk"), orders)
	if err != nil {
		return err
	}
	perSecond := func(d time.Duration) string { return fmt.Sprintf("%.0f orders/s", float64(orders)/d.Seconds()) }
	t.add(row{what: "serve, small media", other: "as many synced files " + perSecond(disk), ours: perSecond(took),
		ratio: fmt.Sprintf("%.0f %%", 100*disk.Seconds()/took.Seconds())})
	t.add(row{what: "… CPU for an order", ours: (used.cpu / time.Duration(orders)).Round(time.Microsecond).String()})
	t.add(row{what: "… peak memory", ours: mebibytes(used.peak)})
	return verifySmall(ctx, s, t, v, orders)
}

// throughput starts serve, calls the webhook, and waits until every order is archived.
func throughput(ctx context.Context, s settings, v *vault, orders int) (time.Duration, usage, error) {
	address, err := unusedAddress(ctx)
	if err != nil {
		return 0, usage{}, err
	}
	program, args := s.kycvault, []string{"serve", "--listen", address}
	if s.profile != "" {
		if program, err = os.Executable(); err != nil {
			return 0, usage{}, err
		}
		args = []string{"profiled-serve", address, s.profile}
	}
	p, err := begin(ctx, v.env(), program, args...)
	if err != nil {
		return 0, usage{}, err
	}
	if err := waitHealthy(ctx, address); err != nil {
		_ = p.cmd.Process.Kill()
		_, ended := p.wait()
		return 0, usage{}, fmt.Errorf("%w: %w", err, ended)
	}
	began := time.Now()
	err = completeAll(ctx, "http://"+address, orders)
	if err == nil {
		err = v.waitFor(ctx, orders)
	}
	took := time.Since(began)
	used, stopped := p.stop()
	if err == nil {
		err = stopped
	}
	return took, used, err
}

func waitHealthy(ctx context.Context, address string) error {
	for range 500 {
		if res, err := http.Get("http://" + address + "/healthz"); err == nil {
			return res.Body.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("serve did not begin")
}

// completeAll tells the webhook of all orders, from several callers.
func completeAll(ctx context.Context, base string, orders int) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callers}}
	var wg sync.WaitGroup
	errs := make(chan error, callers)
	for c := range callers {
		wg.Go(func() {
			for i := c; i < orders; i += callers {
				if err := complete(ctx, client, base, archive.Order(fmt.Sprintf("own%d", i))); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

func complete(ctx context.Context, client *http.Client, base string, order archive.Order) error {
	token, err := webhook.MintToken(secret.New(webhookKey), webhook.JWT, order, time.Hour, time.Now())
	if err != nil {
		return err
	}
	body := strings.NewReader(`{"orderNo":"` + string(order) + `"}`)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/completions", body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		return fmt.Errorf("webhook: %s", res.Status)
	}
	return nil
}

func unusedAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// runProfiledServe is serve with a CPU profile: profiled-serve ADDRESS FILE.
func runProfiledServe(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("profiled-serve needs ADDRESS FILE")
	}
	c, err := platform.Load(os.LookupEnv, platform.NeedUpstream|platform.NeedArchive|platform.NeedWebhook)
	if err != nil {
		return err
	}
	server, err := local.New(c, local.Options{Writer: "kycvault-bench", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", args[0])
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return server.Serve(ctx, l)
}

// verifySmall reads the archive of small orders again.
func verifySmall(ctx context.Context, s settings, t *table, v *vault, orders int) error {
	took, err := takeTurns(s.rounds, func() error {
		_, err := hashFiles(v.folder)
		return err
	}, func() error {
		_, err := runProcess(ctx, v.env(), s.kycvault, "verify", "--read-only")
		return err
	})
	if err != nil {
		return err
	}
	perSecond := func(times []time.Duration) float64 { return float64(orders) / median(times).Seconds() }
	t.add(row{what: "verify small orders", other: fmt.Sprintf("SHA-256 of the files %.0f orders/s", perSecond(took[0])),
		ours: fmt.Sprintf("%.0f orders/s", perSecond(took[1])), ratio: fmt.Sprintf("%.0f %%", 100*ratio(took[0], took[1])),
		hold: "≥ 500 orders/s", held: perSecond(took[1]) >= leastVerify})
	return nil
}
