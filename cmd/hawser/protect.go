package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/protect"
)

const protectGuard = "protect-guard"

func protectCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "protect",
		Usage: "hold new connections while a command runs, and release them afterwards",
		UsageText: "hawser protect [--ports 80,443] [--addresses ADDRESS,…] [--max-hold 1s] " +
			"[--method METHOD] [--start] [--verbose] [--] COMMAND [ARGUMENT…]",
		Description: "For the reload or restart of any daemon, such as\n\n" +
			"  hawser protect -- haproxy -D -f /etc/haproxy/haproxy.cfg \\\n" +
			"    -p /run/haproxy.pid -sf $(cat /run/haproxy.pid)\n\n" +
			"The first packet (SYN) of each connection to these ports is held on its way in, " +
			"over IPv4 and IPv6 and from " +
			"this machine itself. COMMAND begins when the daemon has accepted what came before. " +
			"When it has ended, and one " +
			"process listens, the packets are released in order. Established connections do not " +
			"notice. COMMAND must " +
			"return when the daemon has been replaced: a command that only sends a signal " +
			"returns too early.\n\n" +
			"Killed at any moment, hawser holds up nobody: a guard process releases what is " +
			"held, and the rules live no " +
			"longer than the two. The exit code is COMMAND's, 128 and the signal if one ended " +
			"it, 127 if it was not found, " +
			"126 if it cannot be run, and 125 if hawser itself failed. COMMAND was not run then, " +
			"unless hawser says that " +
			"something was left. Signals are handed on to COMMAND, and release what is held.",
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "ports",
				Usage: "hold connections to `PORTS`, such as 80,443. Without it: to those of 80 " +
					"and 443 that somebody listens on",
			},
			&cli.StringFlag{
				Name:  "addresses",
				Usage: "hold only connections to `ADDRESSES`, such as 203.0.113.10,2001:db8::10",
			},
			&cli.DurationFlag{
				Name: "max-hold", Value: time.Second,
				Usage: "release after `TIME`, whatever COMMAND does (1s)",
			},
			&cli.StringFlag{
				Name: "method", Value: string(protect.Auto),
				Usage: "`METHOD` is nfqueue, plug (loopback only, where the kernel has sch_plug) " +
					"or auto",
			},
			&cli.BoolFlag{
				Name: "start", Usage: "nobody need listen yet: COMMAND starts the daemon",
			},
			&cli.BoolFlag{Name: "verbose", Usage: "tell how long was held, and how many packets"},
		},
		OnUsageError: func(c *cli.Context, err error, sub bool) error {
			return &commandExit{protect.ExitOwn, fmt.Errorf("%w", usageError(c, err, sub))}
		},
		Action: func(c *cli.Context) error {
			o, err := protectOptions(c, sys)
			if err != nil {
				return &commandExit{
					protect.ExitOwn, fmt.Errorf("%w: see `hawser protect --help`", err),
				}
			}
			signals := make(chan os.Signal, 8)
			signal.Notify(signals, protect.ForwardedSignals()...)
			defer signal.Stop(signals)
			o.Signals = signals
			code, err := protect.Run(c.Context, o)
			return protectExit(code, err)
		},
	}
}

// protectExit is COMMAND's exit code, or why there is none.
func protectExit(code int, err error) error {
	var command *protect.CommandError
	switch {
	case err == nil && code == 0:
		return nil
	case err == nil:
		return silent(code)
	case errors.As(err, &command):
		return &commandExit{command.Code, fmt.Errorf("%w; nothing was changed", err)}
	case errors.Is(err, context.Canceled):
		return exitf(outcome.Interrupted, "interrupted; COMMAND was not run")
	case code != 0:
		return &commandExit{code, err}
	}
	return &commandExit{protect.ExitOwn, err}
}

func protectOptions(c *cli.Context, sys *system) (protect.Options, error) {
	o := protect.Options{
		MaxHold: c.Duration("max-hold"), Method: protect.Method(c.String("method")),
		Start: c.Bool("start"), Verbose: c.Bool("verbose"),
		Command: c.Args().Slice(), Stdin: sys.stdin, Stdout: sys.stdout, Stderr: sys.stderr,
		Terminal: sys.interactive,
		Say: func(format string, args ...any) {
			fmt.Fprintf(sys.stderr, "hawser: "+format+
				"\n", args...)
		},
		Guard: []string{os.Args[0], protectGuard}, Dir: sys.RunDir,
	}
	if len(o.Command) == 0 {
		return o, errors.New("protect what? COMMAND is missing")
	}
	if o.MaxHold <= 0 || o.MaxHold > protect.MostHold {
		return o, fmt.Errorf("--max-hold %v: want more than 0 and at most 1m", o.MaxHold)
	}
	if !slices.Contains([]protect.Method{protect.Auto, protect.NFQueue, protect.Plug}, o.Method) {
		return o, fmt.Errorf("--method %q: want nfqueue, plug or auto", o.Method)
	}
	var err error
	if o.Ports, err = protect.ParsePorts(c.String("ports")); err != nil {
		return o, err
	}
	o.Addresses, err = protect.ParseAddresses(c.String("addresses"))
	return o, err
}

// protectGuardCommand is the second process of protect, which nobody types.
func protectGuardCommand() *cli.Command {
	return &cli.Command{
		Name:   protectGuard,
		Hidden: true,
		Action: func(c *cli.Context) error { return protect.Guard(c.Args().Slice()) },
	}
}
