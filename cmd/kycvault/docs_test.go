package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/platform"
)

// The tests in this file keep the documents true to the code:
//
//	<!-- begin NAME --> … <!-- end NAME -->   a part that is made from the code, or checked against it
//	<!-- run -->                              the sh block that follows is run, together with all others
//	<!-- not run: WHY -->                     it is not; a block of make lines needs neither
//
// go test ./cmd/kycvault -run Docs -update writes the parts that are made from the code.

var update = flag.Bool("update", false, "write the parts of README.md that are made from the code")

const (
	root   = "../.."
	readme = root + "/README.md"
)

// document is a file's text.
func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documents are all documents with their paths.
func documents(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, form := range []string{"/docs/design/*.md", "/docs/*.md", "/*.md"} {
		paths, err := filepath.Glob(root + form)
		if err != nil || len(paths) == 0 {
			t.Fatalf("no %s: %v", form, err)
		}
		for _, path := range paths {
			all[path] = document(t, path)
		}
	}
	return all
}

// part gives what stands between the markers of a name.
func part(t *testing.T, text, name string) string {
	t.Helper()
	_, rest, begun := strings.Cut(text, "<!-- begin "+name+" -->\n")
	inside, _, ended := strings.Cut(rest, "<!-- end "+name+" -->\n")
	if !begun || !ended {
		t.Fatalf("there is no part %q", name)
	}
	return inside
}

// TestDocsTables holds the tables that are made from the code to it.
func TestDocsTables(t *testing.T) {
	for name, want := range map[string]string{"variables": variablesTable(), "test order numbers": faceidtest.MarkdownTable()} {
		text := document(t, readme)
		got := part(t, text, name)
		switch {
		case got == want:
		case *update:
			begin := "<!-- begin " + name + " -->\n"
			if err := os.WriteFile(readme, []byte(strings.Replace(text, begin+got, begin+want, 1)), 0o644); err != nil { //nolint:gosec // it is public
				t.Fatal(err)
			}
		default:
			t.Errorf("the table of %s is not what the code says; write it with: go test ./cmd/kycvault -run Docs -update", name)
		}
	}
}

// variablesTable lists the variables that this command reads.
func variablesTable() string {
	var b strings.Builder
	b.WriteString("| variable | meaning | default | required |\n|---|---|---|---|\n")
	for _, v := range platform.Variables() {
		byDefault := v.Default
		if byDefault != "" {
			byDefault = "`" + byDefault + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", v.Name, v.What, byDefault, v.Required)
	}
	return b.String()
}

var (
	codeForm    = regexp.MustCompile("(?s)```.*?```|`[^`\n]+`")
	commandForm = regexp.MustCompile("\\bkycvault ([a-z]+)\\b([^\n`|&;)]*)")
	flagForm    = regexp.MustCompile(`--([a-z][a-z-]*)`)
)

// TestDocsCommands looks for every subcommand and flag that the documents name; README.md must name every subcommand.
func TestDocsCommands(t *testing.T) {
	parser, err := kong.New(new(commands))
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string][]string{}
	for _, command := range parser.Model.Children {
		flags[command.Name] = []string{"help"}
		for _, f := range command.Flags {
			flags[command.Name] = append(flags[command.Name], f.Name)
		}
		if !strings.Contains(document(t, readme), "kycvault "+command.Name) {
			t.Errorf("README.md does not name kycvault %s", command.Name)
		}
	}
	for path, text := range documents(t) {
		for _, code := range codeForm.FindAllString(text, -1) {
			for _, m := range commandForm.FindAllStringSubmatch(code, -1) {
				checkCommand(t, path, flags, m[1], m[2])
			}
		}
	}
}

func checkCommand(t *testing.T, path string, flags map[string][]string, name, rest string) {
	t.Helper()
	known, ok := flags[name]
	if !ok {
		t.Errorf("%s: there is no kycvault %s", path, name)
		return
	}
	for _, m := range flagForm.FindAllStringSubmatch(rest, -1) {
		if !slices.Contains(known, m[1]) {
			t.Errorf("%s: kycvault %s has no flag --%s", path, name, m[1])
		}
	}
}

