package main

import (
	"net/netip"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
	"github.com/hawser-ha/hawser/lab/cloud"
)

func cloudCommand(std streams) *cli.Command {
	kinds := ""
	for _, k := range cloud.Kinds() {
		kinds += "  " + string(k) + "\n"
	}
	return &cli.Command{
		Name: "cloud", Usage: "inspect the simulated cloud, and make it misbehave",
		Action: func(c *cli.Context) error {
			if word := c.Args().First(); word != "" {
				return usagef("cloud: no command %q: see `hawser-lab cloud --help`", word)
			}
			return cli.ShowSubcommandHelp(c)
		},
		Subcommands: []*cli.Command{
			onCloud("show", "print what the cloud holds, as JSON", "", nil,
				func(c *cli.Context, l *lab.Lab, _ []string) error {
					s, err := l.Cloud().State(c.Context)
					if err != nil {
						return err
					}
					return printJSON(std.out, s)
				}),
			onCloud("holder",
				"print the node that holds a floating address, nothing if none does", "IP", nil,
				func(c *cli.Context, l *lab.Lab, args []string) error {
					ip, err := address(args[0])
					if err != nil {
						return err
					}
					node, err := l.Cloud().Holder(c.Context, ip)
					if err == nil && node != "" {
						printf(std.out, "%s\n", node)
					}
					return err
				}),
			onCloud("move",
				"give a floating address to a node (or to \"nobody\") at once, behind "+
					"everybody's back",
				"IP NODE", nil, func(c *cli.Context, l *lab.Lab, args []string) error {
					ip, err := address(args[0])
					if err != nil {
						return err
					}
					if args[1] == "nobody" {
						args[1] = ""
					}
					return l.Cloud().MoveTo(c.Context, ip, args[1])
				}),
			onCloud("latency", "answer each API request so much later; 0 takes it back", "DURATION",
				nil, func(c *cli.Context, l *lab.Lab, args []string) error {
					d, err := duration(args[0])
					if err != nil {
						return err
					}
					if d == 0 {
						return l.Cloud().ClearFaults(c.Context, cloud.Latency)
					}
					return l.Cloud().SetFault(c.Context, cloud.Fault{Kind: cloud.Latency, Delay: d})
				}),
			onCloud("action-time", "let the moves that begin from now on take so long", "DURATION",
				nil, func(c *cli.Context, l *lab.Lab, args []string) error {
					d, err := duration(args[0])
					if err != nil {
						return err
					}
					return l.Cloud().SetActionTime(c.Context, d)
				}),
			faultCommand(kinds),
			serveCommand(),
			{
				Name: "clear", Usage: "remove faults: those of the kinds named, or all",
				ArgsUsage: "[KIND...]",
				Action: func(c *cli.Context) error {
					l, err := open(c)
					if err != nil {
						return err
					}
					var kinds []cloud.Kind
					for _, k := range c.Args().Slice() {
						kinds = append(kinds, cloud.Kind(k))
					}
					return l.Cloud().ClearFaults(c.Context, kinds...)
				},
			},
		},
	}
}

func faultCommand(kinds string) *cli.Command {
	fault := onCloud("fault",
		"let the cloud do something wrong until it is cleared, or --count times", "KIND",
		[]cli.Flag{
			&cli.IntFlag{Name: "count", Usage: "how `OFTEN` it happens; 0: until it is cleared"},
			&cli.IntFlag{
				Name: "status", Usage: "the HTTP `STATUS`, for the kinds that answer with one",
			},
			&cli.DurationFlag{
				Name: "delay", Usage: "how much later the answer comes, for the latencies",
			},
			&cli.DurationFlag{Name: "retry-after", Usage: "sent as retry-after, for status"},
			&cli.StringFlag{
				Name: "match", Usage: "only for requests whose \"METHOD /path\" contains `TEXT`",
			},
		}, func(c *cli.Context, l *lab.Lab, args []string) error {
			f := cloud.Fault{
				Kind: cloud.Kind(args[0]), Count: c.Int("count"), Status: c.Int("status"),
				Delay:      c.Duration("delay"),
				RetryAfter: c.Duration("retry-after"), Match: c.String("match"),
			}
			if err := f.Validate(); err != nil {
				return usagef("%v", err)
			}
			return l.Cloud().SetFault(c.Context, f)
		})
	fault.Description = "Kinds:\n" + kinds
	return fault
}

// onCloud makes a subcommand that takes as many arguments as argsUsage has words.
func onCloud(name, usage, argsUsage string, flags []cli.Flag,
	do func(*cli.Context, *lab.Lab, []string) error) *cli.Command {
	return onLab(name, usage, argsUsage, "", flags, do)
}

func address(s string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return ip, usagef("%q is not an IP address", s)
	}
	return ip, nil
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, usagef("%q is not a duration: write 300ms, 11s, 1m30s", s)
	}
	return d, nil
}
