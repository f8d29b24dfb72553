package aws

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/kycvault/kycvault/pkg/delay/sqs"
	"github.com/kycvault/kycvault/pkg/platform"
)

// environment is what a function reads once, before its first event.
type environment struct {
	platform.Config
	place
}

// load reads the environment. The error joins one *platform.Mistake for each thing that is wrong or absent.
func load(needs platform.Needs, lookup platform.Lookup) (environment, error) {
	config, err := platform.Load(lookup, needs)
	who, err2 := identity(lookup)
	p := place{Identity: who, lookup: lookup}
	if err := errors.Join(err, err2, checkArchive(p), checkQueue(lookup)); err != nil {
		return environment{}, err
	}
	return environment{Config: config, place: p}, nil
}

// identity takes the role's credentials from where Lambda puts them, and nothing else: they stay good for as long as the
// process lives ("Lambda environment variables"; PLATFORMS, AWS).
func identity(lookup platform.Lookup) (Identity, error) {
	var mistakes []error
	need := func(name string) string {
		value, _ := lookup(name)
		if value == "" {
			mistakes = append(mistakes, &platform.Mistake{Variable: name, Problem: "not set", Expected: "what Lambda puts there: this program is a Lambda function"})
		}
		return value
	}
	region := need("AWS_REGION")
	id, key := need("AWS_ACCESS_KEY_ID"), need("AWS_SECRET_ACCESS_KEY")
	session, _ := lookup("AWS_SESSION_TOKEN")
	return Identity{Region: region, Credentials: credentials.NewStaticCredentialsProvider(id, key, session)}, errors.Join(mistakes...)
}

// checkQueue refuses a queue that can not delay messages.
func checkQueue(lookup platform.Lookup) error {
	const variable = "KYC_QUEUE_URL"
	value, _ := lookup(variable)
	if value = strings.TrimSpace(value); value == "" {
		return nil // platform.Load has told of it
	}
	if err := sqs.CheckQueue(value); err != nil {
		return &platform.Mistake{Variable: variable, Problem: err.Error(), Expected: "the URL of a standard queue"}
	}
	return nil
}

// checkArchive refuses a location that is well written, and that a function can not open. Another cloud's credentials have
// variables of their own, which only the driver knows: it is asked here, since nothing is reached by that.
func checkArchive(p place) error {
	const variable, expected = "KYC_ARCHIVE", "s3://bucket/prefix"
	value, _ := p.lookup(variable)
	a, err := platform.ParseArchive(strings.TrimSpace(value))
	switch {
	case err != nil, a.Scheme == platform.SchemeS3: // platform.Load has told of it
		return nil //nolint:nilerr // see above
	case a.Scheme == platform.SchemeFile:
		return &platform.Mistake{Variable: variable, Problem: "a function has no folder that outlives it", Expected: expected}
	case openers()[a.Scheme] == nil:
		return &platform.Mistake{Variable: variable, Problem: platform.Unlinked(a.Scheme), Expected: expected}
	}
	if _, err := openers().Open(a, p); err != nil {
		return &platform.Mistake{Variable: variable, Problem: err.Error(), Expected: "what the other cloud's archive needs: docs/aws.md"}
	}
	return nil
}
