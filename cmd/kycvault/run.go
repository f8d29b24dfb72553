package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"
)

// Exit codes, the same for every subcommand (DESIGN section 6).
const (
	exitDone    = 0
	exitNotDone = 1
	exitUsage   = 2
)

// commands is the command line. Each field's type has a file of its own.
type commands struct {
	Demo       demoCmd       `cmd:"" help:"Run the main job end to end, with nothing set up."`
	Serve      serveCmd      `cmd:"" help:"Run webhook, steps and re-fetch in one process."`
	Sim        simCmd        `cmd:"" help:"Run the fake upstream alone."`
	Pull       pullCmd       `cmd:"" help:"Pull orders now."`
	Ls         lsCmd         `cmd:"" help:"List orders by day, state or time."`
	Status     statusCmd     `cmd:"" help:"Tell how an order stands."`
	Get        getCmd        `cmd:"" help:"Fetch an order's evidence."`
	Export     exportCmd     `cmd:"" help:"Make a bag of evidence that stands on its own."`
	Refetch    refetchCmd    `cmd:"" help:"Make one pass of the scheduled re-fetch."`
	Ticket     ticketCmd     `cmd:"" help:"Tell who owns the ticket, and how fresh it is."`
	Verify     verifyCmd     `cmd:"" help:"Check every file of the archive."`
	Seal       sealCmd       `cmd:"" help:"Seal what was archived, or make the key for it."`
	Doctor     doctorCmd     `cmd:"" help:"Look for what would lose or block evidence."`
	Keygen     keygenCmd     `cmd:"" help:"Make a key pair to encrypt evidence to."`
	Sign       signCmd       `cmd:"" help:"Print the signature of some values."`
	Token      tokenCmd      `cmd:"" help:"Mint a webhook token for an order."`
	Completion completionCmd `cmd:"" help:"Print a completion script for a shell."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

const description = "Keeps the evidence of Tencent Cloud eKYC face checks in your own bucket. " +
	"Settings come from the KYC_ variables; flags go before them. Secrets come from variables only. " +
	"Exit codes: 0 done, 1 not done, 2 wrong usage."

// run is the whole command: args without the program's name, environ as os.Environ gives it. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now, environ: environ}
	exited := false // kong prints the help and goes on, since its Exit may not end the process here
	parser, err := kong.New(new(commands), kong.Name("kycvault"), kong.Description(description),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { exited = true }), kong.ValueFormatter(helpWithVariable))
	if err != nil {
		return a.fail(fmt.Errorf("build command line: %w", err))
	}
	parsed, err := parser.Parse(args)
	switch {
	case exited:
		return exitDone
	case err != nil:
		return a.fail(usage(fmt.Errorf("%w (kycvault --help tells more)", err)))
	}
	a.overrides = flagsByVariable(parsed)
	parsed.BindTo(ctx, (*context.Context)(nil)) // a Run that waits for something takes it
	if err := parsed.Run(a); ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return a.fail(errors.New("interrupted: run the same command again"))
	} else if err != nil {
		return a.fail(err)
	}
	return exitDone
}

// usageError is an error of the one who called: a wrong flag, argument or setting.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// usage marks an error as the caller's; nil stays nil.
func usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// fail tells the error, once, and gives the exit code for it.
func (a *app) fail(err error) int {
	_, _ = fmt.Fprintf(a.stderr, "kycvault: %v\n", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitNotDone
}
