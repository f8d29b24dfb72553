package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestDocsWhatToDo: docs/operations.md tells what to do about every message that a running service can log, and about no other.
func TestDocsWhatToDo(t *testing.T) {
	logged := append(loggedMessages(t, "pkg"), loggedMessages(t, "cmd/kycvault")...)
	if len(logged) < 10 {
		t.Fatalf("only %d messages were found: %q", len(logged), logged)
	}
	text := part(t, document(t, root+"/docs/operations.md"), "what to do")
	var told []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(text, -1) {
		told = append(told, row[1])
		if !slices.Contains(logged, row[1]) {
			t.Errorf("nothing logs %q", row[1])
		}
	}
	for _, message := range logged {
		if !slices.Contains(told, message) {
			t.Errorf("it does not say what to do about %q", message)
		}
	}
}

// notServing are files whose messages only somebody at a terminal sees.
func notServing(path string) bool {
	return strings.HasSuffix(path, "_test.go") || strings.Contains(path, "faceidtest") || strings.Contains(path, "buckettest") ||
		strings.HasPrefix(filepath.Base(path), "demo") || filepath.Base(path) == "sim.go"
}

// loggedMessages gives the texts that the code below a folder logs.
func loggedMessages(t *testing.T, folder string) (messages []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || notServing(path) {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if message := messageOf(call); message != "" && !slices.Contains(messages, message) {
					messages = append(messages, message)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// messageOf gives the text of a call of slog's methods, "" for another call.
func messageOf(call *ast.CallExpr) string {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	at, ok := map[string]int{"Info": 0, "Warn": 0, "Error": 0, "LogAttrs": 2}[method.Sel.Name]
	if !ok || at >= len(call.Args) {
		return ""
	}
	text, ok := call.Args[at].(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return ""
	}
	message, _ := strconv.Unquote(text.Value)
	return message
}
