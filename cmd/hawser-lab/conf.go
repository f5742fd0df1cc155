package main

import (
	"io"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
)

// confCommand is for machines that are set up like the lab's nodes (vagrant/provision.sh), and for
// whoever wants to read the files.
func confCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "conf",
		Usage:     "print a configuration file that a node is delivered with",
		ArgsUsage: "FILE NODE",
		Description: "FILE is corosync.conf or haproxy.cfg of a balancer, or nginx.conf of an " +
			"application server. " +
			"No lab is needed, and no root.\n\n" +
			"  hawser-lab conf nginx.conf app-1",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "nodes", Value: 3, Usage: "`NUMBER` of balancers, 1 to 32"},
			&cli.IntFlag{Name: "apps", Value: 2, Usage: "`NUMBER` of application servers, 1 to 32"},
			sitesFlag(), qnetdFlag(), qnetdTimeoutFlag(),
		},
		Action: func(c *cli.Context) error {
			args, err := wantArgs(c, "FILE", "NODE")
			if err != nil {
				return err
			}
			if c.Int("nodes") == 0 || c.Int("apps") == 0 {
				return usagef("conf: at least one balancer and one application server")
			}
			sites, qnetd, err := sitesOf(c)
			if err != nil {
				return err
			}
			text, err := lab.Options{
				Nodes: c.Int("nodes"), Apps: c.Int("apps"), Sites: sites, Qnetd: qnetd,
				QnetdTimeout: c.Duration("qnetd-timeout"),
			}.Generate(args[0], args[1])
			if err != nil {
				return usagef("%v", err)
			}
			_, err = io.WriteString(std.out, text)
			return err
		},
	}
}
