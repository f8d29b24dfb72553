package main

import (
	"context"
	"errors"
	"fmt"
)

type doctorCmd struct {
	JSON bool `name:"json" help:"One JSON object on stdout."`

	logFlags
	archiveFlags
	upstreamFlags
	webhookFlags
	paceFlags
	sealingFlags
}

// Help implements kong.HelpProvider.
func (doctorCmd) Help() string {
	return `Looks for whatever would lose or block evidence: settings, clocks, the archive's promises, the service, the ticket, orders at
risk, room on the disks, the seals where KYC_SEAL_KEY is set, and the functions' queue on AWS where KYC_QUEUE_URL is. It says of each
finding what it means and what to do. The archive is really tried, with racing creates too, on keys below system/doctor/ that are removed again;
nothing of any order is touched. The service is asked about one order number that does not exist, when there is a good
ticket. No ticket is refreshed, and no seal made; the timestamp authority, where KYC_TSA_URL is set, is asked for a timestamp of random
bytes.

The fields of --json:

    healthy   whether nothing is bad
    findings  of each: check (a variable, or what was looked at), level (ok, info, warning, bad), found, and where something
              is to be said: means and do

Example, with serve's settings in the environment:

    kycvault doctor

Exit codes: 0 nothing would lose or block evidence, 1 something would, 2 wrong usage (wrong settings are findings).`
}

// finding is what doctor tells of one thing.
type finding struct {
	Check string `json:"check"`
	Level string `json:"level"`
	Found string `json:"found"`
	Means string `json:"means,omitempty"`
	Do    string `json:"do,omitempty"`
}

// The levels of a finding.
const (
	levelOK      = "ok"
	levelInfo    = "info"    // good to know
	levelWarning = "warning" // look at it; nothing is lost or blocked by it now
	levelBad     = "bad"     // it loses or blocks evidence
)

// diagnosis is what --json prints.
type diagnosis struct {
	Healthy  bool      `json:"healthy"`
	Findings []finding `json:"findings"`
}

// doctor looks at one thing after another.
type doctor struct {
	app    *app
	report func(finding) error // of each finding, as soon as there is one
	err    error               // the first of report
	bad    int
}

func (d *doctor) add(f finding) {
	if f.Level == levelBad {
		d.bad++
	}
	if d.err == nil {
		d.err = d.report(f)
	}
}

func (d *doctor) ok(check, found string) {
	d.add(finding{Check: check, Level: levelOK, Found: found})
}

func (d *doctor) info(check, found, means string) {
	d.add(finding{Check: check, Level: levelInfo, Found: found, Means: means})
}

// Run does it.
func (c *doctorCmd) Run(ctx context.Context, a *app) error {
	found := diagnosis{Findings: []finding{}}
	d := &doctor{app: a, report: func(f finding) error {
		found.Findings = append(found.Findings, f)
		if c.JSON {
			return nil
		}
		return a.printAll(findingLines(f))
	}}
	d.examine(ctx)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: not everything was looked at; what was tried in the archive is removed. Run the same command again")
	case d.err != nil:
		return d.err
	}
	if found.Healthy = d.bad == 0; c.JSON {
		if err := a.printJSON(found); err != nil {
			return err
		}
	}
	if d.bad > 0 {
		return fmt.Errorf("%d of %d findings would lose or block evidence", d.bad, len(found.Findings))
	}
	return nil
}

// examine looks at everything. What needs a setting that is absent or wrong is passed over: that is a finding already.
func (d *doctor) examine(ctx context.Context) {
	cfg := d.configuration()
	d.room(cfg)
	vault := d.archive(ctx, cfg)
	d.seals(ctx, cfg, vault)
	d.queue(ctx, cfg)
	d.upstream(ctx, cfg)
	d.ticket(ctx, cfg, vault)
	d.waiting(ctx, vault)
}

// findingLines are a finding for people.
func findingLines(f finding) []string {
	const checkWidth = 21
	mark := map[string]string{levelOK: "ok", levelInfo: "info", levelWarning: "warning", levelBad: "BAD"}[f.Level]
	lines := []string{columns(column{text: mark, width: 7}, column{text: f.Check, width: checkWidth}, column{text: f.Found})}
	for _, more := range []struct{ label, text string }{{"means:", f.Means}, {"do:", f.Do}} {
		if more.text != "" {
			lines = append(lines, columns(column{width: 7}, column{text: more.label, width: checkWidth}, column{text: more.text}))
		}
	}
	return lines
}
