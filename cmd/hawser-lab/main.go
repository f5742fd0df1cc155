// Command hawser-lab runs a whole load-balancing set-up on this machine: a real cluster of
// balancers, application servers, a client and a simulated cloud, each in namespaces of its own.
// See package lab.
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

	"github.com/hawser-ha/hawser/internal/flags"
	"github.com/hawser-ha/hawser/internal/manual"
	"github.com/hawser-ha/hawser/lab"
)

// version is set by the linker.
var version = "dev"

// Exit codes. exec passes on the code of the program that it ran.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	// exitInterrupted is what a shell reports for a program that Ctrl-C has ended.
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
	err := app.RunContext(ctx, flags.First(app, args, "exec"))
	var exit *lab.ExitError
	var usage *usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit) && isExec(err):
		// If there is a text, the program was not run and could not say why; a shell's own 127 has
		// none.
		if why := strings.TrimSpace(exit.Stderr); why != "" &&
			(exit.Code == 126 || exit.Code == 127) {
			fmt.Fprintf(std.err, "hawser-lab: %s\n", why)
		}
		return exit.Code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(std.err, "hawser-lab: interrupted")
		return exitInterrupted
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(std.err, "hawser-lab: %s\n",
			strings.TrimPrefix(strings.TrimRight(line, "\n"), "lab: "))
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
		Name: "hawser-lab",
		Usage: "a cluster of load balancers, its servers, its client and its cloud, on this " +
			"machine",
		Version: version,
		Description: "Nodes are called lb-1, lb-2 …, app-1, app-2 …, and client; with --sites also " +
			"client-1 … and qnetd. They have a " +
			"network of their own: the machine's is not\n" +
			"touched, and labs of different names do not see each other. Root is needed. State " +
			"is in " + lab.Root + ".\n\n" +
			"Exit codes: 0 done, 1 failed, 2 wrong command line, 130 interrupted; exec passes on " +
			"the code of what it ran.",
		Flags:          []cli.Flag{name},
		Reader:         std.in,
		Writer:         std.out,
		ErrWriter:      std.err,
		ExitErrHandler: func(*cli.Context, error) {}, // run does it
		OnUsageError:   onUsageError,
		Commands: []*cli.Command{
			upCommand(std), downCommand(), statusCommand(std), execCommand(std),
			killCommand(), bootCommand(), rebootCommand(), cutCommand(), slowCommand(),
			loseCommand(), healCommand(), cloudCommand(std), probeCommand(std), holdersCommand(std),
			demoCommand(std), confCommand(std), manCommand(std),
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

// manCommand is for the package, which installs the page as hawser-lab(8).
func manCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:   "man",
		Usage:  "print the manual page",
		Hidden: true,
		Action: func(c *cli.Context) error {
			_, err := io.WriteString(std.out, manual.App(c.App, "Cluster administration",
				manual.Section{
					Title: "SEE ALSO", Text: "hawser(8), corosync(8), pacemakerd(8), unshare(1)",
				}))
			return err
		},
	}
}

// nameFlag is accepted before the command and after it. It reads no variable by itself: as the
// command's it would win over a --name before the command, and `down` would take the wrong lab.
func nameFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "name", Usage: "`NAME` of the lab",
		DefaultText: "$HAWSER_LAB, else " + lab.DefaultName,
	}
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
		return nil, usagef("%s wants %s, not %d arguments: see `%s --help`", c.Command.HelpName,
			describe(names), len(args), c.Command.HelpName)
	}
	return args, nil
}

func describe(names []string) string {
	if len(names) == 0 {
		return "no arguments"
	}
	return strings.Join(names, " and ")
}
