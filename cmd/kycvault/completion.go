package main

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help implements kong.HelpProvider.
func (completionCmd) Help() string {
	return `Prints a script that lets a shell complete subcommands, flags and their values. It is made from this version's command line
and asks nothing of it later; make it anew after an update.

For this shell alone, in bash and zsh: eval "$(kycvault completion bash)", or zsh; in fish: kycvault completion fish | source.

Example: a look at one, and all three where each later shell finds it:

    kycvault completion fish
    mkdir -p ~/.local/share/bash-completion/completions ~/.zfunc ~/.config/fish/completions
    kycvault completion bash > ~/.local/share/bash-completion/completions/kycvault
    kycvault completion zsh > ~/.zfunc/_kycvault
    kycvault completion fish > ~/.config/fish/completions/kycvault.fish

zsh needs "fpath=(~/.zfunc $fpath)" before "autoload -U compinit && compinit" in ~/.zshrc.

Exit codes: 0 done, 2 wrong usage.`
}

// Run does it.
func (c *completionCmd) Run(a *app, parsed *kong.Context) error {
	line := describe(parsed.Model)
	switch c.Shell {
	case "zsh":
		return a.print(line.zsh())
	case "fish":
		return a.print(line.fish())
	}
	return a.print(line.bash())
}

// commandLine is what a shell has to know of the command line.
type commandLine struct {
	name     string
	commands []command
}

// command is a subcommand.
type command struct {
	name, help string
	flags      []option
	values     []string // of its argument, where they are known
}

// option is a flag of a subcommand.
type option struct {
	long, short, help string
	value             string   // the placeholder of its value; "" takes none
	values            []string // where they are known
}

// The placeholders of values that are names in the file system.
const (
	folderValue = "DIR"
	fileValue   = "FILE"
	pathValue   = "PATH" // either
)

// describe reads the command line from kong's model, which the parser itself works with.
func describe(model *kong.Application) commandLine {
	line := commandLine{name: model.Name}
	for _, node := range model.Children {
		cmd := command{name: node.Name, help: node.Help, flags: []option{{long: "help", short: "h", help: "Show what it does, an example and the exit codes."}}}
		for _, flag := range node.Flags {
			cmd.flags = append(cmd.flags, describeFlag(flag))
		}
		for _, arg := range node.Positional {
			cmd.values = append(cmd.values, known(arg.Enum)...)
		}
		line.commands = append(line.commands, cmd)
	}
	return line
}

func describeFlag(flag *kong.Flag) option {
	o := option{long: flag.Name, help: strings.ReplaceAll(flag.Help, "${default}", flag.Default), values: known(flag.Enum)}
	if flag.Short != 0 {
		o.short = string(flag.Short)
	}
	if !flag.IsBool() {
		o.value = flag.FormatPlaceHolder()
	}
	return o
}

// known splits a list of values, of which an empty one only says that none need be given.
func known(list string) []string {
	return slices.DeleteFunc(strings.Split(list, ","), func(s string) bool { return s == "" })
}

// names are the flag as it is typed.
func (o option) names() []string {
	names := []string{"--" + o.long}
	if o.short != "" {
		names = append(names, "-"+o.short)
	}
	return names
}
