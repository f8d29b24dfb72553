package tencent

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tencentyun/scf-go-lib/functioncontext"

	"github.com/kycvault/kycvault/pkg/platform"
	"github.com/kycvault/kycvault/pkg/secret"
)

// What SCF's runtime says of the function's role and place, with each invocation (PLATFORMS).
const (
	secretIDVariable     = "TENCENTCLOUD_SECRETID"
	secretKeyVariable    = "TENCENTCLOUD_SECRETKEY"
	sessionTokenVariable = "TENCENTCLOUD_SESSIONTOKEN"
	regionVariable       = "TENCENTCLOUD_REGION"
)

// environment looks a variable up in what an invocation brings, then in the process's. The runtime writes the former to the
// latter one by one, so that invocations side by side could see a mixture there.
func environment(ctx context.Context, process platform.Lookup) platform.Lookup {
	fc, ok := functioncontext.FromContext(ctx)
	if !ok {
		return process
	}
	return func(name string) (string, bool) {
		if v, ok := fc.Environment[name]; ok {
			return v, true
		}
		return process(name)
	}
}

// delivered lists the names of the variables that came with an invocation.
func delivered(ctx context.Context) []string {
	fc, ok := functioncontext.FromContext(ctx)
	if !ok {
		return nil
	}
	return slices.Collect(maps.Keys(fc.Environment))
}

// value is a variable as platform.Load takes it.
func value(lookup platform.Lookup, name string) string {
	v, _ := lookup(name)
	return strings.TrimSpace(v)
}

// region is where the function runs, "" when nothing says so.
func region(ctx context.Context, lookup platform.Lookup) string {
	told := ""
	if fc, ok := functioncontext.FromContext(ctx); ok {
		told = fc.TencentcloudRegion
	}
	return cmp.Or(value(lookup, regionVariable), told)
}

// Credentials are the temporary ones of a function's role. They are good for some hours only: ask for them at each use.
type Credentials struct {
	SecretID     string
	SecretKey    secret.Text
	SessionToken secret.Text
}

// role keeps the credentials that came with the latest invocation.
type role struct{ latest atomic.Pointer[Credentials] }

// errRole says that there are no credentials to work with.
var errRole = errors.New("the runtime brought no credentials (" + secretIDVariable + "): has the function a role?")

// note takes what an invocation brings; one without credentials changes nothing.
func (r *role) note(lookup platform.Lookup) {
	if id := value(lookup, secretIDVariable); id != "" {
		r.latest.Store(&Credentials{
			SecretID:     id,
			SecretKey:    secret.New(value(lookup, secretKeyVariable)),
			SessionToken: secret.New(value(lookup, sessionTokenVariable)),
		})
	}
}

// credentials gives the newest set.
func (r *role) credentials() (Credentials, error) {
	if c := r.latest.Load(); c != nil {
		return *c, nil
	}
	return Credentials{}, errRole
}
