package main

import (
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// The completions ask the program itself, which knows its commands and options.
//
//go:embed completion
var completions embed.FS

// shells are those that there is a completion for, in the order in which they are named.
var shells = []string{"bash", "zsh", "fish"}

func completionCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print the shell completion, for bash, zsh or fish",
		ArgsUsage: strings.Join(shells, "|"),
		Description: "bash, for this shell: source <(hawser completion bash)\n" +
			"      for all:        hawser completion bash > " +
			"/usr/share/bash-completion/completions/hawser\n" +
			"zsh,  for this shell: source <(hawser completion zsh)\n" +
			"      for all:        hawser completion zsh > " +
			"/usr/share/zsh/vendor-completions/_hawser\n" +
			"fish, for this shell: hawser completion fish | source\n" +
			"      for all:        hawser completion fish > " +
			"/usr/share/fish/vendor_completions.d/hawser.fish",
		BashComplete: func(c *cli.Context) {
			if !c.Args().Present() {
				fmt.Fprintln(sys.stdout, strings.Join(shells, "\n"))
			}
		},
		Action: func(c *cli.Context) error {
			shell := c.Args().First()
			if c.NArg() != 1 || !slices.Contains(shells, shell) {
				return usagef("completion for which shell? accepted is %s",
					strings.Join(shells, ", "))
			}
			script, err := completions.ReadFile("completion/hawser." + shell)
			if err == nil {
				_, err = sys.stdout.Write(script)
			}
			return err
		},
	}
}
