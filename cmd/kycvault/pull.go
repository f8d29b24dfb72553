package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

type pullCmd struct {
	Orders   []string       `arg:"" optional:"" name:"order" help:"Order numbers; - reads a list from standard input."`
	File     string         `short:"f" placeholder:"FILE" help:"A list of order numbers: one on a line, or a CSV with a header; - is standard input."`
	Column   string         `placeholder:"NAME" help:"The column of the order numbers, by name; by number in a CSV without a header."`
	SkipBad  bool           `help:"Go on without the lines that hold no order number."`
	Report   string         `placeholder:"FILE" help:"Write how each order ended, as lines of JSON."`
	Parallel int            `placeholder:"N" default:"16" help:"Orders in work at once, at most: 1 to 64."`
	Wait     *time.Duration `placeholder:"TIME" help:"How long to wait for a service that answers nobody."`
	JSON     bool           `name:"json" help:"One line of JSON an order on stdout."`

	logFlags
	archiveFlags
	upstreamFlags
	paceFlags
}

// Help implements kong.HelpProvider.
func (pullCmd) Help() string {
	return `Pulls orders now, by the same road as the webhook: first the marker, then the steps. An order whose media do not come stays
pending, for a later pull or a running re-fetch. Doing it twice is harmless, and an order that is archived costs two reads: after
Ctrl-C, or whatever else ended it, run the same command again to go on.

A list may be a CSV with commas, semicolons or tabs, with or without quotes and byte order mark. The order numbers' column is
the one headed orderNo, order_no, order or 订单号 (case, blanks and underscores do not matter), or --column. Blank lines and lines
that begin with # are passed over. Lines without an order number are all told, and nothing begins, unless --skip-bad is given.

When the service has too much to do (400501, 400504, 400506), everyone backs off together, and fewer orders are in work
afterwards. --wait says how long to wait for a good answer: 1h unless given; but when there never was one, and load is not the
reason, the run ends at once, as a setting may be wrong.

On stdout, of orders that are named: each one, in that order. Of a list: those that are not archived. With --json each order, those
of a list in the order in which they end. --report writes the same lines and a last one, {"summary":…}. The fields:

    orderNo     the order number
    end         archived (by this run), already (archived before), partial, unavailable or expired (given up), pending (to be
                pulled again), failed (the archive could not be read or written), untouched (the run ended before its turn)
    state       archived, partial, pending, unavailable or expired; "" of an order that has no marker
    firstSeen   when its marker was made; left out where there is none
    archivedAt  when its manifest was made; left out where there is none
    attempts    tries that the archive has noted
    files       name, kind, mediaType, size, sha256, and flag of an odd one, as in its manifest
    missing     media that the manifest names as missing
    code        the service's last code about it; left out when it gave none
    class       what that, or a failed call, means: ok, final, pending, ticket, config, busy or transient; left out if not asked
    bytes       of media stored by this run
    error       why it is not archived, where that is known
    summary     orders, repeated, bad (lines), one count for each end, bytes, seconds, and stopped: why the run ended early, or ""

Example, with serve's settings in the environment:

    kycvault pull orderNo0001 orderNo0002
    printf 'time,orderNo\n2026-11-23,orderNo0003\n' > orders.csv
    kycvault pull --file orders.csv --report report.jsonl

Exit codes: 0 all archived, 1 not all, 2 wrong usage, or a list with bad lines.`
}

// maxParallel bounds --parallel: each order holds a socket and some buffers.
const maxParallel = 64

// Run does it.
func (c *pullCmd) Run(ctx context.Context, a *app) (err error) {
	if err := c.check(); err != nil {
		return usage(err)
	}
	list, err := c.list(ctx, a)
	if err != nil {
		return err
	}
	cfg, err := a.config(platform.NeedUpstream | platform.NeedArchive)
	if err != nil {
		return err
	}
	report, err := newPullReport(c.Report)
	if err != nil {
		return usage(err)
	}
	defer func() { err = errors.Join(err, report.close()) }()
	meter := a.meter("pull", "orders", int64(len(list.Orders)))
	defer meter.end()
	server, err := local.New(cfg, local.Options{Writer: writer(), Log: quietOn(meter, a, cfg)})
	if err != nil {
		return err
	}
	out := &pullOutput{app: a, meter: meter, report: report, json: c.JSON, list: c.File != "", start: a.now()}
	out.sum = pullSummary{Orders: len(list.Orders), Repeated: list.Repeated, Bad: len(list.Bad), Ends: map[string]int{}}
	if !out.list {
		out.named = list.Orders
	}
	options := local.PullOptions{Parallel: c.Parallel, Done: out.done, Waiting: out.waiting}
	if c.Wait != nil {
		options.Wait = max(*c.Wait, 1) // 0 is the default there
	}
	stopped := server.Pull(ctx, list.Orders, options)
	meter.end()
	return out.finish(stopped)
}

func (c *pullCmd) check() error {
	for i, s := range c.Orders {
		if s != stdinName {
			continue
		}
		if c.File != "" || len(c.Orders) > 1 {
			return fmt.Errorf("order number %d: - stands alone, for a list on standard input", i+1)
		}
		c.File, c.Orders = stdinName, nil
	}
	switch {
	case c.Parallel < 1 || c.Parallel > maxParallel:
		return fmt.Errorf("--parallel must be 1 to %d", maxParallel)
	case c.Wait != nil && *c.Wait < 0:
		return errors.New("--wait must not be negative")
	case c.File == "" && (c.Column != "" || c.SkipBad):
		return errors.New("--column and --skip-bad are for a list; it comes with --file")
	case c.File != "" && len(c.Orders) > 0:
		return errors.New("name orders, or give a list with --file, not both")
	case c.File == "" && len(c.Orders) == 0:
		return errors.New(`expected "<order> ..." or --file`)
	}
	return nil
}

// parseOrders checks order numbers from a command line; all that are wrong are named by their place, never repeated.
func parseOrders(args []string) ([]archive.Order, error) {
	var orders []archive.Order
	have := make(map[archive.Order]bool)
	for i, s := range args {
		o, err := archive.ParseOrder(s)
		if err != nil {
			return nil, fmt.Errorf("order number %d: %w", i+1, err)
		}
		if !have[o] {
			have[o] = true
			orders = append(orders, o)
		}
	}
	return orders, nil
}

// quiet is the logger of a command whose results are on stdout: warnings and worse, unless a level was asked for.
func quiet(a *app, cfg platform.Config) *slog.Logger { return quietOn(a.stderr, a, cfg) }

// quietOn is quiet, on a writer before stderr.
func quietOn(w io.Writer, a *app, cfg platform.Config) *slog.Logger {
	if _, set := a.lookup("KYC_LOG_LEVEL"); !set {
		cfg.LogLevel = slog.LevelWarn
	}
	return platform.NewLogger(w, cfg.LogLevel, platform.IsTerminal(a.stderr))
}

// tell writes a line for people to stderr.
func (a *app) tell(line string) { _, _ = io.WriteString(a.stderr, line+"\n") }
