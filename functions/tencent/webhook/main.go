// Command webhook is the webhook function for Tencent SCF: it answers the HTTP requests of a function URL or an API gateway trigger.
package main

import "github.com/kycvault/kycvault/pkg/platform/tencent"

// Set by the linker for a release.
var version = "0.1.0"

func main() { tencent.Main(tencent.NewWebhook, version) }
