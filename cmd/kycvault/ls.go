package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

type lsCmd struct {
	Day   string `placeholder:"DAY" help:"Only what happened on this day, UTC: 2026-11-23, today or yesterday."`
	State string `enum:",pending,archived,partial,unavailable,expired" default:"" placeholder:"STATE" help:"Only this state: pending, archived, partial, unavailable or expired."`
	Since string `placeholder:"TIME" help:"Only what happened since: a time such as 2026-11-23T09:00:00Z, a day, or how long ago, such as 90m, 36h or 7d."`
	JSON  bool   `name:"json" help:"One line of JSON an order on stdout."`

	logFlags
	archiveFlags
}

// Help implements kong.HelpProvider.
func (lsCmd) Help() string {
	return `Lists orders, a line each: first those that wait, then those that were given up, then those with a manifest, as they
were archived. Its time is when the order came to its state: when it was first told of (pending), given up (unavailable,
expired) or archived (archived, partial; the day is the journal's). All times are UTC. An order whose state changes
meanwhile may show twice.

The fields of --json:

    orderNo     the order number
    state       pending, archived, partial, unavailable or expired
    at          when the order came to its state, RFC 3339
    firstSeen   when it was first told of, RFC 3339; left out where it is not known
    attempts    how often the service was asked
    archivedAt  the manifest's time, RFC 3339; left out without one
    files       of each file: name, kind (photo, video, result), mediaType, size (bytes), sha256, and flag where it looks odd
    missing     the media that a partial order lacks

Example: what waits, and what was archived today:

    kycvault ls --archive "file://$PWD/vault" --state pending
    kycvault ls --archive "file://$PWD/vault" --day today --state archived --json

Exit codes: 0 done, 1 not done or something is damaged, 2 wrong usage.`
}

// Run does it.
func (c *lsCmd) Run(ctx context.Context, a *app) error {
	filter, err := c.filter(a.now())
	if err != nil {
		return usage(err)
	}
	vault, err := a.openArchive()
	if err != nil {
		return err
	}
	if !c.JSON && platform.IsTerminal(a.stdout) {
		if err := a.print(lsLine("ORDER", "STATE", "TIME (UTC)", "FILES", "SIZE", "")); err != nil {
			return err
		}
	}
	damaged := 0
	for row, err := range (kyc.Orders{Archive: vault}).List(ctx, filter) {
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted: the list is not complete; run the same command again, or narrow it with --since")
		case archive.Strange(err):
			damaged++
			a.tell(err.Error())
		case err != nil && row.Order != "":
			damaged++
			a.tell(fmt.Sprintf("order %s: %v", row.Order, err))
		case err != nil:
			return err
		default:
			if err := c.line(a, row); err != nil {
				return err
			}
		}
	}
	if damaged > 0 {
		return fmt.Errorf("%d entries could not be read; kycvault verify tells more", damaged)
	}
	return nil
}

func (c *lsCmd) line(a *app, row kyc.Row) error {
	if c.JSON {
		return a.printJSONLine(row)
	}
	size, note := int64(0), []string{}
	for _, f := range row.Files {
		size += f.Size
		if f.Flag != "" {
			note = append(note, string(f.Kind)+": "+f.Flag)
		}
	}
	if len(row.Missing) > 0 {
		note = append(note, "missing "+strings.Join(row.Missing, ", "))
	}
	return a.print(lsLine(string(row.Order), string(row.State), moment(row.At), strconv.Itoa(len(row.Files)), bytesText(size), strings.Join(note, "; ")))
}

func lsLine(order, state, at, files, size, note string) string {
	return columns(column{text: order, width: archive.MaxOrderLen}, column{text: state, width: 11}, column{text: at, width: 19},
		column{text: files, width: 5, right: true}, column{text: size, width: 9, right: true}, column{text: note})
}

// filter reads the flags; day and since narrow each other.
func (c *lsCmd) filter(now time.Time) (kyc.Filter, error) {
	f := kyc.Filter{State: kyc.State(c.State)}
	if c.Day != "" {
		day, err := parseDay(c.Day, now)
		if err != nil {
			return f, err
		}
		f.From, f.To = day, day.AddDate(0, 0, 1)
	}
	if c.Since != "" {
		since, err := parseSince(c.Since, now)
		if err != nil {
			return f, err
		}
		if since.After(f.From) {
			f.From = since
		}
	}
	return f, nil
}

// openArchive opens the archive of the settings, which must be there, to read it.
func (a *app) openArchive() (*archive.Archive, error) {
	cfg, err := a.config(platform.NeedArchive)
	if err != nil {
		return nil, err
	}
	b, err := openExisting(cfg.Archive)
	if err != nil {
		return nil, err
	}
	return archive.New(b), nil
}
