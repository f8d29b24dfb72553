package main

import "github.com/kycvault/kycvault/pkg/faceid"

type signCmd struct {
	Values []string `arg:"" name:"value" help:"The values to sign, in any order."`
}

// Help implements kong.HelpProvider.
func (signCmd) Help() string {
	return `Prints the signature of the values, 40 upper-case hex digits, alone on stdout. The values are sorted by bytes and
joined; equal ones all count. The ticket is a secret: on a machine that others use, it shows in the list of processes.

Example: check a back end's signature of app id, order number, version, ticket and nonce:

    kycvault sign TIDA0001 orderNo0001 1.0.0 "$TICKET" "$NONCE"

Exit codes: 0 done, 2 wrong usage.`
}

// Run does it.
func (c *signCmd) Run(a *app) error { return a.print(faceid.Sign(c.Values...)) }
