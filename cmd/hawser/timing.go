package main

import (
	"errors"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/host"
	"github.com/hawser-ha/hawser/internal/corosync"
)

func timingCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "timing",
		Usage: "show how long failure detection takes, and print Corosync's times for this network",
		Description: "Shows where the time goes from the death of a node until its address is " +
			"served by another one: with the times that " +
			"Corosync has in force on this node, or else those of its configuration. --for " +
			"prints the totem section to put into " +
			"corosync.conf in place of the one there, with its other settings kept; on every " +
			"node, then `corosync-cfgtool -R` on one. " +
			"Nothing is changed.",
		Flags: []cli.Flag{
			&cli.StringFlag{
				Name: "for", Usage: "print the totem section for a `NETWORK`: lan or cloud",
			},
			&cli.StringFlag{
				Name: "config", Usage: "look at this `FILE`, not at the running Corosync",
				DefaultText: corosync.ConfFile,
			},
			&cli.IntFlag{
				Name: "nodes", Usage: "`NUMBER` of nodes, in place of the configuration's",
			},
			jsonFlag(),
		},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			if n := c.Int("nodes"); c.IsSet("nodes") && (n < 1 || n > corosync.MaxNodes) {
				return usagef("--nodes %d: a cluster has 1 to %d nodes", n, corosync.MaxNodes)
			}
			if c.IsSet("for") {
				return sys.timingFor(c)
			}
			return sys.explainTiming(c)
		},
	}
}

// timingFor prints the totem section for a network.
func (s *system) timingFor(c *cli.Context) error {
	word := c.String("for")
	timing, err := corosync.NetworkTiming(word)
	if err != nil {
		return usagef("--for %w", err)
	}
	path := c.String("config")
	conf, err := host.CorosyncConf(path)
	if errors.Is(err, os.ErrNotExist) && path == "" {
		conf, err = corosync.Config{Kept: nil, Links: 1, Transport: "knet"}, nil
	}
	if err != nil {
		return err
	}
	if n := c.Int("nodes"); n > 0 {
		conf.Nodes = n
	}
	section := conf.TotemSection(timing)
	e, out := timing.In(conf.Nodes), s.aside(false)
	r := corosync.FailoverOf("for "+word, e)
	r.Section = section
	s.reports(r)
	out.printf("# For a %s: a lost node is out of the membership %s after its death at the latest.\n",
		map[string]string{
			"lan": "LAN", "cloud": "cloud network",
		}[word], e.Lost())
	out.printf(
		"# In place of the totem section in %s, on every node; then, on one: corosync-cfgtool "+
			"-R\n%s",
		corosync.ConfFile, section)
	return nil
}

// explainTiming shows the times in force, or the configuration's.
func (s *system) explainTiming(c *cli.Context) error {
	r, err := s.Failover(c.Context, c.String("config"), c.Int("nodes"))
	if err != nil {
		return err
	}
	s.reports(r)
	s.aside(false).printf("%s", host.FailoverText(r,
		func(text string) string { return s.paint(bold, text) },
		func(text string) string { return s.paint(yellow, text) }))
	return nil
}
