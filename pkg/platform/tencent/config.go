package tencent

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/kycvault/kycvault/pkg/delay/scf"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

const archiveExpected = "cos://bucket-appid/prefix?region=…"

// load reads a function's configuration. The error joins one *platform.Mistake for each thing that is wrong or absent, here or on
// any platform.
func load(s special, p place) (platform.Config, error) {
	config, err := platform.Load(p.lookup, s.needs)
	return config, errors.Join(err, checkArchive(p), checkFunction(p.lookup), checkSeal(s, p.lookup))
}

// checkArchive refuses a location that is well written, and that a function can not open.
func checkArchive(p place) error {
	const variable = "KYC_ARCHIVE"
	a, err := platform.ParseArchive(value(p.lookup, variable))
	switch {
	case err != nil: // platform.Load has told of it
		return nil //nolint:nilerr // see above
	case a.Scheme == platform.SchemeFile:
		return &platform.Mistake{Variable: variable, Problem: "a function has no folder that outlives it", Expected: archiveExpected}
	case openers()[a.Scheme] == nil:
		return &platform.Mistake{Variable: variable, Problem: platform.Unlinked(a.Scheme), Expected: archiveExpected}
	case a.Scheme == platform.SchemeCOS && cmp.Or(p.region, a.Options.Get("region"), a.Options.Get("endpoint")) == "":
		return &platform.Mistake{Variable: variable, Problem: "no region, and the runtime tells none (" + regionVariable + ")", Expected: archiveExpected}
	case a.Scheme == platform.SchemeCOS:
		return nil
	}
	if _, err := openers().Open(a, p); err != nil { // another cloud's: only its driver knows its variables, and it reaches nothing
		return &platform.Mistake{Variable: variable, Problem: err.Error(), Expected: "what the other cloud's archive needs: docs/tencent.md"}
	}
	return nil
}

// checkFunction refuses what can not be a function's name.
func checkFunction(lookup platform.Lookup) error {
	const variable = "KYC_PULL_FUNCTION"
	name := value(lookup, variable)
	if name == "" {
		return nil // where it is needed, platform.Load has told of it
	}
	if _, err := scf.ParseFunction(name); err != nil {
		return &platform.Mistake{Variable: variable, Problem: err.Error(), Expected: scf.FunctionExpected}
	}
	return nil
}

// checkSeal refuses the key where nothing is sealed: with it whoever breaks into that function could sign another history
// (docs/evidence.md, "Who could change what").
func checkSeal(s special, lookup platform.Lookup) error {
	const variable = "KYC_SEAL_KEY"
	if s.seals || value(lookup, variable) == "" {
		return nil
	}
	return &platform.Mistake{Variable: variable, Problem: "this function seals nothing, and its role may not", Expected: "not set here; refetch alone gets it: docs/tencent.md"}
}

// openDelayer makes what hands steps to the pull function.
func openDelayer(c platform.Config, p place) (kyc.Delayer, error) {
	f, err := scf.ParseFunction(c.PullFunction)
	if err != nil {
		return nil, err
	}
	return scf.New(scf.Config{
		Function: f, Region: cmp.Or(p.region, c.Archive.Options.Get("region")), Endpoint: c.SCFEndpoint,
		Credentials: func(context.Context) (scf.Credential, error) {
			now, err := p.role.credentials()
			return scf.Credential(now), err
		},
	})
}

// none is the delayer of the pull function, whose steps have their own (nextStep).
type none struct{}

// Delay implements kyc.Delayer.
func (none) Delay(context.Context, ...kyc.Message) error {
	return errors.New("delay step: the pull function sends no messages")
}

// Room implements kyc.Delayer.
func (none) Room(context.Context, time.Duration) (int, error) { return 0, nil }
