package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/lab"
)

func rootFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "root",
		Usage: "`DIR` with the root file system that the nodes have, as `make root` makes it " +
			"(this machine's)",
	}
}

func overlayFlag() cli.Flag {
	return &cli.StringFlag{
		Name: "overlay",
		Usage: "`DIR` laid over the root file system in every node, as `make install DESTDIR=` " +
			"fills it",
	}
}

func upCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "up",
		Usage: "make a lab and wait until its cluster is quorate and has a DC",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "nodes", Value: 3, Usage: "`NUMBER` of balancers, 1 to 32"},
			&cli.IntFlag{Name: "apps", Value: 2, Usage: "`NUMBER` of application servers, 1 to 32"},
			sitesFlag(), qnetdFlag(), qnetdTimeoutFlag(), rootFlag(), overlayFlag(),
			&cli.DurationFlag{
				Name: "action-time", Usage: "how long the cloud takes to move an address",
				DefaultText: "1s",
			},
			&cli.DurationFlag{
				Name: "token", Usage: "Corosync's token timeout, whatever the number of nodes",
				DefaultText: corosync.LAN.Token.String(),
			},
			&cli.BoolFlag{
				Name: "systemd",
				Usage: "systemd is PID 1 of the balancers and starts Corosync and Pacemaker by " +
					"their units",
			},
			&cli.BoolFlag{Name: "no-wait", Usage: "do not wait for the cluster"},
		},
		Action: func(c *cli.Context) error {
			if _, err := wantArgs(c); err != nil {
				return err
			}
			if c.Int("nodes") == 0 || c.Int("apps") == 0 {
				return usagef("up: at least one balancer and one application server")
			}
			sites, qnetd, err := sitesOf(c)
			if err != nil {
				return err
			}
			_, err = lab.Up(c.Context, lab.Options{
				Name: labName(c), Nodes: c.Int("nodes"), Apps: c.Int("apps"), Sites: sites,
				Qnetd: qnetd, QnetdTimeout: c.Duration("qnetd-timeout"),
				Root: c.String("root"), Overlay: c.String("overlay"),
				ActionTime: c.Duration("action-time"),
				Totem:      corosync.Timing{Token: c.Duration("token")}, NoWait: c.Bool("no-wait"),
				Systemd: c.Bool("systemd"), Progress: std.out,
			})
			return err
		},
	}
}

func downCommand() *cli.Command {
	return &cli.Command{
		Name:  "down",
		Usage: "remove the lab completely, whatever state it is in",
		Action: func(c *cli.Context) error {
			if _, err := wantArgs(c); err != nil {
				return err
			}
			// a second Ctrl-C must not leave half a lab
			return lab.Down(context.WithoutCancel(c.Context), labName(c))
		},
	}
}

// execFailed marks the error of a program that exec ran, whose exit code becomes ours.
type execFailed struct{ error }

func (e execFailed) Unwrap() error { return e.error }

func isExec(err error) bool {
	var e execFailed
	return errors.As(err, &e)
}

func execCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "exec",
		Usage:     "run a program in a node; its exit code is passed on",
		ArgsUsage: "NODE -- COMMAND [ARGUMENT...]",
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) > 1 && args[1] == "--" {
				args = append(args[:1:1], args[2:]...)
			}
			if len(args) < 2 {
				return usagef("exec needs a node and a command: hawser-lab exec lb-1 -- crm_mon -1")
			}
			l, err := open(c)
			if err != nil {
				return err
			}
			cmd := lab.Command{Args: args[1:], Stdin: std.in, Stdout: std.out, Stderr: std.err}
			ctx := c.Context
			defer keepTerminal(std.in)()
			if isTerminal(std.in) {
				cmd.Terminal = true
				// Ctrl-C is the program's: the terminal sends it there too
				ctx = context.WithoutCancel(ctx)
			}
			if err := l.Run(ctx, args[0], cmd); err != nil {
				return execFailed{err}
			}
			return nil
		},
	}
}

// onNode makes a command of an operation on one node.
func onNode(name, usage string, do func(ctx context.Context, l *lab.Lab, node string) error) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "NODE",
		Action: func(c *cli.Context) error {
			args, err := wantArgs(c, "NODE")
			if err != nil {
				return err
			}
			l, err := open(c)
			if err != nil {
				return err
			}
			return do(c.Context, l, args[0])
		},
	}
}

func killCommand() *cli.Command {
	return onNode("kill", "cut a node's or a site's power: its links and all its processes die at once",
		func(_ context.Context, l *lab.Lab, node string) error { return l.Kill(node) })
}

func bootCommand() *cli.Command {
	return onNode("boot", "switch a node on, or a site: a fresh /run, the disk as it was",
		func(ctx context.Context, l *lab.Lab, node string) error { return l.Boot(ctx, node) })
}

func rebootCommand() *cli.Command {
	return onNode("reboot",
		"shut a node down cleanly, so that Pacemaker moves what runs there, and boot it",
		func(ctx context.Context, l *lab.Lab, node string) error { return l.Reboot(ctx, node) })
}

func printf(w io.Writer, format string, a ...any) { fmt.Fprintf(w, format, a...) }
