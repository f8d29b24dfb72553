package tencent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/platform"
)

// Function is one of the three functions: a handler for scf-go-lib's StartHandler. It may be invoked from many goroutines.
type Function struct {
	core  *core
	takes []kind // the first is what it is for
	// run does the work of an event that it takes.
	run func(ctx context.Context, s *system, t platform.Times, event []byte) (answer []byte, err error)
	// failed is the answer when that went wrong; nil: the caller gets the error.
	failed func() (answer []byte, err error)
}

// null is the answer of a function that has nothing to say: JSON, as scf-go-lib makes it of nothing.
var null = []byte("null")

// Invoke implements cloudfunction.Handler.
func (f *Function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	f.core.role.note(environment(ctx, f.core.options.Lookup))
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	if came := kindOf(event); !slices.Contains(f.takes, came) {
		f.core.log.LogAttrs(ctx, slog.LevelError, "event refused: another kind was expected",
			slog.String("came", string(came)), slog.String("expected", string(f.takes[0])))
		return nil, fmt.Errorf("refuse event: %s came, expected %s; look at what triggers this function", came, f.takes[0])
	}
	answer, err := f.work(ctx, event)
	if err != nil && f.failed != nil {
		return f.failed()
	}
	return answer, err
}

// errPanic says no more: what was thrown may hold anything. The log has the place.
var errPanic = errors.New("invocation panicked: the stack is in the log")

// work does it. A panic becomes an error: scf-go-lib would show the caller what was thrown, and end the process.
func (f *Function) work(ctx context.Context, event []byte) (answer []byte, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			f.core.log.LogAttrs(ctx, slog.LevelError, "invocation panicked",
				slog.String("type", fmt.Sprintf("%T", thrown)), slog.String("stack", string(debug.Stack())))
			answer, err = nil, errPanic
		}
	}()
	s, err := f.core.ready(ctx)
	if err != nil {
		return nil, err
	}
	times := platform.TimesOf(ctx, time.Now())
	ctx, cancel := times.Bound(ctx)
	defer cancel()
	return f.run(ctx, s, times, event)
}
