// Command echo is a function that does what its event says, served by scfruntime.
package main

import (
	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest/testdata/library/work"
	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntime"
)

func main() { scfruntime.Start(work.Handler{}) }
