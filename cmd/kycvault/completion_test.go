package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	gocmp "github.com/google/go-cmp/cmp"
)

// completion gives what kycvault completion prints for a shell.
func completion(t *testing.T, shell string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"completion", shell}, nil, &stdout, &stderr, nil); code != exitDone || stderr.Len() > 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	return stdout.String()
}

// TestCompletionInBash loads the script into a real bash, and asks it as the key does.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "evidence of one"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "evidence.csv"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string][]string{
		"tic":                 {"ticket"},
		"ver":                 {"verify", "version"},
		"--":                  {"--help"},
		"ls --st":             {"--state"},
		"ls --state ":         {"pending", "archived", "partial", "unavailable", "expired"},
		"ls --state un":       {"unavailable"},
		"ls --json --state e": {"expired"},
		"get ok1 -o evi":      {"evidence of one"},
		"get ok1 --dir evi":   {"evidence of one"},
		"completion ":         {"bash", "zsh", "fish", "--help", "-h"},
		"ticket --rev":        {"--reveal"},
		"status --log-level ": nil,
		"nosuch --":           nil,
	} {
		words := strings.Split("kycvault "+typed, " ")
		script := completion(t, "bash") + `
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_kycvault
[ "${#COMPREPLY[@]}" = 0 ] || printf '%s\n' "${COMPREPLY[@]}"
complete -p kycvault >&2
`
		cmd := exec.Command("bash", append([]string{"--norc", "-eu", "-c", script, "bash"}, words...)...)
		cmd.Dir = dir
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || stderr.String() != "complete -F _kycvault kycvault\n" {
			t.Fatalf("%q: %v: %s", typed, err, &stderr)
		}
		var got []string
		for line := range strings.Lines(string(out)) {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%q, -want +got:\n%s", typed, diff)
		}
	}
}

// TestCompletionIsComplete looks for every subcommand and every flag of the parser in the script of each shell.
func TestCompletionIsComplete(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(new(commands))
	if err != nil {
		t.Fatal(err)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script := completion(t, shell)
		for _, node := range parser.Model.Children {
			part := scriptPart(script, shell, node.Name)
			for _, flag := range node.Flags {
				want := map[string]string{"bash": "--" + flag.Name, "zsh": "'--" + flag.Name + "[", "fish": "-l " + flag.Name + " "}[shell]
				if !strings.Contains(part, want) {
					t.Errorf("%s: %s has no %s", shell, node.Name, want)
				}
			}
		}
		if strings.Contains(script, "${default}") {
			t.Errorf("%s: a default is not filled in", shell)
		}
	}
}

// scriptPart gives what a script says of one subcommand.
func scriptPart(script, shell, name string) string {
	switch shell {
	case "bash":
		_, rest, _ := strings.Cut(script, "            "+name+") words=")
		line, _, _ := strings.Cut(rest, "\n")
		return line
	case "zsh":
		_, rest, _ := strings.Cut(script, "\n    "+name+")\n")
		part, _, _ := strings.Cut(rest, ";;\n")
		return part
	}
	lines := slices.DeleteFunc(strings.Split(script, "\n"), func(line string) bool {
		return !strings.Contains(line, "'__fish_seen_subcommand_from "+name+"'")
	})
	return strings.Join(lines, "\n")
}

// TestCompletionQuotes gives each shell texts that have a meaning to it.
func TestCompletionQuotes(t *testing.T) {
	t.Parallel()
	line := commandLine{name: "kycvault", commands: []command{{name: "x", help: `it's [a]: \b`, flags: []option{{long: "y", help: "it's", value: "A:B", values: []string{"one", "two"}}}}}}
	for _, want := range []string{`'x:it'\''s \[a\]\: \\b'`, `'--y[it'\''s]:A\:B:(one two)'`} {
		if script := line.zsh(); !strings.Contains(script, want) {
			t.Errorf("zsh lacks %s:\n%s", want, script)
		}
	}
	for _, want := range []string{`-a x -d 'it\'s [a]: \\b'`, `-l y -x -a 'one two' -d 'it\'s'`} {
		if script := line.fish(); !strings.Contains(script, want) {
			t.Errorf("fish lacks %s:\n%s", want, script)
		}
	}
}
