package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes kycvault a command of the scripts: this test binary, run again.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kycvault": main})
}

// TestScripts runs what a user could type; each file is one subject.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true, Setup: setUp, Cmds: scriptCommands(),
	})
}
