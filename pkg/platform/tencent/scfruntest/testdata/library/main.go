// Command library is the same function, served by scf-go-lib: what scfruntime is compared with.
package main

import (
	"github.com/tencentyun/scf-go-lib/cloudfunction"

	"github.com/kycvault/kycvault/pkg/platform/tencent/scfruntest/testdata/library/work"
)

func main() { cloudfunction.StartHandler(work.Handler{}) }
