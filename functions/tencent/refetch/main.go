// Command refetch is the refetch function for Tencent SCF: it makes one pass over all orders that wait, at each event of its timer trigger.
package main

import "github.com/kycvault/kycvault/pkg/platform/tencent"

// Set by the linker for a release.
var version = "0.1.0"

func main() { tencent.Main(tencent.NewRefetch, version) }
