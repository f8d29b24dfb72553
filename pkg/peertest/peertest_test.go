package peertest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestPeersRun starts each server and asks it something; the S3 server is killed and started again.
func TestPeersRun(t *testing.T) {
	s3, sqs, tsa := peertest.StartS3(t), peertest.StartSQS(t), peertest.StartTSA(t)
	if !strings.Contains(string(tsa.Chain), "BEGIN CERTIFICATE") {
		t.Errorf("the timestamp server's chain: %s", tsa.Chain)
	}
	s3.Kill()
	s3.Restart()
	for _, url := range []string{s3.URL, sqs.URL} {
		res, err := http.Get(url) //nolint:noctx // a local server
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
}

// TestPins: the Makefile installs what the tests look for.
func TestPins(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for name, pin := range map[string]string{"VERSITYGW": peertest.VersityGW, "LOCAL_SQS": peertest.LocalSQS, "TIMESTAMP": peertest.TimestampServer} {
		if !strings.Contains(string(makefile), name+" ") || !strings.Contains(string(makefile), ":= "+pin+"\n") {
			t.Errorf("the Makefile does not pin %s to %s", name, pin)
		}
	}
}
