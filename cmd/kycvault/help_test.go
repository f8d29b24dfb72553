package main

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// example gives the lines of a subcommand's help that a user would copy.
func example(t *testing.T, subcommand string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{subcommand, "--help"}, nil, &stdout, &stderr, nil); code != exitDone || stderr.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	_, rest, _ := strings.Cut(stdout.String(), "Example")
	text, _, found := strings.Cut(rest, "Exit codes:")
	var lines []string
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "    "); ok {
			lines = append(lines, command)
		}
	}
	if !found || len(lines) == 0 {
		t.Fatalf("the help has no example, or no exit codes:\n%s", &stdout)
	}
	return strings.Join(lines, "")
}

// shell makes a shell that runs an example in a folder of its own, with kycvault in its path.
func shell(t *testing.T, script, dir string, env []string) *exec.Cmd {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-e", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(env, "PATH="+filepath.Dir(file)+":"+os.Getenv("PATH"), "TICKET=ticket", "NONCE=nonce")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// TestHelpExamples runs the examples as they are written. Those of demo and token are in the scripts: the first takes long,
// the second needs a host. TestExport has export's, which needs sealed orders.
func TestHelpExamples(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	dir := filepath.Dir(v.dir)
	v.dir = filepath.Join(dir, "vault")
	for _, subcommand := range []string{"pull", "ls", "status", "get", "refetch", "ticket", "seal", "doctor", "verify", "keygen", "sign", "completion", "version"} { // in this order: verify needs what pull made
		t.Run(subcommand, func(t *testing.T) {
			out, err := shell(t, example(t, subcommand), dir, v.env()).CombinedOutput()
			if err != nil || len(out) == 0 {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
	for _, subcommand := range []string{"serve", "sim"} {
		t.Run(subcommand, func(t *testing.T) {
			script := strings.ReplaceAll(example(t, subcommand), "127.0.0.1:8090", idleAddress(t))
			script = strings.ReplaceAll(script, "127.0.0.1:8080", "127.0.0.1:0")
			if !strings.Contains(script, "--listen 127.0.0.1:0") {
				script = strings.TrimSpace(script) + " --listen 127.0.0.1:0"
			}
			servesUntilStopped(t, shell(t, script, t.TempDir(), nil))
		})
	}
}

// idleAddress is one that nobody listened on a moment ago.
func idleAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// servesUntilStopped starts an example that serves, waits until it does, and stops all of it.
func servesUntilStopped(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := newServing(cmd)
	address := make(chan string, 1)
	go s.read(stderr, address)
	select {
	case <-address:
	case <-s.done:
		t.Errorf("it ended:\n%s", s.logs)
	case <-time.After(30 * time.Second):
		t.Error("it does not serve")
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	<-s.done
	_ = cmd.Wait() // the shell ends by the signal too
}

// TestEverySubcommandHasHelp: so none is forgotten above.
func TestEverySubcommandHasHelp(t *testing.T) {
	t.Parallel()
	for _, subcommand := range []string{"demo", "serve", "sim", "pull", "ls", "status", "get", "refetch", "ticket", "seal", "export", "doctor", "verify", "keygen", "sign", "token", "completion", "version"} {
		if !strings.Contains(example(t, subcommand), "kycvault "+subcommand) {
			t.Errorf("%s: its example does not use it", subcommand)
		}
	}
}
