package tencent

import (
	"io"
	"net/http"
	"os"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/platform"
)

// Options are what a function is made of beside its environment. Only Writer is required; the rest is for tests.
type Options struct {
	Writer    string          // program and version, for manifests
	Lookup    platform.Lookup // nil: os.LookupEnv
	Output    io.Writer       // log lines; nil: standard output, which SCF collects
	Bucket    bucket.Bucket   // nil opens KYC_ARCHIVE
	Delayer   kyc.Delayer     // nil invokes KYC_PULL_FUNCTION
	Transport *http.Transport // to the upstream; nil is the client's own
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Lookup == nil {
		o.Lookup = os.LookupEnv
	}
	if o.Output == nil {
		o.Output = os.Stdout
	}
	return o
}
