package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

type demoCmd struct {
	Dir string `default:"demo-vault" placeholder:"DIR" help:"Where the evidence goes, by default ./${default}."`

	logFlags
}

// Help implements kong.HelpProvider.
func (demoCmd) Help() string {
	return `Runs the main job in one process, on the fake upstream and a folder: a front end calls the webhook for a few orders, the
delayed steps pull their media, and verified evidence lands in ./demo-vault. On the way media come late, a reply is cut
short, the ticket dies and one user has walked away. It takes half a minute, and can be run again.

Example:

    kycvault demo && ls demo-vault/orders/*

Exit codes: 0 every order ended as it should, 1 not, 2 wrong usage.`
}

// Run does it.
func (c *demoCmd) Run(ctx context.Context, a *app) error {
	level, _ := a.lookup("KYC_LOG_LEVEL")
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("find folder: %w", err)
	}
	if err := claimDemo(dir); err != nil {
		return err
	}
	sim, upstream, err := startSim(ctx)
	if err != nil {
		return err
	}
	defer upstream.stop()
	cfg, err := platform.Load(demoSettings(dir, upstream.url, level), platform.NeedUpstream|platform.NeedArchive|platform.NeedWebhook)
	if err != nil {
		return usage(fmt.Errorf("read settings:\n%s", indented(err)))
	}
	// An earlier run's ticket belongs to a service that is gone.
	if err := os.RemoveAll(filepath.Join(dir, "system")); err != nil {
		return fmt.Errorf("clear the last run's ticket: %w", err)
	}
	if err := plantDyingTicket(ctx, dir, cfg); err != nil {
		return err
	}
	sim.KillTicket()
	d := demo{app: a, cfg: cfg, dir: c.Dir, sim: sim}
	return d.run(ctx, a.logger(cfg))
}

// demoSettings are the variables of the demo. What takes days in earnest takes seconds here.
func demoSettings(dir, upstream, level string) platform.Lookup {
	if level == "" {
		level = "error"
	}
	values := map[string]string{
		"KYC_APP_ID": demoAppID, "KYC_SECRET": demoSecret, "KYC_BASE_URL": upstream, "KYC_TICKET": "own",
		"KYC_ARCHIVE": (&url.URL{Scheme: platform.SchemeFile, Path: filepath.ToSlash(dir)}).String(), "KYC_WEBHOOK_KEY": "the-demo-s-webhook-key-which-everyone-knows",
		"KYC_REFETCH_EVERY": "3s", "KYC_DEADLINE": "20s", "KYC_LOG_LEVEL": level,
	}
	return func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	}
}

// demoMark is the file that says that a folder is the demo's own.
const demoMark = "made-by-kycvault-demo"

// claimDemo makes the folder the demo's own. A folder with other things in it is refused: it may be a real archive, whose
// ticket the demo would remove.
func claimDemo(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look into the demo's folder: %w", err)
	}
	mine := func(e fs.DirEntry) bool { return e.Name() == demoMark }
	if len(entries) > 0 && !slices.ContainsFunc(entries, mine) {
		return usage(fmt.Errorf("folder %s holds something that is not the demo's; remove it or choose another with --dir", dir))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the demo's folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, demoMark), nil, 0o600); err != nil {
		return fmt.Errorf("mark the demo's folder: %w", err)
	}
	return nil
}

// background is something that runs until it is stopped.
type background struct {
	url    string
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (b *background) stop() {
	b.cancel()
	b.done.Wait()
}

// startSim starts the fake upstream on a free port.
func startSim(ctx context.Context) (*faceidtest.Server, *background, error) {
	listener, err := faceidtest.Listen("127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	sim := faceidtest.New(faceidtest.Config{AppID: demoAppID, Secret: demoAppSecret()})
	ctx, cancel := context.WithCancel(ctx)
	b := &background{url: "http://" + listener.Addr().String(), cancel: cancel}
	b.done.Go(func() { _ = sim.Serve(ctx, listener) })
	return sim, b, nil
}

// startServe starts the vault's webhook, steps and passes on a free port.
func startServe(ctx context.Context, cfg platform.Config, log *slog.Logger) (*local.Server, *background, error) {
	server, err := local.New(cfg, local.Options{Writer: writer(), Log: log})
	if err != nil {
		return nil, nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	b := &background{url: "http://" + listener.Addr().String(), cancel: cancel}
	b.done.Go(func() {
		if err := server.Serve(ctx, listener); err != nil {
			log.Error("serve", "error", err)
		}
	})
	return server, b, nil
}

// errDemo says that an order did not end as the demo meant it to.
var errDemo = errors.New("not every order ended as it should")
