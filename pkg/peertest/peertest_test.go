package peertest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestPeersRun starts each server and asks it something; the S3 server is killed and started again.
func TestPeersRun(t *testing.T) {
	s3, sqs, tsa := peertest.StartS3(t), peertest.StartSQS(t), peertest.StartTSA(t)
	s3.Kill()
	s3.Restart()
	for _, url := range []string{s3.URL, sqs.URL, tsa.URL} {
		res, err := http.Get(url) //nolint:noctx // a local server
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
}

// TestToolkit requires the deploy library.
func TestToolkit(t *testing.T) {
	out, err := peertest.Toolkit(t, `console.log(require("tencent-component-toolkit/package.json").version, typeof require("tencent-component-toolkit").Scf)`).Output()
	if want := peertest.ComponentToolkit + " function\n"; err != nil || string(out) != want {
		t.Errorf("the script printed %q, %v, want %q", out, err, want)
	}
}

// TestPins: the Makefile installs what the tests look for.
func TestPins(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for name, pin := range map[string]string{"VERSITYGW": peertest.VersityGW, "LOCAL_SQS": peertest.LocalSQS, "TOOLKIT": peertest.ComponentToolkit, "AGE": peertest.AgeVersion} {
		if ok, err := regexp.Match(`(?m)^`+name+` +:= `+regexp.QuoteMeta(pin)+`$`, makefile); !ok || err != nil {
			t.Errorf("the Makefile does not pin %s to %s", name, pin)
		}
	}
}
