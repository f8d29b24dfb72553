package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

type pullCmd struct {
	Orders []string `arg:"" name:"order" help:"Order numbers."`
	JSON   bool     `name:"json" help:"One line of JSON an order on stdout."`

	logFlags
	archiveFlags
	upstreamFlags
	paceFlags
}

// Help implements kong.HelpProvider.
func (pullCmd) Help() string {
	return `Pulls orders now, by the same road as the webhook: first the marker, then the steps. An order whose media do not come stays
pending, for a later pull or a running re-fetch. Doing it twice is harmless.

Example, with serve's settings in the environment:

    kycvault pull orderNo0001 orderNo0002

Exit codes: 0 all archived, 1 not all, 2 wrong usage.`
}

// Run does it.
func (c *pullCmd) Run(ctx context.Context, a *app) error {
	orders, err := parseOrders(c.Orders)
	if err != nil {
		return usage(err)
	}
	cfg, err := a.config(platform.NeedUpstream | platform.NeedArchive)
	if err != nil {
		return err
	}
	server, err := local.New(cfg, local.Options{Writer: writer(), Log: quiet(a, cfg)})
	if err != nil {
		return err
	}
	failed, err := server.Pull(ctx, orders)
	if err != nil {
		return err
	}
	return c.report(context.WithoutCancel(ctx), a, server, orders, failed)
}

// report tells how each order stands. Of one that has no marker, because it could not be written, the cause is told.
func (c *pullCmd) report(ctx context.Context, a *app, server *local.Server, orders []archive.Order, failed map[archive.Order]error) error {
	open := 0
	for _, o := range orders {
		if cause := failed[o]; cause != nil {
			a.tell(fmt.Sprintf("order %s: %v", o, cause))
		}
		st, err := server.Orders.Status(ctx, o)
		if errors.Is(err, kyc.ErrUnknownOrder) {
			open++
			continue
		}
		if err != nil {
			return fmt.Errorf("look at order %s: %w", o, err)
		}
		if st.State != kyc.StateArchived {
			open++
		}
		if err := c.line(a, st); err != nil {
			return err
		}
	}
	if open > 0 {
		return fmt.Errorf("%d of %d orders are not archived; run the same command again, or leave them to the re-fetch of a running serve", open, len(orders))
	}
	return nil
}

func (c *pullCmd) line(a *app, st kyc.Status) error {
	if c.JSON {
		return a.printJSONLine(st)
	}
	line := fmt.Sprintf("%s %s, %d files", st.Order, st.State, len(st.Files))
	if len(st.Missing) > 0 {
		line += fmt.Sprintf(", missing %v", st.Missing)
	}
	return a.print(line)
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
func quiet(a *app, cfg platform.Config) *slog.Logger {
	if _, set := a.lookup("KYC_LOG_LEVEL"); !set {
		cfg.LogLevel = slog.LevelWarn
	}
	return a.logger(cfg)
}

// tell writes a line for people to stderr.
func (a *app) tell(line string) { _, _ = io.WriteString(a.stderr, line+"\n") }
