package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/cluster/machines"
	"github.com/hawser-ha/hawser/cluster/member"
	"github.com/hawser-ha/hawser/internal/corosync"
)

func corosyncCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "corosync",
		Usage: "add a node to the running cluster, or remove one",
		Description: "The file that all nodes have alike, corosync.conf, is written on each of them " +
			"and taken " +
			"over without a restart. `hawser corosync-conf` prints one for a new cluster.",
		Action:      sys.noCommand("hawser corosync"),
		Subcommands: []*cli.Command{corosyncAddCommand(sys), corosyncRemoveCommand(sys)},
	}
}

func corosyncAddCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "make a machine a node of this cluster",
		ArgsUsage: "NODE --address ADDRESS [--address ADDRESS2]…",
		Description: "NODE is what `uname -n` says on the machine. The packages are installed there, as on " +
			"the other nodes, and it is of no other cluster. It gets Corosync's key, the quorum device's " +
			"certificates if there is a device, and corosync.conf; so does every other node, and " +
			"Corosync takes " +
			"it over on all of them; then the cluster starts on the new one. two_node and the votes " +
			"follow the " +
			"number of nodes.\n\n" + onWhichMachines,
		Flags: []cli.Flag{
			&cli.StringSliceFlag{
				Name: "address", Usage: "`ADDRESS` of the node for the first link, and once more " +
					"for each other",
			},
			yesFlag(), printFlag(), sshFlag(), jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			addresses := c.StringSlice("address")
			switch {
			case c.NArg() == 0:
				return usagef("which node? see `%s --help`", c.Command.HelpName)
			case c.NArg() > 1:
				return usagef("%s takes one NODE, not also %q: see `%s --help`", c.Command.HelpName,
					c.Args().Get(1), c.Command.HelpName)
			case len(addresses) == 0:
				return usagef("at which address is %s? give --address ADDRESS, once for each link",
					c.Args().First())
			}
			m := corosync.Member{Name: c.Args().First(), Addresses: addresses}
			o := machineOptionsOf(c, "corosync add", m.Name)
			for _, a := range addresses {
				o.args = append(o.args, "--address", a)
			}
			return sys.addNode(c.Context, o, m)
		},
	}
}

func (s *system) addNode(ctx context.Context, o machineOptions, m corosync.Member) error {
	reach, err := s.begin(ctx, o)
	if err != nil {
		return err
	}
	if err := s.overMachines(ctx, o, func(ctx context.Context) (machines.Plan, error) {
		return member.Orders{Reach: reach}.Add(ctx, m, o.print)
	}); err != nil || o.print {
		return err
	}
	s.aside(!o.yes).wrapf("%s is a node of the cluster. `hawser status` shows what runs there.\n", m.Name)
	return nil
}

func corosyncRemoveCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "take a node out of this cluster",
		ArgsUsage: "NODE",
		Description: "The node runs nothing any more (`hawser standby NODE`), or is gone for good. " +
			"The cluster " +
			"stops on it, if it can be reached, the others get a corosync.conf without it and take " +
			"that over, " +
			"and Pacemaker forgets it. It is refused where the quorum would be lost.\n\n" + onWhichMachines,
		Flags: []cli.Flag{yesFlag(), printFlag(), sshFlag(), jsonFlag()},
		Action: func(c *cli.Context) error {
			switch {
			case c.NArg() == 0:
				return usagef("which node? `hawser status` lists them")
			case c.NArg() > 1:
				return usagef("%s takes one NODE, not also %q: see `%s --help`", c.Command.HelpName,
					c.Args().Get(1), c.Command.HelpName)
			}
			name := c.Args().First()
			return sys.removeNode(c.Context, machineOptionsOf(c, "corosync remove", name), name)
		},
	}
}

func (s *system) removeNode(ctx context.Context, o machineOptions, name string) error {
	reach, err := s.begin(ctx, o)
	if err != nil {
		return err
	}
	return s.overMachines(ctx, o, func(ctx context.Context) (machines.Plan, error) {
		return member.Orders{Reach: reach, Pacemaker: s.Cluster}.Remove(ctx, name, o.print)
	})
}
