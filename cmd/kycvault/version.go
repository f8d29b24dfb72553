package main

import (
	"fmt"
	"runtime"
)

type versionCmd struct {
	JSON bool `name:"json" help:"Print one JSON object: version, commit, go, os and arch."`
}

// Help implements kong.HelpProvider.
func (versionCmd) Help() string {
	return `Example:

    kycvault version --json

Exit codes: 0 done, 2 wrong usage.`
}

// build is what "version --json" prints.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"` // "" where it was not known at build time
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Run does it.
func (c *versionCmd) Run(a *app) error {
	b := build{Version: version, Commit: commit, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if c.JSON {
		return a.printJSON(b)
	}
	source := ""
	if b.Commit != "" {
		source = "commit " + b.Commit + ", "
	}
	return a.print(fmt.Sprintf("kycvault %s (%s%s, %s/%s)", b.Version, source, b.Go, b.OS, b.Arch))
}

// writer names this program in manifests.
func writer() string { return "kycvault " + version }
