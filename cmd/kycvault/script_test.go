package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kycvault/kycvault/pkg/platform"
)

// scriptCommands are what the scripts can do beside testscript's own commands.
func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits":   exits,
		"start":   start,
		"halt":    halt,
		"waitfor": waitFor,
		"taken":   taken,
		"json":    eachJSON,
		"edit":    edit,
		"remove":  remove,
		"swap":    swap,
		"post":    post,
	}
}

// exits runs a command that must end with this very exit code: exits CODE COMMAND…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("run: %v", err)
		}
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

// running is a kycvault that a script has started.
type running struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when there are no more logs
}

// start runs kycvault in the background until it tells its address, and sets a variable to its URL: start NAME ARG…
// Its results go to NAME.out, its logs to NAME.log.
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME ARG…")
	}
	name := args[0]
	r := &running{cmd: exec.Command("kycvault", args[1:]...), ended: make(chan struct{})}
	r.cmd.Dir, r.cmd.Env = ts.MkAbs("."), scriptEnv(ts)
	out, err := os.Create(ts.MkAbs(name + ".out"))
	ts.Check(err)
	logs, err := os.Create(ts.MkAbs(name + ".log"))
	ts.Check(err)
	r.cmd.Stdout = out
	stderr, err := r.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(r.cmd.Start())
	ts.Defer(func() { _ = r.cmd.Process.Kill(); <-r.ended })
	found := make(chan string, 1)
	go func() {
		defer close(r.ended)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			_, _ = logs.WriteString(lines.Text() + "\n")
			if u := toldURL(lines.Bytes()); u != "" {
				found <- u
			}
		}
		_, _ = out.Close(), logs.Close()
	}()
	select {
	case u := <-found:
		ts.Setenv(name, u)
		processes(ts)[name] = r
	case <-r.ended:
		ts.Fatalf("it ended:\n%s", ts.ReadFile(name+".log"))
	case <-time.After(30 * time.Second):
		ts.Fatalf("it told no address")
	}
}

// toldURL reads a server's URL out of the log line that it starts with.
func toldURL(line []byte) string {
	var told struct{ Msg, URL, Address string }
	switch err := json.Unmarshal(line, &told); {
	case err != nil:
		return ""
	case told.Msg == "serving":
		return "http://" + told.Address
	case told.Msg == "fake upstream is serving":
		return told.URL
	}
	return ""
}

// halt sends a signal to a started process, which must then end with exit code 0: halt NAME [INT]
func halt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: halt NAME [INT]")
	}
	signal := syscall.SIGTERM
	if len(args) > 1 {
		signal = syscall.SIGINT
	}
	r := processes(ts)[args[0]]
	ts.Check(r.cmd.Process.Signal(signal))
	<-r.ended
	if err := r.cmd.Wait(); err != nil {
		ts.Fatalf("%s: %v:\n%s", args[0], err, ts.ReadFile(args[0]+".log"))
	}
}

// waitFor waits until a file is there, or with ! until none is: waitfor PATTERN
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		if neg != (len(found) > 0) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("still waiting for %s", args[0])
		}
	}
}

// taken sets a variable to an address that a program, this test, listens on: taken NAME
func taken(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[0], l.Addr().String())
}

// eachJSON reads stdout as JSON values, one after the other, and writes FIELD of each, without its layout, on a line of FILE:
// json FIELD FILE
func eachJSON(ts *testscript.TestScript, _ bool, args []string) {
	var lines bytes.Buffer
	for dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout"))); dec.More(); {
		var value map[string]json.RawMessage
		ts.Check(dec.Decode(&value))
		if field, ok := value[args[0]]; ok {
			ts.Check(json.Compact(&lines, field))
		}
		lines.WriteByte('\n')
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), lines.Bytes(), 0o600))
}

// edit damages the files of a pattern: edit flip|pad|cut PATTERN
func edit(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range glob(ts, args[1]) {
		data, err := os.ReadFile(file)
		ts.Check(err)
		switch args[0] {
		case "flip":
			data[len(data)/2] ^= 1
		case "pad":
			data = append(data, '\n')
		default:
			data = data[:len(data)/2]
		}
		ts.Check(os.WriteFile(file, data, 0o600))
	}
}

// remove removes the files of a pattern, of which there must be one: remove PATTERN
func remove(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range glob(ts, args[0]) {
		ts.Check(os.RemoveAll(file))
	}
}

// swap lets two files, each the only one of its pattern, change places: swap PATTERN PATTERN
func swap(ts *testscript.TestScript, _ bool, args []string) {
	a, b := glob(ts, args[0])[0], glob(ts, args[1])[0]
	spare := ts.MkAbs("spare")
	ts.Check(os.Rename(a, spare))
	ts.Check(os.Rename(b, a))
	ts.Check(os.Rename(spare, b))
}

func glob(ts *testscript.TestScript, pattern string) []string {
	files, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no file is %s", pattern)
	}
	return files
}

// processesKey finds the started processes among a script's values.
type processesKey struct{}

func processes(ts *testscript.TestScript) map[string]*running {
	return ts.Value(processesKey{}).(map[string]*running)
}

// setUp gives each script its own processes.
func setUp(env *testscript.Env) error {
	env.Values[processesKey{}] = map[string]*running{}
	return nil
}

// scriptEnv is what a started process gets of the script's environment.
func scriptEnv(ts *testscript.TestScript) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	for _, v := range platform.Variables() {
		env = append(env, v.Name+"="+ts.Getenv(v.Name))
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// post tells a webhook that an order's check has ended, with a token from kycvault token: post URL ORDER STATUS
func post(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("kycvault", "token", args[1]))
	req, err := http.NewRequest(http.MethodPost, args[0]+"/v1/completions", strings.NewReader(`{"orderNo":"`+args[1]+`"}`))
	ts.Check(err)
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(ts.ReadFile("stdout")))
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	ts.Check(res.Body.Close())
	if got := strconv.Itoa(res.StatusCode); got != args[2] {
		ts.Fatalf("status %s, want %s", got, args[2])
	}
}
