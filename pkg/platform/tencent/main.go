package tencent

import "github.com/kycvault/kycvault/pkg/platform/tencent/scfruntime"

// Main runs a function until SCF ends it. make is NewWebhook, NewPull or NewRefetch, so that a binary has the code of its own
// function only.
func Main(make func(Options) *Function, version string) {
	scfruntime.Start(make(Options{Writer: "kycvault " + version}))
}
