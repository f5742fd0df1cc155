// Command hawser-lab runs a whole load-balancing set-up on this machine: a real cluster of balancers, application servers, a
// client and a simulated cloud, each in namespaces of its own. See package lab.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
)

// version is set by the linker.
var version = "dev"

// Exit codes. exec passes on the code of the program that it ran.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	// exitInterrupted is what a shell reports of a program that Ctrl-C has ended.
	exitInterrupted = 130
)

func main() {
	lab.Reexec()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args, streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// streams are the process's standard ones.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run is the program without the process: it returns the exit code.
func run(ctx context.Context, args []string, std streams) int {
	app := newApp(std)
	err := app.RunContext(ctx, flagsFirst(app, args))
	var exit *lab.ExitError
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit) && isExec(err):
		// Where there is a text, it was not run, so it could not say why; a shell's own 127 has none.
		if why := strings.TrimSpace(exit.Stderr); why != "" && (exit.Code == 126 || exit.Code == 127) {
			fmt.Fprintf(std.err, "hawser-lab: %s\n", why)
		}
		return exit.Code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(std.err, "hawser-lab: interrupted")
		return exitInterrupted
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(std.err, "hawser-lab: %s\n", strings.TrimPrefix(strings.TrimRight(line, "\n"), "lab: "))
	}
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// usageError says that the command line is wrong.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, a ...any) error { return &usageError{fmt.Sprintf(format, a...)} }

func newApp(std streams) *cli.App {
	name := nameFlag()
	app := &cli.App{
		Name:    "hawser-lab",
		Usage:   "a cluster of load balancers, its servers, its client and its cloud, on this machine",
		Version: version,
		Description: "Nodes are called lb-1, lb-2 …, app-1, app-2 …, and client. They have a network of their own: the machine's is not\n" +
			"touched, and labs of different names do not see each other. Root is needed. State is in " + lab.Root + ".\n" +
			"Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted; exec passes on the code of what it ran.",
		Flags:          []cli.Flag{name},
		Reader:         std.in,
		Writer:         std.out,
		ErrWriter:      std.err,
		ExitErrHandler: func(*cli.Context, error) {}, // run does it
		OnUsageError:   onUsageError,
		Commands: []*cli.Command{
			upCommand(std), downCommand(), statusCommand(std), execCommand(std),
			killCommand(), bootCommand(), rebootCommand(), cutCommand(), healCommand(),
			cloudCommand(std), probeCommand(std), demoCommand(std),
		},
		EnableBashCompletion: true,
		Action: func(c *cli.Context) error {
			if word := c.Args().First(); word != "" {
				return usagef("no command %q: `hawser-lab help` lists them", word)
			}
			return cli.ShowAppHelp(c)
		},
	}
	finish(app.Commands)
	return app
}

// nameFlag is understood before the command and after it. It reads no variable by itself: as the command's it would win over a
// --name before the command, and `down` would take the wrong lab.
func nameFlag() cli.Flag {
	return &cli.StringFlag{Name: "name", Usage: "`NAME` of the lab", DefaultText: "$HAWSER_LAB, else " + lab.DefaultName}
}

func finish(commands []*cli.Command) {
	for _, c := range commands {
		c.OnUsageError = onUsageError
		c.Flags = append(c.Flags, nameFlag())
		finish(c.Subcommands)
	}
}

func onUsageError(c *cli.Context, err error, _ bool) error {
	return usagef("%v: see `%s --help`", err, c.Command.HelpName)
}

// labName is --name wherever it stands, the innermost first, else $HAWSER_LAB.
func labName(c *cli.Context) string {
	for _, at := range c.Lineage() {
		if at.Command == nil {
			continue
		}
		if name := at.String("name"); name != "" {
			return name
		}
	}
	if name := os.Getenv("HAWSER_LAB"); name != "" {
		return name
	}
	return lab.DefaultName
}

func open(c *cli.Context) (*lab.Lab, error) { return lab.Open(labName(c)) }

// wantArgs checks the number of arguments and returns them.
func wantArgs(c *cli.Context, names ...string) ([]string, error) {
	args := c.Args().Slice()
	if len(args) != len(names) {
		return nil, usagef("%s wants %s, not %d arguments: see `%s --help`", c.Command.HelpName, describe(names), len(args), c.Command.HelpName)
	}
	return args, nil
}

func describe(names []string) string {
	if len(names) == 0 {
		return "no arguments"
	}
	return strings.Join(names, " and ")
}

// flagsFirst moves the flags of a command before its arguments, where the library looks for them: `probe URL --every 10ms` is as
// good as `probe --every 10ms URL`. What exec runs keeps its order.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	head, rest := args[:1:1], args[1:]
	commands, flags := app.Commands, app.Flags
	var found *cli.Command
	for len(rest) > 0 {
		if strings.HasPrefix(rest[0], "-") {
			n := min(width(flags, rest[0]), len(rest))
			head, rest = append(head, rest[:n]...), rest[n:]
			continue
		}
		next := named(commands, rest[0])
		if next == nil {
			break
		}
		found, commands, flags = next, next.Subcommands, next.Flags
		head, rest = append(head, rest[0]), rest[1:]
	}
	if found == nil || found.Name == "exec" {
		return append(head, rest...)
	}
	var front, back []string
	for len(rest) > 0 {
		if rest[0] == "--" {
			back = append(back, rest...)
			break
		}
		n := 1
		if strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 {
			n = min(width(flags, rest[0]), len(rest))
			front = append(front, rest[:n]...)
		} else {
			back = append(back, rest[0])
		}
		rest = rest[n:]
	}
	return append(append(head, front...), back...)
}

// width is how many arguments the flag takes up: 2 if its value follows it.
func width(flags []cli.Flag, arg string) int {
	if strings.Contains(arg, "=") {
		return 1
	}
	word := strings.TrimLeft(arg, "-")
	for _, f := range flags {
		for _, name := range f.Names() {
			_, isBool := f.(*cli.BoolFlag)
			if name == word && !isBool {
				return 2
			}
		}
	}
	return 1
}

func named(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}
