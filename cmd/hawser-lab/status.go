package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/hawser-ha/hawser/lab"
	"github.com/hawser-ha/hawser/lab/cloud"
)

func statusCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show the nodes, the cluster, the cloud and what is broken on purpose",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action: func(c *cli.Context) error {
			if _, err := wantArgs(c); err != nil {
				return err
			}
			l, err := open(c)
			if err != nil {
				return err
			}
			s := l.Status(c.Context)
			if c.Bool("json") {
				return printJSON(std.out, s)
			}
			return showStatus(std.out, s)
		},
	}
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func showStatus(w io.Writer, s lab.Status) error {
	printf(w, "lab %s, up for %s\n\n", s.Name, time.Since(s.Since).Round(time.Second))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	sites := slices.ContainsFunc(s.Nodes, func(n lab.NodeStatus) bool { return n.Site != "" })
	printf(t, "NODE\tROLE\tPOWER\tPRIVATE\tPUBLIC\tANCHOR")
	if sites {
		printf(t, "\tSITE")
	}
	printf(t, "\n")
	for _, n := range s.Nodes {
		power := "off"
		if n.Running {
			power = "on"
		}
		printf(t, "%s\t%s\t%s\t%s\t%s\t%s", n.Name, n.Role, power, addr(n.Private),
			addr(n.Public), addr(n.Anchor))
		if sites {
			printf(t, "\t%s", cmp.Or(n.Site, "-"))
		}
		printf(t, "\n")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	printf(w, "\n")
	if s.Cluster != nil {
		quorum := "quorate"
		if !s.Cluster.Quorate {
			quorum = "WITHOUT QUORUM"
		}
		printf(w, "cluster, as %s sees it: %s, DC %s, online: %s\n", s.Cluster.From, quorum,
			cmp.Or(s.Cluster.DC, "none"), strings.Join(s.Cluster.Online, " "))
	} else {
		printf(w, "cluster: unavailable: %s\n", s.ClusterError)
	}
	if s.CloudError != "" {
		printf(w, "cloud: unavailable: %s\n", s.CloudError)
	} else {
		printf(w, "cloud: moves an address in %s\n", s.ActionTime)
		showHolders(w, s.Floating)
	}
	for _, f := range s.Faults {
		printf(w, "fault: %s\n", faultText(f))
	}
	for _, c := range s.Cuts {
		printf(w, "cut: %s and %s\n", c[0], c[1])
	}
	for _, c := range s.RingCuts {
		printf(w, "cut, the ring alone: %s and %s\n", c[0], c[1])
	}
	for _, link := range s.Links {
		printf(w, "link: from %s to %s: %s\n", link.From, link.To, linkText(link))
	}
	return nil
}

// linkText says what is wrong with a link.
func linkText(link lab.Link) string {
	var all []string
	if link.Delay > 0 {
		text := fmt.Sprintf("%s late", link.Delay)
		if link.Jitter > 0 {
			text += fmt.Sprintf(", give or take %s", link.Jitter)
		}
		all = append(all, text)
	}
	if link.Loss > 0 {
		all = append(all, fmt.Sprintf("%g%% lost", link.Loss))
	}
	if link.Cut {
		all = []string{"cut"}
	}
	if link.Dead {
		all = append(all, "its relay has ended, so nothing arrives: heal it, and set it again")
	}
	return strings.Join(all, ", ")
}

func showHolders(w io.Writer, holders map[string]string) {
	var ips []string
	for ip := range holders {
		ips = append(ips, ip)
	}
	slices.Sort(ips)
	for _, ip := range ips {
		printf(w, "%s: held by %s\n", ip, cmp.Or(holders[ip], "nobody"))
	}
}

func addr(p netip.Prefix) string {
	if !p.IsValid() {
		return "-"
	}
	return p.Addr().String()
}

// faultText is the fault as the options of `hawser-lab cloud fault` would set it.
func faultText(f cloud.Fault) string {
	s := string(f.Kind)
	if f.Status != 0 {
		s += fmt.Sprintf(" --status %d", f.Status)
	}
	if f.Delay != 0 {
		s += fmt.Sprintf(" --delay %s", f.Delay)
	}
	if f.RetryAfter != 0 {
		s += fmt.Sprintf(" --retry-after %s", f.RetryAfter)
	}
	if f.Match != "" {
		s += fmt.Sprintf(" --match %q", f.Match)
	}
	if f.Count != 0 {
		s += fmt.Sprintf(" --count %d", f.Count)
	}
	return s
}
