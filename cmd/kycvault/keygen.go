package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/kycvault/kycvault/pkg/agekey"
)

type keygenCmd struct {
	Output string `short:"o" required:"" placeholder:"FILE" type:"path" help:"The file for the secret key; it must not be there yet."`
	JSON   bool   `name:"json" help:"One JSON object on stdout."`
}

// Help implements kong.HelpProvider.
func (keygenCmd) Help() string {
	return `Makes a key pair for a vault whose evidence is encrypted: the secret key goes into FILE, in the format of age-keygen, readable by
you alone; the public key (age1…) goes to stdout, and into KYC_RECIPIENTS.

Make it on a machine that is not the one which archives, best without a network. Who holds the secret key reads every face; if
it is lost, so is all that was encrypted to it alone. So make two pairs at two places, say yours and a lawyer's, and name
both: either opens everything. docs/evidence.md says more. To rotate, put new public keys into KYC_RECIPIENTS: they are
for what comes from then on; keep the old secret keys as long as the old evidence.

The fields of --json:

    recipient  the public key
    file       where the secret key is

Example:

    export KYC_RECIPIENTS="$(kycvault keygen -o vault-key.txt)"

Exit codes: 0 done, 1 not done, 2 wrong usage.`
}

// Run does it.
func (c *keygenCmd) Run(a *app) error {
	pair, err := agekey.NewPair(a.now())
	if err != nil {
		return err
	}
	if err := writeSecret(c.Output, pair.File); err != nil {
		return err
	}
	a.tell("the secret key is in " + c.Output + ": keep it, and a copy at another place, away from the machines that archive. Without it nothing can be decrypted")
	if c.JSON {
		return a.printJSON(struct {
			Recipient string `json:"recipient"`
			File      string `json:"file"`
		}{pair.Public, c.Output})
	}
	return a.print(pair.Public)
}

// writeSecret writes a file that only its owner may read, and that must not be there yet. One that fails leaves none.
func writeSecret(name string, data []byte) (err error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("write secret key: %s is there already; a secret key is never written over", name)
	}
	if err != nil {
		return fmt.Errorf("write secret key: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write secret key: %w", errors.Join(err, os.Remove(name)))
		}
	}()
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}
