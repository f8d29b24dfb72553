package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kycvault/kycvault/pkg/bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket"
	"github.com/kycvault/kycvault/pkg/bucket/s3bucket/s3test"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestS3Scripts runs what a user could type with an archive in a bucket of a real S3 server. Each script gets the server as an
// administrator of it would set it up: PLAIN, VERSIONED, LOCKED and DEFAULT are the names of its own buckets, FOLDERS is where
// the server keeps their objects as files.
func TestS3Scripts(t *testing.T) {
	server := peertest.StartS3(t)
	t.Run("scripts", func(t *testing.T) {
		testscript.Run(t, testscript.Params{
			Dir: "testdata/s3", RequireExplicitExec: true, RequireUniqueNames: true, Cmds: scriptCommands(),
			Setup: func(env *testscript.Env) error {
				prepare(t, server, env)
				return setUp(env)
			},
		})
	})
}

// prepare makes a script's buckets, and sets the environment.
func prepare(t *testing.T, server *peertest.S3, env *testscript.Env) {
	t.Helper()
	own := filepath.Base(env.WorkDir) // script-NAME
	for variable, k := range map[string]s3test.Kind{"PLAIN": s3test.Plain, "VERSIONED": s3test.Versioned, "LOCKED": s3test.Locked, "DEFAULT": s3test.Locked} {
		name := own + "-" + map[string]string{"PLAIN": "p", "VERSIONED": "v", "LOCKED": "l", "DEFAULT": "d"}[variable]
		s3test.MakeBucket(t, server, name, k)
		env.Setenv(variable, name)
	}
	s3test.LockByDefault(t, server, env.Getenv("DEFAULT"), 3)
	for name, value := range map[string]string{
		"FOLDERS": server.Root, "ENDPOINT": server.URL, "ENDPOINT_OPTION": url.QueryEscape(server.URL), "AWS_ENDPOINT_URL_S3": server.URL,
		"AWS_REGION": server.Region, "AWS_ACCESS_KEY_ID": server.AccessKey, "AWS_SECRET_ACCESS_KEY": server.SecretKey,
		"AWS_EC2_METADATA_DISABLED": "true", "HOME": env.WorkDir, "TMPDIR": env.WorkDir + "/.tmp", "PATH": os.Getenv("PATH"),
	} {
		env.Setenv(name, value)
	}
}

// newS3Vault is a vault whose archive lies in a bucket of a real S3 server, below a prefix.
func newS3Vault(t *testing.T) *vault {
	t.Helper()
	const name, prefix = "vault", "bank/kyc"
	server := peertest.StartS3(t)
	s3test.MakeBucket(t, server, name, s3test.Plain)
	whole, err := s3bucket.New(s3bucket.Config{Bucket: name, Region: server.Region, Endpoint: server.URL, PathStyle: true, Credentials: s3test.Credentials(server)})
	if err != nil {
		t.Fatal(err)
	}
	v := newVault(t)
	if v.elsewhere, err = bucket.Prefixed(whole, prefix); err != nil {
		t.Fatal(err)
	}
	v.variables = []string{
		"KYC_ARCHIVE=s3://" + name + "/" + prefix + "?path_style=true", "AWS_ENDPOINT_URL_S3=" + server.URL,
		"AWS_REGION=" + server.Region, "AWS_ACCESS_KEY_ID=" + server.AccessKey, "AWS_SECRET_ACCESS_KEY=" + server.SecretKey,
	}
	return v
}

// TestKillNineOnS3: what holds for a folder holds for a bucket.
func TestKillNineOnS3(t *testing.T) {
	killNine(t, newS3Vault(t), 3)
}

// TestMemoryIsFlatOnS3: 64 MiB resident at most, whatever the video's size (the functions' limit).
func TestMemoryIsFlatOnS3(t *testing.T) {
	peertest.NeedPeak(t)
	v := newS3Vault(t)
	v.sim.EndCheck("big64mb1", time.Now().Add(-time.Minute))
	s := v.serve()
	if code := s.post(t, "big64mb1"); code != http.StatusAccepted {
		t.Fatalf("status %d", code)
	}
	v.wait([]string{"big64mb1"})
	if peak := peertest.PeakMiB(t, s.cmd.Process.Pid); peak > 64 {
		t.Errorf("peak is %d MiB", peak)
	} else {
		t.Logf("peak %d MiB", peak)
	}
}
