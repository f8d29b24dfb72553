package main

import (
	"fmt"
	"strings"
)

// bash makes a script for bash 3.2 and later; that is the one of macOS.
func (l commandLine) bash() string {
	var names, values, flags strings.Builder
	for _, c := range l.commands {
		names.WriteString(" " + c.name)
		words := append([]string{}, c.values...)
		for _, o := range c.flags {
			words = append(words, o.names()...)
			if o.value == "" {
				continue
			}
			for _, name := range o.names() {
				fmt.Fprintf(&values, "        '%s %s') %s ;;\n", c.name, name, o.bashValues())
			}
		}
		fmt.Fprintf(&flags, "            %s) words='%s' ;;\n", c.name, strings.Join(words, " "))
	}
	return strings.NewReplacer("NAME", l.name, "COMMANDS", strings.TrimSpace(names.String()), "VALUES\n", values.String(), "FLAGS\n", flags.String()).
		Replace(`# bash completion for NAME; load it with: eval "$(NAME completion bash)"
_NAME() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} kind=-W words='' word
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words='COMMANDS --help'
    else
        case "${COMP_WORDS[1]} $prev" in
VALUES
        *)
            case ${COMP_WORDS[1]} in
FLAGS
            esac ;;
        esac
    fi
    while IFS= read -r word; do
        COMPREPLY+=("$word")
    done < <(if [[ $kind == -W ]]; then compgen -W "$words" -- "$cur"; else compgen "$kind" -- "$cur"; fi)
}
complete -F _NAME NAME`)
}

// bashValues sets what comes after a flag that takes a value.
func (o option) bashValues() string {
	switch o.value {
	case folderValue:
		return "kind=-d"
	case fileValue, pathValue:
		return "kind=-f"
	}
	return "words='" + strings.Join(o.values, " ") + "'"
}

// zsh makes a script that can be loaded with eval, or lie in a folder of fpath as _kycvault.
func (l commandLine) zsh() string {
	var names, cases strings.Builder
	for _, c := range l.commands {
		fmt.Fprintf(&names, "        '%s:%s'\n", c.name, zshText(c.help))
		fmt.Fprintf(&cases, "    %s)\n        _arguments", c.name)
		for _, o := range c.flags {
			for _, name := range o.names() {
				fmt.Fprintf(&cases, " \\\n            '%s[%s]%s'", name, zshText(o.help), o.zshValues())
			}
		}
		fmt.Fprintf(&cases, " \\\n            '*:: :(%s)' ;;\n", strings.Join(c.values, " "))
	}
	return strings.NewReplacer("NAME", l.name, "COMMANDS\n", names.String(), "CASES\n", cases.String()).Replace(`#compdef NAME
# zsh completion for NAME; load it with: eval "$(NAME completion zsh)", after compinit
_NAME() {
    local -a commands
    commands=(
COMMANDS
    )
    if (( CURRENT == 2 )); then
        _describe -t commands command commands
        return
    fi
    local name=$words[2]
    shift words
    (( CURRENT-- ))
    case $name in
CASES
    esac
}
if [[ $funcstack[1] == _NAME ]]; then
    _NAME "$@"
else
    compdef _NAME NAME
fi`)
}

func (o option) zshValues() string {
	switch o.value {
	case "":
		return ""
	case folderValue:
		return ":" + o.value + ":_files -/"
	case fileValue, pathValue:
		return ":" + o.value + ":_files"
	}
	return ":" + zshText(o.value) + ":(" + strings.Join(o.values, " ") + ")"
}

// zshText escapes a text within single quotes, where _arguments and _describe give brackets and colons a meaning.
func zshText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `'\''`, `[`, `\[`, `]`, `\]`, `:`, `\:`).Replace(s)
}

// fish makes a script of complete commands.
func (l commandLine) fish() string {
	lines := []string{
		"# fish completion for " + l.name + "; load it with: " + l.name + " completion fish | source",
		"complete -c " + l.name + " -f",
		"complete -c " + l.name + " -n __fish_use_subcommand -l help -s h -d 'Show the subcommands.'",
	}
	for _, c := range l.commands {
		lines = append(lines, fmt.Sprintf("complete -c %s -n __fish_use_subcommand -a %s -d %s", l.name, c.name, fishText(c.help)))
		within := fmt.Sprintf("complete -c %s -n '__fish_seen_subcommand_from %s'", l.name, c.name)
		if len(c.values) > 0 {
			lines = append(lines, within+" -a "+fishText(strings.Join(c.values, " ")))
		}
		for _, o := range c.flags {
			text := within + " -l " + o.long
			if o.short != "" {
				text += " -s " + o.short
			}
			lines = append(lines, text+o.fishValues()+" -d "+fishText(o.help))
		}
	}
	return strings.Join(lines, "\n")
}

func (o option) fishValues() string {
	switch o.value {
	case "":
		return ""
	case folderValue:
		return " -x -a '(__fish_complete_directories)'"
	case fileValue, pathValue:
		return " -r -F"
	}
	if len(o.values) == 0 {
		return " -x"
	}
	return " -x -a " + fishText(strings.Join(o.values, " "))
}

func fishText(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
