package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/cluster/quorum"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/words"
)

func quorumCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "quorum",
		Usage: "add, remove and check the quorum device: a vote at a third place",
		Description: "With it one half of the nodes goes on when it does not see the other half, " +
			"and a node " +
			"of two need not go on alone. /usr/share/doc/hawser/quorum.md says when to have one.",
		Action: sys.noCommand("hawser quorum"),
		Subcommands: []*cli.Command{
			{
				Name:        "device",
				Usage:       "add or remove the quorum device",
				Description: "The corosync-qnetd of a machine that is no node of the cluster.",
				Action:      sys.noCommand("hawser quorum device"),
				Subcommands: []*cli.Command{deviceAddCommand(sys), deviceRemoveCommand(sys)},
			},
			quorumStatusCommand(sys),
		},
	}
}

func deviceAddCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "have the corosync-qnetd of a third place vote in this cluster",
		ArgsUsage: "HOST",
		Description: "HOST is an address or a name that every node can reach at TCP port 5403, at a third " +
			"place: it is no node of the cluster. The package corosync-qnetd is installed there, and " +
			"corosync-qdevice on every node.\n\n" +
			"Certificates come first, then corosync.conf on every node, then Corosync takes it over " +
			"on all of " +
			"them, then corosync-qdevice starts: the cluster keeps its quorum throughout, and " +
			"nothing moves. It " +
			"is refused where the quorum would be lost, or where the device could not do what it is " +
			"for.\n\n" +
			"ffsplit is for an even number of nodes: of two halves that do not see each other, the " +
			"one with " +
			"the vote goes on. With lms (last man standing) the last node that hears from HOST goes on.\n\n" +
			onWhichMachines,
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "algorithm", DefaultText: corosync.FFSplit, Usage: "`ALGORITHM` is ffsplit or lms",
			},
			yesFlag(), printFlag(), sshFlag(), jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			switch {
			case c.NArg() == 0:
				return usagef("a device on which machine? see `%s --help`", c.Command.HelpName)
			case c.NArg() > 1:
				return usagef("%s takes one HOST, not also %q: see `%s --help`", c.Command.HelpName,
					c.Args().Get(1), c.Command.HelpName)
			}
			host := c.Args().First()
			o := machineOptionsOf(c, "quorum device add", host)
			if a := c.String("algorithm"); a != "" {
				o.args = append(o.args, "--algorithm", a)
			}
			return sys.addDevice(c.Context, o, quorum.Wanted{Host: host, Algorithm: c.String("algorithm")})
		},
	}
}

func (s *system) addDevice(ctx context.Context, o machineOptions, wanted quorum.Wanted) error {
	reach, err := s.begin(ctx, o)
	if err != nil {
		return err
	}
	if err := s.overMachines(ctx, o, func(ctx context.Context) (machines.Plan, error) {
		return quorum.Orders{Reach: reach}.Add(ctx, wanted, o.print)
	}); err != nil || o.print {
		return err
	}
	s.aside(!o.yes).wrapf("The device at %s votes. `hawser quorum status` shows it on every node.\n",
		wanted.Host)
	return nil
}

func deviceRemoveCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "remove",
		Usage: "take the quorum device out, and what is left of one",
		Description: "corosync-qdevice stops on every node, then the device leaves corosync.conf, then " +
			"Corosync takes that over, then the certificates go. It is refused where the nodes " +
			"alone have no " +
			"quorum.\n\n" + onWhichMachines,
		Flags:  []cli.Flag{yesFlag(), printFlag(), sshFlag(), jsonFlag()},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			return sys.removeDevice(c.Context, machineOptionsOf(c, "quorum device remove"))
		},
	}
}

func (s *system) removeDevice(ctx context.Context, o machineOptions) error {
	reach, err := s.begin(ctx, o)
	if err != nil {
		return err
	}
	return s.overMachines(ctx, o, func(ctx context.Context) (machines.Plan, error) {
		return quorum.Orders{Reach: reach}.Remove(ctx, o.print)
	})
}

func quorumStatusCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show votes, and the quorum device on every node",
		Description: "Asks every node: whether its corosync.conf has the device, whether Corosync " +
			"has taken " +
			"that over, whether it has its certificates, whether corosync-qdevice runs and hears " +
			"from HOST, and " +
			"whether the vote counts for it. A change that was not finished is shown, with what " +
			"goes on with " +
			"it.",
		Flags:  []cli.Flag{sshFlag(), jsonFlag()},
		Before: noArguments,
		Action: func(c *cli.Context) error { return sys.quorumStatus(c.Context, c.String("ssh")) },
	}
}

func (s *system) quorumStatus(ctx context.Context, ssh string) error {
	if err := s.reached(); err != nil {
		return err
	}
	s.Locate(ctx)
	reach, err := s.reach(ssh)
	if err != nil {
		return err
	}
	tick := s.startTicker()
	tick.Set("asking every node")
	status, err := quorum.Orders{Reach: reach}.Status(ctx)
	tick.Close()
	if err != nil {
		return err
	}
	s.reports(status)
	out := s.aside(false)
	out.printf("%s", status.Text())
	for _, p := range status.Problems {
		for i, line := range strings.Split(p, "\n") {
			text := line
			if i == 0 {
				text = out.paint(yellow, "Note:") + " " + line
			}
			out.printf("\n%s", words.Lines(text+"\n", words.Screen, 0))
		}
	}
	switch status.State {
	case quorum.None, quorum.Working:
		if len(status.Problems) > 0 {
			return silent(exitDegraded)
		}
		return nil
	case quorum.Unknown:
		return silent(exitUnavailable)
	}
	return silent(exitDegraded)
}
