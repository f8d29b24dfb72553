package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform/local"
)

// pulledLine is a line of --json and of --report. The help tells what its fields mean.
type pulledLine struct {
	kyc.Status
	End   string    `json:"end"`
	Code  string    `json:"code,omitempty"`
	Class kyc.Class `json:"class,omitempty"`
	Bytes int64     `json:"bytes"`
	Error string    `json:"error,omitempty"`
}

// pullSummary is the last line of --report.
type pullSummary struct {
	Orders   int            `json:"orders"`
	Repeated int            `json:"repeated"`
	Bad      int            `json:"bad"`
	Ends     map[string]int `json:"-"` // as fields of their own, see MarshalJSON
	Bytes    int64          `json:"bytes"`
	Seconds  float64        `json:"seconds"`
	Stopped  string         `json:"stopped"`
}

// ends are all ends, in the order in which people read them.
func ends() []string {
	return []string{local.PulledArchived, local.PulledAlready, local.PulledPartial, local.PulledUnavailable, local.PulledExpired,
		local.PulledPending, local.PulledFailed, local.PulledUntouched}
}

// MarshalJSON implements json.Marshaler: there is a field for each end, also for those that no order had.
func (s pullSummary) MarshalJSON() ([]byte, error) {
	fields := map[string]any{"orders": s.Orders, "repeated": s.Repeated, "bad": s.Bad, "bytes": s.Bytes, "seconds": s.Seconds, "stopped": s.Stopped}
	for _, end := range ends() {
		fields[end] = s.Ends[end]
	}
	return json.Marshal(fields)
}

// archived is how many orders are archived now.
func (s pullSummary) archived() int {
	return s.Ends[local.PulledArchived] + s.Ends[local.PulledAlready]
}

// text is the summary for people.
func (s pullSummary) text() string {
	var parts []string
	for _, end := range ends() {
		if n := s.Ends[end]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, end))
		}
	}
	orders := "orders"
	if s.Orders == 1 {
		orders = "order"
	}
	text := fmt.Sprintf("%d %s: %s; %s of media in %s", s.Orders, orders, strings.Join(parts, ", "), bytesText(s.Bytes),
		time.Duration(s.Seconds*float64(time.Second)).Round(100*time.Millisecond))
	if s.Repeated > 0 {
		text += fmt.Sprintf("; %d named again", s.Repeated)
	}
	if s.Bad > 0 {
		text += fmt.Sprintf("; %d lines skipped", s.Bad)
	}
	return text
}

// pullOutput tells how orders end, while they do.
type pullOutput struct {
	app    *app
	meter  *meter
	report *pullReport
	json   bool
	list   bool            // the orders come from a list: only those that are not archived are printed
	named  []archive.Order // those that do not, in the order in which they are printed
	ended  map[archive.Order]pulledLine
	start  time.Time
	sum    pullSummary
	count  int64
	note   string
	err    error // of writing
}

// done takes the end of one order.
func (o *pullOutput) done(p local.Pulled) {
	line := pulledLine{Status: p.Status, End: p.End, Code: p.Code, Class: p.Class, Bytes: p.Bytes}
	if p.Err != nil && !isArchived(p.End) {
		line.Error = p.Err.Error()
	}
	o.sum.Ends[p.End]++
	o.sum.Bytes += p.Bytes
	if p.End != local.PulledUntouched {
		o.count++
		o.meter.at(o.count, o.note)
	}
	if p.End == local.PulledFailed {
		o.meter.tell(fmt.Sprintf("order %s: %v", p.Order, p.Err))
	}
	o.keep(o.report.write(line))
	if o.list {
		o.keep(o.print(line))
		return
	}
	if o.ended == nil {
		o.ended = make(map[archive.Order]pulledLine)
	}
	o.ended[p.Order] = line
}

// keep keeps the first error: results that can not be written end in exit code 1, but stop no order.
func (o *pullOutput) keep(err error) {
	if o.err == nil {
		o.err = err
	}
}

func isArchived(end string) bool { return end == local.PulledArchived || end == local.PulledAlready }

// waiting notes whether the run waits for the service.
func (o *pullOutput) waiting(on bool) {
	if o.note = ""; on {
		o.note = "waiting for the service"
	}
	o.meter.at(o.count, o.note)
}

// print writes an order's line to stdout: of a list for people those that are worth a look.
func (o *pullOutput) print(line pulledLine) error {
	if o.json {
		return o.app.printJSONLine(line)
	}
	if line.State == "" || o.list && isArchived(line.End) {
		return nil
	}
	text := fmt.Sprintf("%s %s, %d files", line.Order, line.State, len(line.Files))
	if len(line.Missing) > 0 {
		text += fmt.Sprintf(", missing %v", line.Missing)
	}
	if o.list {
		o.meter.above()
	}
	return o.app.print(text)
}

// finish prints what is left to print, and the summary. stopped is why the run ended early.
func (o *pullOutput) finish(stopped error) error {
	for _, order := range o.named {
		o.keep(o.print(o.ended[order]))
	}
	o.sum.Seconds = o.app.now().Sub(o.start).Round(time.Millisecond).Seconds()
	if stopped != nil {
		o.sum.Stopped = stopped.Error()
	}
	o.keep(o.report.end(o.sum))
	if !o.json && (o.list || o.sum.Orders > 1) {
		o.keep(o.app.print(o.sum.text()))
	}
	if o.err != nil {
		return o.err
	}
	open := fmt.Sprintf("%d of %d orders are not archived; ", o.sum.Orders-o.sum.archived(), o.sum.Orders)
	switch {
	case errors.Is(stopped, local.ErrInterrupted):
		return errors.New("interrupted: " + open + "run the same command again to go on")
	case errors.Is(stopped, local.ErrNoAnswer):
		return errors.New("no good answer from the service: " + open + "see above why, and run the same command again to go on")
	case stopped != nil:
		return fmt.Errorf("%w: %smend that, and run the same command again to go on", stopped, open)
	case o.sum.archived() < o.sum.Orders:
		return errors.New(open + "run the same command again, or leave them to the re-fetch of a running serve")
	}
	return nil
}
