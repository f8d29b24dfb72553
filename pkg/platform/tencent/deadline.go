package tencent

import (
	"context"
	"time"

	"github.com/tencentyun/scf-go-lib/functioncontext"
)

// withDeadline mends the deadline of an invocation that came without one, of which scf-go-lib makes 1970: what is known then
// is how long the function may take.
func withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); !ok || end.Unix() > 0 {
		return context.WithCancel(ctx)
	}
	whole := context.WithoutCancel(ctx)
	if fc, ok := functioncontext.FromContext(ctx); ok && fc.TimeLimitInMs > 0 {
		return context.WithTimeout(whole, time.Duration(fc.TimeLimitInMs)*time.Millisecond)
	}
	return context.WithCancel(whole)
}
