package main

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/internal/complete"
	"github.com/hawser-ha/hawser/internal/flags"
	"github.com/hawser-ha/hawser/share/schemas"
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

// completionTime is how long the cluster may take to say what it has: somebody waits at the prompt.
const completionTime = 2 * time.Second

// complete prints what may be at the cursor, and does nothing else, whatever the words say.
func (s *system) complete(ctx context.Context, app *cli.App, words []string) {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	_, _ = fmt.Fprint(s.stdout, complete.Lines(complete.Words(app, words, complete.Source{
		Runs:  "protect",
		Value: values,
		Argument: func(command string, before []string) []complete.Candidate {
			return s.argument(ctx, app, command, before)
		},
	})))
}

// values returns what an option takes.
func values(option string) []complete.Candidate {
	switch option {
	case "for", "network":
		return complete.Plain([]string{"lan", "cloud"})
	case "algorithm", "qdevice-algorithm":
		return complete.Plain([]string{"ffsplit", "lms"})
	case "qdevice-tls":
		return complete.Plain([]string{"on", "required", "off"})
	case "method":
		return complete.Plain([]string{"auto", "nfqueue", "plug"})
	case "f", "file", "push", "config", "check", "token-file", "o", "output":
		return []complete.Candidate{{Word: complete.Files}}
	}
	return nil
}

// argument returns what may be a command's next argument. A cluster that does not answer has nothing
// to offer.
func (s *system) argument(
	ctx context.Context, app *cli.App, command string, before []string,
) []complete.Candidate {
	switch command {
	case "completion":
		return complete.Plain(shells)
	case "man":
		return complete.Plain([]string{"hawser", "hawser.yaml"})
	case "schema":
		if len(before) == 0 {
			return complete.Plain(schemas.Names())
		}
		return nil
	case "check", "configure load", "import crm", "import keepalived":
		return []complete.Candidate{{Word: complete.Files}}
	case "help":
		commands := app.Commands
		for _, word := range before {
			if c := flags.Named(commands, word); c != nil {
				commands = c.Subcommands
			}
		}
		return complete.Of(commands)
	case "maintenance":
		if len(before) == 0 {
			return complete.Plain([]string{"on", "off"})
		}
	case "move", "reload", "standby", "online", "cleanup", "stop", "start":
	case "corosync remove":
		command = "standby" // which takes a node too
	default:
		if !strings.HasPrefix(command, "configure ") {
			return nil
		}
	}
	cib, err := s.Cluster.Configuration(ctx)
	if err != nil {
		return nil
	}
	return complete.Plain(inventory.Words(cib, command, len(before)))
}
