// Package kyc is the core: Intake takes completions, Puller makes the steps that turn an order into evidence, Refetcher takes up what
// was left. It knows the archive, and of everything else only the small contracts it declares: Upstream, Delayer, Warmer.
package kyc
