package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/words"
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

// networks are the words that --for knows.
var networks = map[string]corosync.Timing{"lan": corosync.LAN, "cloud": corosync.Cloud}

// timingFor prints the totem section for a network.
func (s *system) timingFor(c *cli.Context) error {
	word := c.String("for")
	timing, ok := networks[word]
	if !ok {
		return usagef("--for %q: the networks known are lan and cloud", word)
	}
	path := c.String("config")
	conf, err := readCorosyncConf(path)
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
	if c.Bool("json") {
		r := corosync.FailoverOf("for "+word, timing.In(conf.Nodes))
		r.Section = section
		return s.printJSON(r)
	}
	e := timing.In(conf.Nodes)
	s.printf("# For a %s: a lost node is out of the membership %s after its death at the latest.\n",
		map[string]string{
			"lan": "LAN", "cloud": "cloud network",
		}[word], e.Lost())
	s.printf(
		"# In place of the totem section in %s, on every node; then, on one: corosync-cfgtool "+
			"-R\n%s",
		corosync.ConfFile, section)
	return nil
}

// explainTiming shows the times in force, or the configuration's.
func (s *system) explainTiming(c *cli.Context) error {
	path := c.String("config")
	var (
		e        corosync.Effective
		findings []corosync.Finding
		source   = "the running Corosync"
		askErr   = errors.New("not asked")
	)
	if path == "" && c.Int("nodes") == 0 {
		e, askErr = s.Timing(c.Context)
		if askErr != nil && !errors.Is(askErr, corosync.ErrNotRunning) {
			if errors.Is(askErr, os.ErrPermission) {
				return exitf(outcome.Denied, "%w%s", askErr, outcome.AskRoot(s.Root))
			}
			return askErr
		}
	}
	conf, err := readCorosyncConf(path)
	switch {
	case askErr == nil:
		findings = e.Findings()
		if realTime, found := corosync.RealTime(s.Proc); found && !realTime {
			findings = append(findings, corosync.Ordinary())
		}
		if err == nil && conf.Nodes == e.Nodes {
			if conf.In(conf.Nodes) == e {
				findings = append(findings, conf.Written()...)
			} else {
				findings = append(findings, corosync.Finding{
					Name: corosync.ConfFile,
					Text: "it says otherwise than what is in force: corosync-cfgtool -R on one " +
						"node makes it so",
				})
			}
		}
	case err != nil && path == "" && errors.Is(err, os.ErrNotExist):
		return exitf(outcome.Unavailable,
			"%w, and there is no %s: run this on a node of the cluster, or give --config", askErr,
			corosync.ConfFile)
	case err != nil:
		return err
	default:
		if n := c.Int("nodes"); n > 0 {
			conf.Nodes = n
		}
		if conf.Nodes == 0 {
			return usagef("%s has no nodelist: give --nodes", nameOf(path))
		}
		if err := conf.Validate(conf.Nodes); err != nil {
			return usagef("%s: %w", nameOf(path), err)
		}
		e, source = conf.In(conf.Nodes), nameOf(path)
		findings = append(e.Findings(), conf.Written()...)
	}
	r := corosync.FailoverOf(source, e)
	r.Findings = append(r.Findings, findings...)
	if c.Bool("json") {
		return s.printJSON(r)
	}
	s.showTiming(r)
	return nil
}

func (s *system) showTiming(r *corosync.Failover) {
	s.printf("%s, by %s. Until the address of a lost node is served by another one:\n\n",
		words.Count(r.Nodes, "node"), r.Source)
	for _, step := range r.Steps {
		s.printf("  %7.2f s  %-10s %s\n", step.MS/1000, step.Name, step.Text)
	}
	s.printf("  %s\n", s.paint(bold, fmt.Sprintf("%7.2f s  at most", r.NodeLost/1000)))
	if len(r.Findings) > 0 {
		s.printf("\nWorth a look:\n")
		for _, f := range r.Findings {
			s.printf("  %s: %s\n", s.paint(yellow, f.Name), f.Text)
		}
	}
}

func nameOf(path string) string {
	if path == "" {
		return corosync.ConfFile
	}
	return path
}

func readCorosyncConf(path string) (corosync.Config, error) {
	path = nameOf(path)
	text, err := os.ReadFile(path)
	if err != nil {
		return corosync.Config{}, fmt.Errorf("read Corosync's configuration: %w", err)
	}
	conf, err := corosync.ParseConf(string(text))
	if err != nil {
		return corosync.Config{}, usagef("%s: %w", path, err)
	}
	return conf, nil
}
