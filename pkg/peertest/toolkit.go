package peertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// ComponentToolkit is the pinned version of tencent-component-toolkit, as `make peers` installs it.
const ComponentToolkit = "2.27.6"

// Toolkit makes a command that runs a Node script which can require tencent-component-toolkit: the library that Tencent's
// deploy service runs. The script must not reach for the network; the environment holds no credentials and no proxy.
func Toolkit(t testing.TB, script string, args ...string) *exec.Cmd {
	t.Helper()
	modules := tool(t, "peers", "tencent-component-toolkit-"+ComponentToolkit, "node_modules")
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not on this machine")
	}
	file := filepath.Join(t.TempDir(), "script.js")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, append([]string{file}, args...)...)
	cmd.Env = []string{"NODE_PATH=" + modules, "PATH=" + os.Getenv("PATH")}
	return cmd
}
