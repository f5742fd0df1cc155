package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/outcome"
)

// corosyncConf is where Corosync's configuration is.
const corosyncConf = "/etc/corosync/corosync.conf"

func timingCommand(sys *system) *cli.Command {
	return &cli.Command{
		Name:  "timing",
		Usage: "show how long failure detection takes, and print Corosync's times for this network",
		Description: "Shows where the time goes from the death of a node until its address is served by another one: with the times that\n" +
			"Corosync has in force on this node, or else those of its configuration. --for prints the totem section to put into\n" +
			"corosync.conf in place of the one there, with its other settings kept; on every node, then `corosync-cfgtool -R` on one.\n" +
			"Nothing is changed.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "for", Usage: "print the totem section for a `NETWORK`: lan or cloud"},
			&cli.StringFlag{Name: "config", Usage: "look at this `FILE`, not at the running Corosync", DefaultText: corosyncConf},
			&cli.IntFlag{Name: "nodes", Usage: "`NUMBER` of nodes, in place of the configuration's"},
			jsonFlag(),
		},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			if n := c.Int("nodes"); c.IsSet("nodes") && (n < 1 || n > maxNodes) {
				return usagef("--nodes %d: a cluster has 1 to %d nodes", n, maxNodes)
			}
			if c.IsSet("for") {
				return sys.timingFor(c)
			}
			return sys.explainTiming(c)
		},
	}
}

// maxNodes is how many nodes Corosync takes (exec/totemsrp.h, PROCESSOR_COUNT_MAX).
const maxNodes = 384

// networks are the words that --for knows.
var networks = map[string]corosync.Timing{"lan": corosync.LAN, "cloud": corosync.Cloud}

// timingReport is what hawser timing says, with times in milliseconds.
type timingReport struct {
	Source      string             `json:"source"`
	Nodes       int                `json:"nodes"`
	Token       float64            `json:"token_ms"`
	Retransmit  float64            `json:"token_retransmit_ms"`
	Consensus   float64            `json:"consensus_ms"`
	Join        float64            `json:"join_ms"`
	PingEvery   float64            `json:"knet_ping_interval_ms,omitempty"`
	PingTimeout float64            `json:"knet_ping_timeout_ms,omitempty"`
	Steps       []timingStep       `json:"steps"`
	NodeLost    float64            `json:"node_lost_ms"`
	Findings    []corosync.Finding `json:"findings"`
	Section     string             `json:"totem_section,omitempty"`
}

// timingStep is a part of the time that a lost node is missed.
type timingStep struct {
	Name string  `json:"step"`
	MS   float64 `json:"ms"`
	// Setting says what changes it, "" if nothing of Corosync does.
	Setting string `json:"setting,omitempty"`
	Text    string `json:"text"`
}

// What follows the new membership, measured on clusters of two and three on one two-core machine (docs/timing.md).
const (
	pacemakerDecides = 50 * time.Millisecond
	controllerLost   = 1100 * time.Millisecond
	addressStarts    = 50 * time.Millisecond
)

func reportTiming(source string, e corosync.Effective) *timingReport {
	inMS := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	r := &timingReport{
		Source: source, Nodes: e.Nodes, Token: inMS(e.Token), Retransmit: inMS(e.TokenRetransmit), Consensus: inMS(e.Consensus), Join: inMS(e.Join),
		PingEvery: inMS(e.PingInterval), PingTimeout: inMS(e.PingTimeout), Findings: []corosync.Finding{},
	}
	r.Steps = []timingStep{
		{"token", r.Token, "token, token_coefficient", "at most this long until the other nodes miss the token that the lost one should have passed on"},
		{"consensus", r.Consensus, "consensus", "until they give up waiting for the lost node to join them again, and form a membership without it"},
		{"Pacemaker", inMS(pacemakerDecides), "", "about this long to hear of it, plan and order the start; fencing, where there is some, comes before"},
		{"controller", inMS(controllerLost), "transition-delay", "only where the lost node was the cluster's controller (DC): 0.1 s to elect another, and as a rule a second in which that one waits for its own updates of the CIB; Pacemaker's property transition-delay=50ms avoids the second, for 50 ms more in every recovery"},
		{"address", inMS(addressStarts), "", "about this long until the address is there and announced to the neighbours on a LAN; in a cloud, as long as the provider's API takes"},
	}
	for _, s := range r.Steps {
		r.NodeLost += s.MS
	}
	return r
}

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
		r := reportTiming("for "+word, timing.In(conf.Nodes))
		r.Section = section
		return s.printJSON(r)
	}
	e := timing.In(conf.Nodes)
	s.printf("# For a %s: a lost node is out of the membership %s after its death at the latest.\n", map[string]string{"lan": "LAN", "cloud": "cloud network"}[word], e.Lost())
	s.printf("# In place of the totem section in %s, on every node; then, on one: corosync-cfgtool -R\n%s", corosyncConf, section)
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
		e, askErr = s.corosync(c.Context)
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
		if realTime, found := corosync.RealTime("/proc"); found && !realTime {
			findings = append(findings, corosync.Ordinary())
		}
		if err == nil && conf.Nodes == e.Nodes {
			if conf.In(conf.Nodes) == e {
				findings = append(findings, conf.Written()...)
			} else {
				findings = append(findings, corosync.Finding{Name: corosyncConf, Text: "it says otherwise than what is in force: corosync-cfgtool -R on one node makes it so"})
			}
		}
	case err != nil && path == "" && errors.Is(err, os.ErrNotExist):
		return exitf(outcome.Unavailable, "%w, and there is no %s: run this on a node of the cluster, or give --config", askErr, corosyncConf)
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
	r := reportTiming(source, e)
	r.Findings = append(r.Findings, findings...)
	if c.Bool("json") {
		return s.printJSON(r)
	}
	s.showTiming(r)
	return nil
}

func (s *system) showTiming(r *timingReport) {
	s.printf("%d nodes, by %s. Until the address of a lost node is served by another one:\n\n", r.Nodes, r.Source)
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
		return corosyncConf
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

// corosync asks the Corosync of this node.
func (s *system) corosync(ctx context.Context) (corosync.Effective, error) {
	if !s.Running || s.Remote {
		return corosync.Effective{}, fmt.Errorf("%w: the configuration in use is not this node's cluster's", corosync.ErrNotRunning)
	}
	return corosync.Running(ctx)
}
