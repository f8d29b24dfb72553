package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/bucket/dirbucket"
	"github.com/kycvault/kycvault/pkg/faceid"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/platform/local"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/ticket"
	"github.com/kycvault/kycvault/pkg/webhook"
)

const (
	demoAppID  = "DEMO0001"
	demoSecret = "the-demo-s-app-secret-which-everyone-knows" //nolint:gosec // it is no secret
)

func demoAppSecret() secret.Text { return secret.New(demoSecret) }

// demoOrder is one order of the demo: a test order number, what it shows and how it must end.
type demoOrder struct {
	prefix string
	shows  string
	end    kyc.State
	number archive.Order
	state  kyc.State
}

func demoOrders() []demoOrder {
	return []demoOrder{
		{prefix: "ok", shows: "all is well", end: kyc.StateArchived},
		{prefix: "videolate", shows: "the video comes seconds after the photo", end: kyc.StateArchived},
		{prefix: "cut", shows: "a reply is cut short half-way", end: kyc.StateArchived},
		{prefix: "notsame", shows: "not the same person: the verdict is kept, and the media", end: kyc.StateArchived},
		{prefix: "oddjpeg", shows: "a JPEG with something behind its end: kept and flagged", end: kyc.StateArchived},
		{prefix: "walkaway", shows: "the user left: no result ever comes", end: kyc.StateUnavailable},
	}
}

// demo is a run under way.
type demo struct {
	*app
	cfg    platform.Config
	dir    string
	sim    *faceidtest.Server
	url    string // of the webhook
	start  time.Time
	orders []demoOrder
}

// demoAge is how old the planted ticket is: a refused ticket is refreshed only when it is older than two minutes (DESIGN section 5).
const demoAge = 3 * time.Minute

// plantDyingTicket does what a process three minutes ago did: it refreshed the ticket and left it in the archive. The
// service will kill it, so that the demo begins with a ticket that dies.
func plantDyingTicket(ctx context.Context, dir string, cfg platform.Config) error {
	then := func() time.Time { return time.Now().Add(-demoAge) }
	b, err := dirbucket.Open(dir, dirbucket.WithNow(then))
	if err != nil {
		return err
	}
	api, err := faceid.New(faceid.Config{AppID: cfg.AppID, BaseURL: cfg.BaseURL})
	if err != nil {
		return err
	}
	own, err := ticket.NewOwn(ticket.OwnConfig{Bucket: b, AppID: cfg.AppID, Secret: cfg.Secret, Service: api, Now: then})
	if err != nil {
		return err
	}
	return own.Warm(ctx)
}

// demoTime bounds the demo.
const demoTime = 50 * time.Second

func (d *demo) run(ctx context.Context, log *slog.Logger) error {
	server, back, err := startServe(ctx, d.cfg, log)
	if err != nil {
		return err
	}
	defer back.stop()
	d.url, d.start = back.url, time.Now()
	d.say("fake upstream, webhook and vault run in this process; evidence goes to %s", shownFolder(d.dir))
	d.say("the ticket at hand was refreshed three minutes ago, and the service has just dropped it")
	if err := d.complete(ctx); err != nil {
		return err
	}
	if err := d.watch(ctx); err != nil {
		return err
	}
	return d.summary(ctx, server)
}

// shownFolder is a folder as people read it: with the dot that says that it is here.
func shownFolder(dir string) string {
	if filepath.IsLocal(dir) {
		return "./" + filepath.Clean(dir)
	}
	return dir
}

// say tells the progress, with the seconds since the start.
func (d *demo) say(format string, args ...any) {
	d.tell(fmt.Sprintf("%5.1fs  %s", time.Since(d.start).Seconds(), fmt.Sprintf(format, args...)))
}

// complete does what a front end does: one webhook call an order.
func (d *demo) complete(ctx context.Context) error {
	d.orders = demoOrders()
	run := strconv.FormatInt(d.start.UnixMilli(), 36)
	for i := range d.orders {
		o := &d.orders[i]
		o.number = archive.Order(o.prefix + "Demo" + run)
		d.sim.EndCheck(string(o.number), time.Now())
		status, err := d.post(ctx, o.number)
		if err != nil {
			return err
		}
		d.say("%-26s POST /v1/completions: %s (%s)", o.number, status, o.shows)
	}
	return nil
}

func (d *demo) post(ctx context.Context, o archive.Order) (string, error) {
	token, err := webhook.MintToken(d.cfg.WebhookKeys[0], d.cfg.WebhookAuth, o, time.Hour, time.Now())
	if err != nil {
		return "", err
	}
	body := strings.NewReader(`{"orderNo":"` + string(o) + `"}`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/completions", body)
	if err != nil {
		return "", fmt.Errorf("call webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("call webhook: %w", err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.Status, resp.Body.Close()
}

// watch tells each change of an order's state until all have ended.
func (d *demo) watch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoTime)
	defer cancel()
	b, err := local.OpenArchive(d.cfg.Archive)
	if err != nil {
		return err
	}
	vault := kyc.Orders{Archive: archive.New(b)}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	refreshed := false
	for open := true; open; {
		select {
		case <-ctx.Done():
			return errDemo
		case <-tick.C:
		}
		if n := d.sim.Stats().Refreshes; n > 1 && !refreshed {
			refreshed = true
			d.say("the service refused the ticket: one refresh, and on")
		}
		if open, err = d.look(ctx, vault); err != nil {
			return err
		}
	}
	return nil
}

// look tells what has changed; false when every order has ended.
func (d *demo) look(ctx context.Context, vault kyc.Orders) (open bool, err error) {
	for i := range d.orders {
		o := &d.orders[i]
		st, err := vault.Status(ctx, o.number)
		if err != nil {
			return false, err
		}
		if st.State != o.state && st.State != kyc.StatePending {
			d.say("%-26s %s%s", o.number, st.State, kinds(st.Files))
		}
		o.state = st.State
		open = open || st.State == kyc.StatePending
	}
	return open, nil
}

// kinds tells what files there are, with their flags.
func kinds(files []archive.File) string {
	var parts []string
	for _, f := range files {
		part := fmt.Sprintf("%s %d bytes", f.Kind, f.Size)
		if f.Flag != "" {
			part += " [" + f.Flag + "]"
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// summary verifies what landed and prints it.
func (d *demo) summary(ctx context.Context, server *local.Server) error {
	damaged := 0
	numbers := make([]archive.Order, len(d.orders))
	for i, o := range d.orders {
		numbers[i] = o.number
	}
	sum, err := server.Archive.Verify(ctx, func(dm archive.Damage) {
		damaged++
		d.say("damaged: %s: %s", dm.Key, dm.What)
	}, numbers...)
	if err != nil {
		return err
	}
	for _, o := range d.orders {
		where := path.Join(d.dir, "orders", string(o.number))
		if o.state == kyc.StateUnavailable {
			where = string(o.number) + ": there was nothing to keep"
		}
		if err := d.print(fmt.Sprintf("%-12s %s", o.state, where)); err != nil {
			return err
		}
	}
	if err := d.print(fmt.Sprintf("verified: %d files, %d bytes, %d damaged", sum.Files, sum.Bytes, damaged)); err != nil {
		return err
	}
	bad := slices.ContainsFunc(d.orders, func(o demoOrder) bool { return o.state != o.end })
	if damaged > 0 || bad {
		return errDemo
	}
	return nil
}
