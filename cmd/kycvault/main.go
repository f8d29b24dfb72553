// Command kycvault is the operator's side of kycvault. Each file named after a subcommand is that subcommand.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// Set by the linker (see the Makefile).
var (
	version = "0.1.0"
	commit  = ""
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
	stop()
	os.Exit(code)
}
