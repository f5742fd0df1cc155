package main

import (
	"math"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
)

// ends describes what a fault of a link is between.
const ends = "A and B are nodes, sites (the link between them) or \"cloud\"."

func oneWayFlag() cli.Flag {
	return &cli.BoolFlag{Name: "one-way", Usage: "only from A to B"}
}

// onLab makes a command that takes as many arguments as argsUsage has words.
func onLab(name, usage, argsUsage, description string, flags []cli.Flag,
	do func(c *cli.Context, l *lab.Lab, args []string) error) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: argsUsage, Description: description, Flags: flags,
		Action: func(c *cli.Context) error {
			args, err := wantArgs(c, words(argsUsage)...)
			if err != nil {
				return err
			}
			l, err := open(c)
			if err != nil {
				return err
			}
			return do(c, l, args)
		},
	}
}

func cutCommand() *cli.Command {
	return onLab("cut", "drop every packet between two nodes or sites, until heal", "A B",
		ends+" With --one-way nothing gets from A to B, while B is still heard.",
		[]cli.Flag{
			&cli.BoolFlag{Name: "ring",
				Usage: "drop Corosync's messages alone: all other traffic goes on, ARP too"},
			oneWayFlag(),
			&cli.BoolFlag{Name: "sites", Usage: "refuse names that are not those of sites"},
		},
		func(c *cli.Context, l *lab.Lab, args []string) error {
			if c.Bool("ring") && c.Bool("one-way") {
				return usagef("cut --ring is in both directions: leave --one-way out")
			}
			if c.Bool("sites") {
				if err := wantSites(l, args); err != nil {
					return err
				}
			}
			switch {
			case c.Bool("ring"):
				return l.CutRing(args[0], args[1])
			case c.Bool("one-way"):
				return l.CutOneWay(args[0], args[1])
			}
			return l.Cut(args[0], args[1])
		})
}

func wantSites(l *lab.Lab, names []string) error {
	known := map[string]bool{}
	for _, s := range l.Spec().Sites {
		known[s.Name] = true
	}
	for _, name := range names {
		if !known[name] {
			return usagef("cut --sites: %q is no site of the lab %s; its sites: %v", name, l.Name(),
				l.Spec().Sites)
		}
	}
	return nil
}

func slowCommand() *cli.Command {
	return onLab("slow",
		"have every packet between two nodes or sites arrive later, until heal", "A B DELAY",
		ends+" The delay is added in each direction, so that an answer takes twice that; 0 takes it "+
			"back. The packets pass a process of the lab's.",
		[]cli.Flag{
			&cli.DurationFlag{Name: "jitter", Usage: "up to so much more or less"}, oneWayFlag(),
		},
		func(c *cli.Context, l *lab.Lab, args []string) error {
			delay, err := duration(args[2])
			if err != nil {
				return err
			}
			return l.Slow(args[0], args[1], delay, c.Duration("jitter"), c.Bool("one-way"))
		})
}

func loseCommand() *cli.Command {
	return onLab("lose",
		"have some of the packets between two nodes or sites not arrive, until heal", "A B PERCENT",
		ends+" PERCENT is of the packets in each direction, as in 1% or 0.5; 0 takes it back. The "+
			"packets pass a process of the lab's.",
		[]cli.Flag{oneWayFlag()},
		func(c *cli.Context, l *lab.Lab, args []string) error {
			percent, err := strconv.ParseFloat(strings.TrimSuffix(args[2], "%"), 64)
			if err != nil || math.IsNaN(percent) || percent < 0 || percent > 100 {
				return usagef("%q is not a percentage: write 1%% or 0.5", args[2])
			}
			return l.Lose(args[0], args[1], percent, c.Bool("one-way"))
		})
}

func healCommand() *cli.Command {
	return &cli.Command{
		Name: "heal", Usage: "remove every cut, delay and loss, or those between A and B",
		ArgsUsage: "[A B]",
		Action: func(c *cli.Context) error {
			if n := c.Args().Len(); n != 0 && n != 2 {
				return usagef("heal wants no arguments, or A and B, not %d arguments: see `%s --help`",
					n, c.Command.HelpName)
			}
			l, err := open(c)
			if err != nil {
				return err
			}
			if c.Args().Len() == 2 {
				return l.HealBetween(c.Args().Get(0), c.Args().Get(1))
			}
			return l.Heal()
		},
	}
}