// TestDocsLogLines looks in the code for every log message that README.md explains.
func TestDocsLogLines(t *testing.T) {
	var code strings.Builder
	for _, folder := range []string{"/pkg", "/cmd"} {
		err := filepath.WalkDir(root+folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				code.WriteString(document(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(part(t, document(t, readme), "log lines"), -1)
	if len(rows) == 0 {
		t.Error("no messages")
	}
	for _, row := range rows {
		if message := strings.TrimSuffix(row[1], "…"); !strings.Contains(code.String(), `"`+message) {
			t.Errorf("nothing logs %q", message)
		}
	}
}

// TestDocsManifest reads the manifest that README.md shows, and writes it again: each field is one that there is.
func TestDocsManifest(t *testing.T) {
	shown := strings.TrimSuffix(strings.TrimPrefix(part(t, document(t, readme), "manifest"), "```json\n"), "```\n")
	m, err := archive.ParseManifest([]byte(shown))
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if got := canonical(t, encoded); got != canonical(t, []byte(shown)) {
		t.Errorf("README.md's manifest reads as\n%s", got)
	}
}

// canonical gives JSON without its layout, its keys sorted.
func canonical(t *testing.T, data []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDocsLinks follows the links to files of this repository and to headings of its documents.
func TestDocsLinks(t *testing.T) {
	all := documents(t)
	for path, text := range all {
		for _, m := range linkForm.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, heading, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if heading != "" && !slices.Contains(anchors(all[target]), heading) {
				t.Errorf("%s: %s has no heading %s", path, target, heading)
			}
		}
	}
}

var (
	headingForm  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInAnchors = regexp.MustCompile(`[^\p{L}\p{M}\p{N}_ -]`)
)

// anchors are a document's headings as links name them.
func anchors(text string) (names []string) {
	for _, h := range headingForm.FindAllStringSubmatch(text, -1) {
		names = append(names, strings.ReplaceAll(notInAnchors.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-"))
	}
	return names
}

var blockForm = regexp.MustCompile("(?ms)^(<!-- (run|not run: [^\n]+) -->\n)?```sh\n(.*?)^```$")

// TestDocsCommandsRun runs the marked blocks of README.md one after another, as a reader does: in an empty folder, in one
// shell, with nothing set, and with the command on the path. Only the ports are others, since these may be taken.
func TestDocsCommandsRun(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("README.md's commands call the webhook with curl, which this machine has not")
	}
	var script strings.Builder
	for _, m := range blockForm.FindAllStringSubmatch(document(t, readme), -1) {
		switch mark, body := m[2], m[3]; {
		case mark == "run":
			script.WriteString(body)
		case mark == "" && !onlyMake(body):
			t.Errorf("a block says neither that it is run nor why not:\n%s", body)
		}
	}
	if script.Len() == 0 {
		t.Fatal("README.md has nothing to run")
	}
	text := strings.NewReplacer("127.0.0.1:8080", unusedAddress(t), "127.0.0.1:8090", unusedAddress(t)).Replace(script.String())
	if out, err := runScript(t, text); err != nil {
		t.Errorf("README.md's commands: %v\n%s", err, out)
	}
}

// onlyMake tells whether every line of a block calls make: what the continuous integration runs itself.
func onlyMake(body string) bool {
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "make ") {
			return false
		}
	}
	return true
}

// unusedAddress gives an address that nothing listens on.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// runScript runs bash in an empty folder and gives what it said. What it leaves running is ended with it.
func runScript(t *testing.T, text string) (string, error) {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(t.TempDir(), "output")) // a file: a pipe would wait for what runs in the background
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-eu", "-o", "pipefail", "-c", text)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = []string{"PATH=" + filepath.Dir(file) + ":" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + t.TempDir()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endAll := func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.Cancel = endAll
	err = cmd.Run()
	_ = endAll()
	return document(t, out.Name()), err
}
