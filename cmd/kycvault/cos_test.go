package main

import (
	"context"
	"net/url"
	"os"
	"path"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket"
	"github.com/kycvault/kycvault/pkg/bucket/cosbucket/costest"
	"github.com/kycvault/kycvault/pkg/secret"
)

// TestCOSScripts runs what a user could type with an archive in a bucket of a COS test server. PLAIN, VERSIONED, SUSPENDED and
// BLIND are the locations of a script's own buckets, to which a prefix and options can be added: in BLIND one may not ask for
// versioning.
func TestCOSScripts(t *testing.T) {
	commands := scriptCommands()
	commands["stored"] = stored
	testscript.Run(t, testscript.Params{
		Dir: "testdata/cos", RequireExplicitExec: true, RequireUniqueNames: true, Cmds: commands,
		Setup: func(env *testscript.Env) error {
			prepareCOS(t, env)
			return setUp(env)
		},
	})
}

// cosPlain is the key of a script's plain bucket.
type cosPlain struct{}

// prepareCOS makes a script's buckets, and sets the environment.
func prepareCOS(t *testing.T, env *testscript.Env) {
	t.Helper()
	blind := costest.Config{Allow: func(_, action, _ string) bool { return action != costest.GetBucketVersioning }}
	buckets := map[string]*costest.Running{
		"PLAIN": costest.Start(t, costest.Config{}), "VERSIONED": costest.Start(t, costest.Config{}),
		"SUSPENDED": costest.Start(t, costest.Config{}), "BLIND": costest.Start(t, blind),
	}
	buckets["VERSIONED"].SetVersioning(costest.Enabled)
	buckets["SUSPENDED"].SetVersioning(costest.Suspended)
	for variable, b := range buckets {
		env.Setenv(variable, "cos://"+costest.DefaultBucket)
		env.Setenv(variable+"_AT", "endpoint="+url.QueryEscape(b.URL))
	}
	env.Values[cosPlain{}] = buckets["PLAIN"]
	for name, value := range map[string]string{
		"TENCENTCLOUD_SECRET_ID": costest.DefaultKey.SecretID, "TENCENTCLOUD_SECRET_KEY": costest.DefaultKey.SecretKey,
		"HOME": env.WorkDir, "TMPDIR": env.WorkDir + "/.tmp", "PATH": os.Getenv("PATH"),
	} {
		env.Setenv(name, value)
	}
}

// stored writes the one object of the plain bucket whose key is of a pattern to a file, or with ! wants none: stored PATTERN [FILE]
func stored(ts *testscript.TestScript, neg bool, args []string) {
	b := ts.Value(cosPlain{}).(*costest.Running)
	var found []string
	for _, key := range b.Keys() {
		if ok, err := path.Match(args[0], key); err != nil || ok {
			ts.Check(err)
			found = append(found, key)
		}
	}
	switch {
	case neg && len(found) == 0:
	case neg || len(found) != 1:
		ts.Fatalf("%q are stored", found)
	default:
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Object(found[0]), 0o600))
	}
}

// newCOSVault is a vault whose archive lies in a bucket of a COS test server, below a prefix; its listings are stale.
func newCOSVault(t *testing.T) *vault {
	t.Helper()
	const prefix = "bank/kyc"
	server := costest.Start(t, costest.Config{StaleFor: 500 * time.Millisecond})
	whole, err := cosbucket.New(cosbucket.Config{
		Bucket: costest.DefaultBucket, Endpoint: server.URL, Credentials: func(context.Context) (cosbucket.Credential, error) {
			return cosbucket.Credential{SecretID: costest.DefaultKey.SecretID, SecretKey: secret.New(costest.DefaultKey.SecretKey)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	v := newVault(t)
	if v.elsewhere, err = bucket.Prefixed(whole, prefix); err != nil {
		t.Fatal(err)
	}
	v.variables = []string{
		"KYC_ARCHIVE=cos://" + costest.DefaultBucket + "/" + prefix + "?endpoint=" + url.QueryEscape(server.URL),
		"TENCENTCLOUD_SECRET_ID=" + costest.DefaultKey.SecretID, "TENCENTCLOUD_SECRET_KEY=" + costest.DefaultKey.SecretKey,
	}
	return v
}

// TestKillNineOnCOS: what holds for a folder holds for a bucket, also when its listings are stale.
func TestKillNineOnCOS(t *testing.T) {
	killNine(t, newCOSVault(t), 3)
}
