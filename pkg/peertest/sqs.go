package peertest

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// LocalSQS is the SQS server's pinned version, as `make peers` installs it.
const LocalSQS = "2.0.2"

//go:embed sqs.js
var sqsScript string

// SQS is a running SQS server (local-aws-sqs) without queues; create them by the API. It takes any credentials. It differs from
// Amazon's in this: ChangeMessageVisibility adds one to the receive count, MessageSystemAttributeNames is ignored (use
// AttributeNames), and a long poll for more than one message waits its whole time.
type SQS struct {
	URL    string // http://127.0.0.1:port
	Region string
	server *server
}

// StartSQS starts an SQS server.
func StartSQS(t testing.TB) *SQS {
	t.Helper()
	module := tool(t, "peers", "node_modules", "local-aws-sqs")
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not on this machine")
	}
	script := filepath.Join(t.TempDir(), "sqs.js")
	if err := os.WriteFile(script, []byte(sqsScript), 0o600); err != nil {
		t.Fatal(err)
	}
	port := FreePort(t)
	s := &SQS{Region: "us-east-1"}
	s.server = start(t, port, func() *exec.Cmd {
		cmd := exec.Command(node, script, strconv.Itoa(port))
		cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Dir(module))
		return cmd
	})
	s.URL = "http://" + s.server.address
	return s
}
