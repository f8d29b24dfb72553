package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
	"github.com/kycvault/kycvault/pkg/secret"
	"github.com/kycvault/kycvault/pkg/webhook"
)

// The tests in this file run every snippet of docs/integration.md against a real serve process: each is marked with the
// name of the file that a reader would put it into.

const (
	integration    = root + "/docs/integration.md"
	snippetAddress = "https://vault.example.com" // what the snippets call the vault
)

var snippetForm = regexp.MustCompile("(?ms)^<!-- snippet (\\S+) -->\n```[a-z]+\n(.*?)^```$")

// snippets gives the page's snippets by file name, and fails for a block of code that is none.
func snippets(t *testing.T) map[string]string {
	t.Helper()
	text := document(t, integration)
	found := map[string]string{}
	for _, m := range snippetForm.FindAllStringSubmatch(text, -1) {
		found[m[1]] = m[2]
	}
	if blocks := strings.Count(text, "\n```") / 2; blocks != len(found) {
		t.Errorf("%d blocks of code, %d of them marked as snippets", blocks, len(found))
	}
	return found
}

// snippetRun is how a snippet is run: with the order number and a token in the environment as ORDER and TOKEN.
type snippetRun struct {
	file  string
	mints bool     // it prints a token for the order; else it tells the vault of it, or asks
	after string   // what a front end's own code would hold besides
	with  []string // the command, before the file
	args  []string // behind the file
}

// snippetRuns are all of them.
func snippetRuns() []snippetRun {
	const wx = `
globalThis.wx = { request({ url, method, header, data, success, fail }) {
  fetch(url, { method, headers: header, body: JSON.stringify(data) }).then((res) => success({ statusCode: res.status }), fail);
} };`
	const call = "\ncheckEnded(process.env.ORDER, process.env.TOKEN);\n"
	return []snippetRun{
		{file: "token.go", mints: true, with: []string{"go", "run"}},
		{file: "token.mjs", mints: true, with: []string{"node"}},
		{file: "Token.java", mints: true, with: []string{"java"}},
		{file: "token_of.py", mints: true, with: []string{"python3"}},
		{file: "miniprogram.js", with: []string{"node"}, after: wx + call},
		{file: "page.js", with: []string{"node"}, after: call},
		{file: "CheckEnded.java", with: []string{"java"}, args: []string{"$ORDER", "$TOKEN"}},
		{file: "redirect.sh", with: []string{"bash", "-eu"}},
		{file: "status.sh", with: []string{"bash", "-eu"}},
	}
}

// TestDocsSnippets runs them all. A tool that is not on the machine skips its snippets alone, which no run of the
// continuous integration lets pass.
func TestDocsSnippets(t *testing.T) {
	texts := snippets(t)
	v := newVault(t)
	s := v.serve()
	var run []string
	for i, r := range snippetRuns() {
		run = append(run, r.file)
		t.Run(r.file, func(t *testing.T) {
			if _, err := exec.LookPath(r.with[0]); err != nil {
				t.Skipf("%s is not on this machine", r.with[0])
			}
			order := "ok" + string(rune('a'+i))
			if r.file == "status.sh" {
				s.post(t, order) // it asks about an order that the vault was told of
			}
			out := r.run(t, texts[r.file], order, s.url)
			if r.mints {
				wantTold(t, s.url, order, out)
			}
			v.wantKnown(t, order)
		})
	}
	for file := range texts {
		if !slices.Contains(run, file) {
			t.Errorf("nothing runs %s", file)
		}
	}
}

// run puts the snippet into a folder and runs it as a reader does.
func (r snippetRun) run(t *testing.T, text, order, vault string) string {
	t.Helper()
	token, err := webhook.MintToken(secret.New(testKey), webhook.JWT, archive.Order(order), time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text = strings.ReplaceAll(text, snippetAddress, vault) + r.after
	if err := os.WriteFile(filepath.Join(dir, r.file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(slices.Clone(r.with[1:]), r.file)
	for _, a := range r.args {
		args = append(args, strings.NewReplacer("$ORDER", order, "$TOKEN", token).Replace(a))
	}
	if r.mints {
		args = append(args, order)
	}
	cmd := exec.CommandContext(t.Context(), r.with[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KYC_WEBHOOK_KEY="+testKey, "VAULT="+vault, "ORDER="+order, "TOKEN="+token, "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		exit, _ := err.(*exec.ExitError) //nolint:errorlint // for its stderr alone
		t.Fatalf("%v\n%s\n%s", err, out, exit.Stderr)
	}
	return strings.TrimSpace(string(out))
}

// wantTold tells the vault of an order with a token.
func wantTold(t *testing.T, vault, order, token string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, vault+"/v1/completions", strings.NewReader(`{"orderNo":"`+order+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		t.Errorf("with the snippet's token: %s", res.Status)
	}
}

// wantKnown looks for an order in the archive, where only a good completion puts one.
func (v *vault) wantKnown(t *testing.T, order string) {
	t.Helper()
	q := kyc.Orders{Archive: v.archive()}
	if _, err := q.Status(t.Context(), archive.Order(order)); err != nil {
		t.Errorf("the vault was not told of %s: %v", order, err)
	}
}

// TestDocsCauses looks in the code for every cause of a refusal that the page explains.
func TestDocsCauses(t *testing.T) {
	var code strings.Builder
	files, err := filepath.Glob(root + "/pkg/webhook/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		code.WriteString(document(t, f))
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(part(t, document(t, integration), "causes"), -1)
	for _, row := range rows {
		if row[1] != "cause" && !strings.Contains(code.String(), `"`+row[1]+`"`) {
			t.Errorf("no request is refused because %q", row[1])
		}
	}
}
