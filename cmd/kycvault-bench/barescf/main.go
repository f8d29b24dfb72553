// Command barescf is the least that an SCF function in Go can be: what a cold start is compared with.
package main

import (
	"context"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
)

func main() {
	cloudfunction.Start(func(context.Context) error { return nil })
}
