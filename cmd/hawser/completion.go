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
		Description: "For this shell:\n\n" +
			"  source <(hawser completion bash)\n" +
			"  source <(hawser completion zsh)\n" +
			"  hawser completion fish | source\n\n" +
			"For everybody:\n\n" +
			"  cd /usr/share\n" +
			"  hawser completion bash > bash-completion/completions/hawser\n" +
			"  hawser completion zsh > zsh/vendor-completions/_hawser\n" +
			"  hawser completion fish > fish/vendor_completions.d/hawser.fish",
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
