package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/seal"
)

type sealCmd struct {
	What string `arg:"" optional:"" default:"pass" enum:"pass,keygen,public" help:"pass (the default) makes a pass, keygen a key pair; public prints the public key of KYC_SEAL_KEY."`
	Name string `placeholder:"NAME" default:"kycvault" help:"With keygen: the key's name, which stands in every checkpoint, such as example.com/kycvault."`
	JSON bool   `name:"json" help:"One JSON object on stdout."`

	logFlags
	archiveFlags
	sealingFlags
}

// Help implements kong.HelpProvider.
func (sealCmd) Help() string {
	return `Closes the windows of time that are over: a signed tree over all that was archived in each, so that nobody can change, remove or
insert an order unseen (docs/evidence.md). A serve or a re-fetch function with KYC_SEAL_KEY does so by itself; this is a pass by
hand, which also looks through the whole journal for entries that came after their window was sealed, and through the whole chain
for timestamps that are missing. What came late goes into the next window that it closes: if there is none, since other passes were
quicker, into a shorter one that it closes now, which ends KYC_SEAL_GRACE ago and is at least a minute long: else run it again a little
later. Doing it twice is harmless.

keygen prints a new private key, alone on stdout; put it into KYC_SEAL_KEY of the re-fetch function, keep a copy off line, and give
the public key, which "public" prints, to whoever is to check. When the key is changed, the former public key goes behind the new
private one, after a comma.

The fields of --json:

    windows    how many were sealed
    leaves     manifests in them
    late       of these, whose own window had been sealed before
    until      the end of the last window that is sealed
    behind     more windows are over: run it again
    stamped    checkpoints that got their timestamp
    unstamped  checkpoints that still wait for it
    private, public  the keys, of keygen and public

Example:

    export KYC_SEAL_KEY="$(kycvault seal keygen --name example.com/kycvault)"
    kycvault seal public > seal-key.pub
    kycvault seal --archive "file://$PWD/vault"

Exit codes: 0 done, whatever there was to seal; 1 it could not be done; 2 wrong usage.`
}

// sealedNow is what --json prints of a pass.
type sealedNow struct {
	Windows   int       `json:"windows"`
	Leaves    int       `json:"leaves"`
	Late      int       `json:"late"`
	Until     time.Time `json:"until,omitzero"`
	Behind    bool      `json:"behind"`
	Stamped   int       `json:"stamped"`
	Unstamped int       `json:"unstamped"`
}

// sealKeys is what --json prints of keys.
type sealKeys struct {
	Private string `json:"private,omitempty"`
	Public  string `json:"public"`
}

// Run does it.
func (c *sealCmd) Run(ctx context.Context, a *app) error {
	switch c.What {
	case "keygen":
		return c.keygen(a)
	case "public":
		return c.public(a)
	}
	cfg, err := a.sealConfig(platform.NeedArchive)
	if err != nil {
		return err
	}
	b, err := openExisting(cfg.Archive)
	if err != nil {
		return err
	}
	sealer, err := platform.NewSealer(cfg, archive.New(b), a.logger(cfg))
	if err != nil {
		return err
	}
	report, err := sealer.Pass(ctx, true)
	return errors.Join(c.print(a, report), err)
}

// sealConfig reads the settings, of which KYC_SEAL_KEY is needed.
func (a *app) sealConfig(needs platform.Needs) (platform.Config, error) {
	cfg, err := a.config(needs)
	if err == nil && cfg.SealKey.Empty() {
		err = usage(errors.New("KYC_SEAL_KEY is not set; kycvault seal keygen makes one"))
	}
	return cfg, err
}

func (c *sealCmd) keygen(a *app) error {
	private, public, err := seal.NewKey(c.Name)
	if err != nil {
		return usage(err)
	}
	if c.JSON {
		return a.printJSON(sealKeys{Private: private.Reveal(), Public: public})
	}
	a.tell("public key: " + public)
	a.tell("the private key goes into KYC_SEAL_KEY; who has it can sign another history, so keep its copy off line")
	return a.print(private.Reveal())
}

func (c *sealCmd) public(a *app) error {
	cfg, err := a.sealConfig(0)
	if err != nil {
		return err
	}
	key, err := seal.ParseKey(cfg.SealKey)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(sealKeys{Public: key.Public()})
	}
	return a.print(key.Public())
}

func (c *sealCmd) print(a *app, r seal.Report) error {
	if c.JSON {
		return a.printJSON(sealedNow(r))
	}
	if r.Behind {
		a.tell("more windows are over; run the same command again")
	}
	if r.Unstamped > 0 {
		a.tell(fmt.Sprintf("%d checkpoints still wait for their timestamp; run the same command again when the authority answers", r.Unstamped))
	}
	until := "nothing is sealed yet"
	if !r.Until.IsZero() {
		until = "all is sealed until " + r.Until.Format(time.RFC3339)
	}
	return a.print(fmt.Sprintf("%d windows sealed, with %d manifests, %d of them late; %d timestamps; %s", r.Windows, r.Leaves, r.Late, r.Stamped, until))
}
