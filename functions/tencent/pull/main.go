// Command pull is the pull function for Tencent SCF: it makes the steps of the orders in its event.
package main

import "github.com/kycvault/kycvault/pkg/platform/tencent"

// Set by the linker for a release.
var version = "0.1.0"

func main() { tencent.Main(tencent.NewPull, version) }
