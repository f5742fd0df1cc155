// Command hawser sets up HAProxy behind floating IPs on a Pacemaker cluster, and shows what the
// cluster does with it.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/change"
	"github.com/hawser-ha/hawser/internal/complete"
	"github.com/hawser-ha/hawser/internal/flags"
	"github.com/hawser-ha/hawser/internal/manual"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
)

// version is set by the linker.
var version = "dev"

func main() {
	os.Exit(run(os.Args, thisSystem()))
}

// run is the program without the process: it returns the exit code.
func run(args []string, sys *system) int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup does
		signals = append(signals, syscall.SIGHUP) // a connection that broke leaves no files behind
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	app := newApp(sys)
	if n := len(args); n > 1 && args[n-1] == complete.Asked {
		sys.complete(ctx, app, args[1:n-1]) // and nothing that the words say is done
		return exitOK
	}
	args = flags.First(app, args, "protect")
	sys.program = program{json: flags.Given(app, args, "json", "protect")}
	err := app.RunContext(ctx, args)
	sys.tell(err)
	var quiet silent
	var told said
	shown := err == nil || errors.As(err, &quiet) || errors.As(err, &told)
	if sys.unwritten != nil && shown {
		err = exitf(outcome.Failed, "the output is incomplete: %w", sys.unwritten)
		shown = false
	}
	if !shown {
		sys.complain(err, hint(err))
	}
	return exitCode(err)
}

// complain prints an error, each of its lines with the program's name.
func (s *terminal) complain(err error, hint string) {
	for line := range strings.Lines(err.Error()) {
		s.message(words.Printable(strings.TrimRight(line, "\n"), false))
	}
	if hint != "" {
		s.message(hint)
	}
}

// newApp is the command line.
func newApp(sys *system) *cli.App {
	app := &cli.App{
		Name:    "hawser",
		Usage:   "keeps HAProxy reachable: HAProxy and its floating IPs under Pacemaker",
		Version: version,
		Description: "Writes HAProxy and its floating IPs into the cluster's configuration as " +
			"one transaction, " +
			"shows before what Pacemaker will do with it, and after what it has done.",
		Commands: slices.Concat([]*cli.Command{
			planCommand(sys), applyCommand(sys), destroyCommand(sys), adoptCommand(sys),
			initCommand(sys), checkCommand(sys), importCommand(sys), schemaCommand(sys),
			statusCommand(sys), reloadCommand(sys), moveCommand(sys),
		}, verbCommands(sys), []*cli.Command{
			timingCommand(sys),
			corosyncCommand(sys), corosyncConfCommand(sys), quorumCommand(sys),
			doctorCommand(sys), configureCommand(sys),
			protectCommand(sys), protectGuardCommand(),
			completionCommand(sys), manCommand(sys), helpCommand(sys), removableCommand(sys),
		}),
		HideHelp: true, // help.go has our own
		// A comma belongs to the value: corosync-conf --node NAME=ADDRESS,ADDRESS2.
		DisableSliceFlagSeparator: true,
		Reader:                    sys.stdin,
		Writer:                    sys.stdout,
		ErrWriter:                 sys.stderr,
		ExitErrHandler:            func(*cli.Context, error) {}, // run does it
		OnUsageError:              usageError,
		Action:                    sys.noCommand("hawser"),
	}
	for _, c := range app.Commands {
		if c.Name == "plan" {
			c.Action = sys.telling(c.Action)
		}
		if !changing[c.Name] {
			continue
		}
		for _, changes := range leaves(c) {
			if changes.Name != "show" && changes.Name != "status" {
				changes.Action = sys.recorded(c.Name,
					finishing(sys.telling(sys.showingConflicts(changes.Action))))
			}
		}
	}
	sys.finish(app.Commands, app.Name)
	app.Flags, app.Before = sys.withHelp(app.Flags, app.Before,
		func(c *cli.Context) (string, error) { return sys.helpOf(app, c.Args().Slice()) })
	return app
}

// leaves are a command and all that are below it.
func leaves(c *cli.Command) []*cli.Command {
	all := []*cli.Command{c}
	for _, below := range c.Subcommands {
		all = append(all, leaves(below)...)
	}
	return all
}

// showingConflicts shows what the plan would be now where somebody else changed the configuration
// after it was approved. With --json stdout is for the JSON alone, and the plan goes to stderr.
func (s *system) showingConflicts(do cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		err := do(c)
		var changed *change.Changed
		if errors.As(err, &changed) {
			out := s.aside(true)
			out.printf("\nThe plan would now be:\n")
			out.showPlan(changed.Next)
		}
		return err
	}
}

func usageError(c *cli.Context, err error, _ bool) error {
	message := flags.Explain(err.Error())
	if option, ok := strings.CutPrefix(message, "there is no option "); ok {
		if meant := flags.Meant(c.Command, strings.TrimLeft(option, "-")); meant != "" {
			return usagef("%s", meant)
		}
	}
	return usagef("%s: see `%s --help`", message, c.Command.HelpName)
}

// noCommand answers a call that names no command with those that there are, or one that does not
// exist.
func (s *system) noCommand(name string) cli.ActionFunc {
	return func(c *cli.Context) error {
		if word := c.Args().First(); word != "" {
			return unknownCommand(name, word, c.Command.Subcommands)
		}
		s.printf("Usage: %s COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n%s\n`%s COMMAND --help` shows "+
			"what a command does.\n", name, manual.Commands(c.Command.Subcommands), name)
		return silent(exitUsage)
	}
}

// unknownCommand says that name has no such command, and which one may have been meant.
func unknownCommand(name, word string, commands []*cli.Command) error {
	message := fmt.Sprintf("%s has no command %q", name, word)
	if word == "version" {
		return usagef("%s: did you mean --version?", message)
	}
	if way := flags.Elsewhere(word); way != "" && name == "hawser" {
		return usagef("%s: %s", message, way)
	}
	for _, known := range commands {
		if !known.Hidden &&
			(words.Near(word, known.Name) || len(word) > 2 && strings.HasPrefix(known.Name, word)) {
			return usagef("%s: did you mean %s?", message, known.Name)
		}
	}
	return usagef("%s: see `%s --help`", message, name)
}

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cli.Context) error {
	if !c.Args().Present() {
		return nil
	}
	if word := c.Args().First(); flags.Has(c.Command.Flags, "file") &&
		(strings.ContainsAny(word, "./") && !strings.HasPrefix(word, "-")) {
		return usagef("%s takes no argument %q: a file is named with -f: `%s -f %s`",
			c.Command.HelpName, word, c.Command.HelpName, word)
	}
	return usagef("%s takes no argument %q: see `%s --help`", c.Command.HelpName,
		c.Args().First(), c.Command.HelpName)
}
