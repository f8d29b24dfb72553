package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

type statusCmd struct {
	Order string `arg:"" help:"The order number."`
	JSON  bool   `name:"json" help:"One JSON object on stdout: the body of GET /v1/orders/ORDER."`

	logFlags
	archiveFlags
}

// Help implements kong.HelpProvider.
func (statusCmd) Help() string {
	return `Tells how an order stands, what came, and what the tries heard that brought nothing. Nothing is asked upstream.

The fields of --json, the same as of GET /v1/orders/ORDER:

    orderNo     the order number
    state       pending, archived, partial, unavailable or expired
    firstSeen   when it was first told of, RFC 3339, UTC; left out where it is not known
    attempts    how often the service was asked
    archivedAt  the manifest's time, RFC 3339, UTC; left out without one
    files       of each file: name, kind (photo, video, result), mediaType, size (bytes), sha256, and flag where it looks odd
    missing     the media that a partial order lacks

Example:

    kycvault status --archive "file://$PWD/vault" orderNo0001

Exit codes: 0 done, whatever the state; 1 the archive knows nothing of it, 2 wrong usage.`
}

// Run does it.
func (c *statusCmd) Run(ctx context.Context, a *app) error {
	order, err := archive.ParseOrder(c.Order)
	if err != nil {
		return usage(err)
	}
	vault, err := a.openArchive()
	if err != nil {
		return err
	}
	st, err := kyc.Orders{Archive: vault}.Status(ctx, order)
	if errors.Is(err, kyc.ErrUnknownOrder) {
		return fmt.Errorf("order %s: the archive knows nothing of it", order)
	}
	if err != nil {
		return fmt.Errorf("look at order %s: %w", order, err)
	}
	if c.JSON {
		return a.printJSON(st)
	}
	notes, err := tries(ctx, vault, st)
	if err != nil {
		return err
	}
	return a.printAll(append(statusLines(st), notes...))
}

// meaning says of each state what comes next, as README.md does.
var meaning = map[kyc.State]string{
	kyc.StatePending:     "it waits, and is asked for until its deadline",
	kyc.StateArchived:    "everything that was wanted is there",
	kyc.StatePartial:     "given up with something missing; a new completion asks again",
	kyc.StateUnavailable: "the service never knew a result for it; a new completion asks again",
	kyc.StateExpired:     "given up, and nothing had come; a new completion asks again",
}

func statusLines(st kyc.Status) []string {
	lines := []string{
		labelled("order", string(st.Order)),
		labelled("state", string(st.State)+": "+meaning[st.State]),
		labelled("first seen", moment(st.FirstSeen)),
		labelled("archived", moment(st.ArchivedAt)),
		labelled("attempts", strconv.Itoa(st.Attempts)),
	}
	for _, f := range st.Files {
		lines = append(lines, columns(column{text: "file", width: labelWidth}, column{text: string(f.Kind), width: 6},
			column{text: bytesText(f.Size), width: 9, right: true}, column{text: f.MediaType, width: 16}, column{text: f.Name}))
		if f.Flag != "" {
			lines = append(lines, labelled("", "flag: "+f.Flag))
		}
	}
	if len(st.Missing) > 0 {
		lines = append(lines, labelled("missing", strings.Join(st.Missing, ", ")))
	}
	return lines
}

const labelWidth = 10

func labelled(label, text string) string {
	return columns(column{text: label, width: labelWidth}, column{text: text})
}

// tries tells what the tries heard of an order without a manifest: from the notes of its openings, or from the newest closed entry.
func tries(ctx context.Context, vault *archive.Archive, st kyc.Status) ([]string, error) {
	switch st.State {
	case kyc.StateUnavailable, kyc.StateExpired:
		closed, found, err := vault.NewestClosed(ctx, st.Order)
		if err != nil || !found {
			return nil, err
		}
		return []string{labelled("given up", moment(closed.ClosedAt)+heard(closed.Tries, closed.Code))}, nil
	case kyc.StatePending:
		return notes(ctx, vault, st.Order)
	}
	return nil, nil
}

func notes(ctx context.Context, vault *archive.Archive, order archive.Order) ([]string, error) {
	seen, err := vault.Markers(ctx, order)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, place := range []struct {
		kind   archive.NoteKind
		listed []archive.Listed
	}{{archive.Retry, seen.Retry}, {archive.Quiet, seen.Quiet}} {
		for _, l := range place.listed {
			note, err := vault.ReadNote(ctx, place.kind, l.Mark)
			if err != nil {
				return nil, err
			}
			lines = append(lines, labelled("last try", moment(l.At)+heard(note.Tries, note.Code)))
			if len(note.Odd) > 0 {
				lines = append(lines, labelled("", fmt.Sprintf("%d files look odd; they count as there once the same bytes came again", len(note.Odd))))
			}
		}
	}
	return lines, nil
}

// heard tells what the tries of an opening brought, by class, and the last code.
func heard(tries map[string]int, code string) string {
	var classes []string
	for class, n := range tries {
		classes = append(classes, fmt.Sprintf("%d × %s", n, class))
	}
	slices.Sort(classes)
	text := ""
	if len(classes) > 0 {
		text = ", heard " + strings.Join(classes, ", ")
	}
	if code != "" {
		text += ", last code " + code
	}
	return text
}

// printAll writes a result of several lines for people.
func (a *app) printAll(lines []string) error { return a.print(strings.Join(lines, "\n")) }
