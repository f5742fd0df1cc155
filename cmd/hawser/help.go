package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/exitcode"
	"github.com/hawser-ha/hawser/internal/flags"
	"github.com/hawser-ha/hawser/internal/manual"
	"github.com/hawser-ha/hawser/internal/words"
)

const environment = `CIB_file, CIB_shadow, CIB_server, CIB_port, CIB_user, …
                    as for Pacemaker's own tools: the configuration to
                    work on
NO_COLOR            not empty: no colours
HAWSER_RUNDIR       the agents' runtime directory instead of
                    /run/hawser`

const files = `/etc/hawser/hawser.yaml, ./hawser.yaml
                    what the cluster should run, unless -f names another
                    file; root's or the caller's own, in such a
                    directory, and writable by nobody else
/run/hawser/        the agents' runtime files, with HAProxy's sockets`

const asJSON = "With --json a command prints one JSON object on stdout, whatever happens: " +
	"schema_version, time and node, then what it has found or done, then error if it has failed, with " +
	"message, kind and exit_code. `hawser schema COMMAND` prints the object's JSON Schema, and " +
	"/usr/share/doc/hawser/json.md says what can be relied on."

// sectionWidth is for tables in help and in manual pages: man(1) indents them by 7 of 80 columns.
const sectionWidth = 73

// finish gives every command the same manners. prefix is the words before the command's name.
func (s *system) finish(commands []*cli.Command, prefix string) {
	for _, c := range commands {
		if c.OnUsageError == nil {
			c.OnUsageError = usageError
		}
		name := prefix + " " + c.Name
		s.finish(c.Subcommands, name)
		c.HideHelp, c.HideHelpCommand = true, true // ours
		if !c.SkipFlagParsing {
			c.Flags, c.Before = s.withHelp(c.Flags, c.Before, func(*cli.Context) (string, error) {
				return s.commandHelp(name, c), nil
			})
		}
	}
}

// withHelp are the flags with --help, and what comes before an action with what --help does.
func (s *system) withHelp(
	all []cli.Flag, before cli.BeforeFunc, help func(*cli.Context) (string, error),
) ([]cli.Flag, cli.BeforeFunc) {
	flag := flags.Help()
	return append(all, flag), func(c *cli.Context) error {
		switch {
		case flag.Asked():
			text, err := help(c)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(s.stdout, text); err != nil {
				return err
			}
			return silent(exitOK)
		case before != nil:
			return before(c)
		}
		return nil
	}
}

// helpCommand is `hawser help COMMAND`, for those who type it so.
func helpCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "help",
		Aliases:   []string{"h"},
		Usage:     "Shows a list of commands or help for one command",
		ArgsUsage: "[command]",
		Action: func(c *cli.Context) error {
			text, err := sys.helpOf(c.App, c.Args().Slice())
			if err == nil {
				_, err = io.WriteString(sys.stdout, text)
			}
			return err
		},
	}
}

// helpOf is the help of the command that is named, or of the program if there are none.
func (s *system) helpOf(app *cli.App, named []string) (string, error) {
	if len(named) == 0 {
		return appHelp(app), nil
	}
	name, commands := app.Name, app.Commands
	var found *cli.Command
	for _, word := range named {
		at := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(word) })
		switch {
		case at < 0 && (found == nil || len(commands) > 0):
			return "", unknownCommand(name, word, commands)
		case at < 0:
			return s.commandHelp(name, found), nil // an argument of it
		}
		found, commands = commands[at], commands[at].Subcommands
		name += " " + found.Name
	}
	return s.commandHelp(name, found), nil
}

func appHelp(app *cli.App) string {
	var b strings.Builder
	fmt.Fprintf(&b,
		"hawser - %s\n\nUsage:\n  hawser COMMAND [OPTIONS] [ARGUMENTS]\n\n%s\n\nCommands:\n",
		app.Usage, manual.Indent(words.Fill(app.Description, 78)))
	b.WriteString(manual.Commands(app.Commands))
	b.WriteString("\nOptions:\n" +
		manual.Indent(words.Beside("-h, --help", "show this help; `hawser COMMAND --help` shows "+
			"that of a command", 17, 78)) +
		"  -v, --version    print the version\n")
	fmt.Fprintf(&b, "\nhawser.yaml:\n%s\n\nIts keys:\n%s\n", manual.Indent(config.Example()),
		manual.Indent(config.Help()))
	fmt.Fprintf(&b, "\nEnvironment:\n%s\n\nFiles:\n%s\n\nExit codes:\n%s\n\nJSON:\n%s\n",
		manual.Indent(environment), manual.Indent(files), manual.Indent(exitcode.Text(sectionWidth)),
		manual.Indent(words.Fill(asJSON, sectionWidth)))
	return b.String()
}

// commandHelp is the help of one command.
func (s *system) commandHelp(name string, c *cli.Command) string {
	of := strings.TrimPrefix(name, "hawser ")
	if strings.HasPrefix(of, "import") { // each of them has the same
		of = "import"
	}
	codes := exitcode.TextOf(of, sectionWidth)
	return manual.Help(name, s.described(c), manual.Section{Title: "Exit codes", Text: codes})
}

// described is the command with the whole of its description. That of doctor lists the checks,
// which nobody else's start should have to make.
func (s *system) described(c *cli.Command) *cli.Command {
	if c.Name != "doctor" {
		return c
	}
	full := *c
	var list strings.Builder
	for _, check := range s.Doctor(version).Checks() {
		list.WriteString(words.Beside(check.Name, check.Short, 21, sectionWidth-2))
	}
	full.Description += "\n\nLooks for:\n\n" +
		manual.Indent(strings.TrimRight(list.String(), "\n"))
	return &full
}
