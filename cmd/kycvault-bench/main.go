// Command kycvault-bench measures kycvault against what a team would write by hand (byhand.go), and prints one table.
//
// Only ratios count: every row comes from one run on one machine, the two sides take turns, and the figures are medians.
// It exits 1 when a number that DESIGN section 7 wants held is not. It is a tool of this repository ("make bench"), and is
// not shipped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

// settings are the choices of a run.
type settings struct {
	kycvault string // the program to measure
	profile  string // where serve's CPU profile goes; "" makes none
	only     string // a part's name; "" is all of them

	rounds  int // repetitions of a pair; the median counts
	scale   int // divides the amount of work: 1, or more for a test of this program
	scratch string
}

// childRoles are what this program does when it runs itself as a process to measure, by its first argument.
func childRoles() map[string]func(ctx context.Context, args []string) error {
	return map[string]func(context.Context, []string) error{"by-hand": runByHand, "profiled-serve": runProfiledServe}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "kycvault-bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		if role := childRoles()[args[0]]; role != nil {
			return role(ctx, args[1:])
		}
	}
	var s settings
	flags := flag.NewFlagSet("kycvault-bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.kycvault, "kycvault", "bin/kycvault", "the program to measure")
	flags.StringVar(&s.profile, "profile", "", "write serve's CPU profile to this file, and measure with that on")
	flags.StringVar(&s.only, "only", "", "one part alone: "+strings.Join(partNames(), ", "))
	flags.IntVar(&s.rounds, "rounds", 9, "repetitions of each pair")
	flags.IntVar(&s.scale, "scale", 1, "divides the amount of work; for a quick look only")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return measure(ctx, s, stdout, stderr)
}

// errMissed says that the table is complete, and that something in it is not as DESIGN section 7 wants it.
var errMissed = errors.New("not held")

// part is one subject of the table.
type part struct {
	name string
	run  func(ctx context.Context, s settings, t *table) error
}

func parts() []part {
	return []part{{"order", largeOrder}, {"encrypted", encryptedOrder}, {"decode", decode}, {"serve", serve}, {"pass", pass}, {"seal", sealPass}, {"functions", functions}, {"scf", scfFunctions}}
}

func partNames() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// measure runs the parts and prints the table as far as it came.
func measure(ctx context.Context, s settings, stdout, stderr io.Writer) (err error) {
	if s.scratch, err = os.MkdirTemp("", "kycvault-bench-"); err != nil {
		return fmt.Errorf("make scratch folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(s.scratch) }()
	t := &table{machine: machine()}
	for _, p := range parts() {
		if s.only != "" && s.only != p.name {
			continue
		}
		_, _ = fmt.Fprintf(stderr, "measuring: %s\n", p.name)
		if err := p.run(ctx, s, t); err != nil {
			return fmt.Errorf("measure %s: %w", p.name, err)
		}
	}
	if len(t.rows) == 0 {
		return fmt.Errorf("there is no part %q", s.only)
	}
	if _, err := io.WriteString(stdout, t.String()); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	if missed := t.missed(); len(missed) > 0 {
		return fmt.Errorf("%w: %s", errMissed, strings.Join(missed, "; "))
	}
	return nil
}
