package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

func corosyncConfCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "corosync-conf",
		Usage: "print a corosync.conf for a cluster of balancers, or compare a file with it",
		Description: "Prints a whole corosync.conf: encrypted, with the times of `hawser timing " +
			"--for`, and with " +
			"two_node for two nodes, or with a quorum device. It has to be the same on every node, " +
			"so give the same nodes in the same " +
			"order everywhere. setup-balancer uses this command.\n\n" +
			"--check prints a line for each setting in which FILE differs. The line begins with " +
			"the word reload " +
			"if a running Corosync takes the setting over (corosync-cfgtool -R on one node), and " +
			"with restart if " +
			"Corosync has to be restarted for it. " +
			"Nothing is changed.\n\n" +
			"  hawser corosync-conf --node lb-1=10.132.0.11 \\\n" +
			"    --node lb-2=10.132.0.12 > corosync.conf",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "node", Usage: "a node, `NAME=ADDRESS[,ADDRESS2…]`, once for " +
				"each; a second address is a second link"},
			&cli.StringFlag{Name: "cluster-name", Usage: "`NAME` of the cluster", Value: "hawser"},
			&cli.StringFlag{Name: "network", DefaultText: "cloud",
				Usage: "the times for this `NETWORK`: lan or cloud"},
			&cli.IntFlag{Name: "token", Usage: "Corosync's token in `MILLISECONDS` instead, and its " +
				"own defaults for the other times"},
			&cli.StringFlag{Name: "qdevice", Usage: "`HOST` of a corosync-qnetd at a third place, " +
				"which votes too"},
			&cli.StringFlag{Name: "qdevice-algorithm", DefaultText: corosync.FFSplit,
				Usage: "`ALGORITHM` by which it votes: ffsplit, for an even number of nodes, or lms"},
			&cli.StringFlag{Name: "qdevice-tls", DefaultText: "on",
				Usage: "`WORD` for the connections to it: on, required or off"},
			&cli.StringFlag{Name: "check", Usage: "compare `FILE` with what would be printed"},
		},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			cluster, err := clusterFromFlags(c)
			if err != nil {
				return err
			}
			if c.IsSet("check") {
				return sys.checkCorosyncConf(c.String("check"), cluster)
			}
			_, err = fmt.Fprint(sys.stdout, cluster.Conf())
			return err
		},
	}
}

// clusterFromFlags returns the cluster that the flags describe.
func clusterFromFlags(c *cli.Context) (corosync.Cluster, error) {
	d := corosync.Described{Name: c.String("cluster-name"), Nodes: c.StringSlice("node")}
	if c.IsSet("network") {
		d.Network = c.String("network")
	}
	if c.IsSet("token") {
		ms := c.Int("token")
		d.Token = &ms
	}
	switch host := c.String("qdevice"); {
	case host != "":
		d.Device = &corosync.Device{
			Host: host, Algorithm: c.String("qdevice-algorithm"), TLS: c.String("qdevice-tls"),
		}
	case c.IsSet("qdevice-algorithm") || c.IsSet("qdevice-tls"):
		return corosync.Cluster{}, usagef("--qdevice-algorithm and --qdevice-tls are about the " +
			"corosync-qnetd that --qdevice names: give --qdevice HOST too")
	}
	cluster, err := d.Cluster()
	switch {
	case len(d.Nodes) == 0 && err != nil:
		return cluster, usagef("%w: see `%s --help`", err, c.Command.HelpName)
	case err != nil:
		return cluster, usagef("%w", err)
	}
	return cluster, nil
}

// checkCorosyncConf prints the differences between the file and the one the cluster should have.
func (s *system) checkCorosyncConf(path string, cluster corosync.Cluster) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return usagef("%s cannot be read: %w", path, outcome.Cause(err))
	}
	differences, err := corosync.Compare(string(text), cluster.Conf())
	if err != nil {
		return usagef("%s: %w", path, err)
	}
	for _, d := range differences {
		how := "reload"
		if d.Restart {
			how = "restart"
		}
		s.printf("%-8s%s\n", how, d)
	}
	if len(differences) > 0 {
		return silent(exitChanges)
	}
	return nil
}
