package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/lab"
)

// Interfaces and checks by which an address leaves its node: hawser next to keepalived, as in bench_outage_test.go.

var ownLinkLost = fault{
	name: "the address's interface goes down",
	happen: func(c *cluster, b *testing.B, holder string) {
		c.run(b, holder, "ip", "link", "set", "eth0", "down")
	},
	after: func(c *cluster, b *testing.B, holder string) { // its routes are back with its next boot
		require.NoError(b, c.Kill(holder))
		require.NoError(b, c.Boot(context.Background(), holder))
		c.allOnline(b)
		c.uplink(b, holder)
	},
}

var uplinkLost = fault{
	name: "another interface loses its carrier",
	happen: func(c *cluster, b *testing.B, holder string) {
		c.run(b, holder, "ip", "link", "set", "uplink-far", "down")
	},
	after: func(c *cluster, b *testing.B, holder string) {
		c.run(b, holder, "ip", "link", "set", "uplink-far", "up")
	},
}

// noAnswerThrough leaves HAProxy running, and nothing behind it: it answers at once, with 503.
var noAnswerThrough = fault{
	name:   "the check through the balancer fails",
	happen: func(c *cluster, b *testing.B, holder string) { c.servers(b, holder, "disable") },
	after: func(c *cluster, _ *testing.B, holder string) {
		_, _ = c.try(holder, "perl", "-MIO::Socket::UNIX", "-e", serversScript, "enable") // a HAProxy that was started again has them
	},
}

const serversScript = `for $s ("app-1", "app-2") {
	$c = IO::Socket::UNIX->new("/run/lan-haproxy.sock") or die "no socket: $!";
	print $c "$ARGV[0] server app_pool/$s\n";
	print while <$c>;
}`

func (c *cluster) servers(b *testing.B, node, what string) {
	b.Helper()
	c.run(b, node, "perl", "-MIO::Socket::UNIX", "-e", serversScript, what)
}

// keepalivedTracks is keepalivedUsual, which tracks another interface as well.
func keepalivedTracks() keepalived {
	k := keepalivedUsual
	k.instance = strings.Replace(k.instance, "advert_int 1", "advert_int 1\n\ttrack_interface {\n\t\tuplink\n\t}", 1)
	return k
}

// BenchmarkPlaces takes the carrier of an address's interface away, that of another one which it needs, and what is behind HAProxy.
func BenchmarkPlaces(b *testing.B) {
	c := fresh(b)
	c.lanConfigured(b)
	for _, n := range c.Nodes(lab.Balancer) {
		c.uplink(b, n.Name)
		c.edit(b, n.Name, "/etc/haproxy/lan.cfg", "\tlog /dev/log\tlocal0\n", "\tlog /dev/log\tlocal0\n\tstats socket /run/lan-haproxy.sock mode 600 level admin\n")
	}
	const tracking = benchLANYAML + "    interfaces: [uplink]\n"
	const checking = `fencing: off
haproxy:
  config: /etc/haproxy/lan.cfg
  checks: [{name: service, url: "http://127.0.0.1/ews/healthcheck.htm", every: 2s, fall: 1}]
floating_ips:
  - name: VIP
    ip: 198.51.100.200
    provider: lan
`
	for _, tc := range []struct {
		fault
		yaml  string
		goals []report.Goal
	}{
		{ownLinkLost, tracking, []report.Goal{report.AtMost(1000)}},
		{uplinkLost, tracking, []report.Goal{report.AtMost(1000)}},
		{noAnswerThrough, checking, []report.Goal{report.AtMost(2300)}},
	} {
		var theirs, ours report.Figure
		measured := b.Run("keepalived", func(b *testing.B) {
			who := keepalivedIs(keepalivedTracks())
			who.up(c, b)
			theirs = gapOf(who, c.outages(b, who, tc.fault))
		}) && b.Run("hawser", func(b *testing.B) {
			who := hawserWith("hawser", tc.yaml)
			who.up(c, b)
			ours = gapOf(who, c.outages(b, who, tc.fault))
			c.run(b, "lb-1", "hawser", "destroy", "--yes")
		})
		if !measured {
			b.FailNow() // it has said why
		}
		report.Record(b, report.Row{Section: report.SectionAddress, What: tc.name, Ours: ours,
			Theirs: []report.Figure{theirs}, Goals: tc.goals})
	}
}

// BenchmarkGroup moves a group of eight addresses, each of which has its own visitors.
func BenchmarkGroup(b *testing.B) {
	const members = 8
	c := fresh(b)
	c.lanConfigured(b)
	yaml, names := "fencing: off\nhaproxy:\n  config: /etc/haproxy/lan.cfg\nfloating_ips:\n", []string{}
	address := func(i int) string { return fmt.Sprintf("198.51.100.%d", 200+i) }
	for i := range members {
		names = append(names, fmt.Sprintf("A%d", i))
		yaml += fmt.Sprintf("  - {name: A%d, ip: %s, provider: lan}\n", i, address(i))
	}
	yaml += "groups: [{name: all, addresses: [" + strings.Join(names, ", ") + "]}]\n"
	c.write(b, "lb-1", yamlPath, yaml)
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.lanServed(b)
	var gaps []time.Duration
	for range rounds {
		c.settled(b)
		holder := c.lanServed(b)
		var clients []*lab.Loading
		for i := range members {
			l, err := c.StartLoad(b.Context(), "client", load.Plan{URL: "http://" + address(i) + "/", Every: 10 * time.Millisecond, Timeout: 5 * time.Second})
			require.NoError(b, err)
			clients = append(clients, l)
		}
		to := c.others(holder)[0]
		c.run(b, to, "hawser", "move", "A3", to, "--yes")
		time.Sleep(1500 * time.Millisecond) // a SYN that was lost is sent again after a second
		for i, l := range clients {
			r, err := l.Stop()
			require.NoError(b, err)
			b.Logf("%s: %s", names[i], r)
			gaps = append(gaps, r.LongestGap)
		}
		c.areOn(b, to, lanIP, address(members-1))
	}
	c.run(b, "lb-1", "hawser", "destroy", "--yes")
	slices.Sort(gaps)
	report.Record(b, report.Row{Section: report.SectionMoves, What: "a group of eight addresses, longest gap of any",
		Ours: report.Figure{Name: "hawser move", Value: ms(gaps[len(gaps)-1]), Unit: "ms",
			Detail: fmt.Sprintf("the longest of %d, median %.0f ms", len(gaps), ms(gaps[len(gaps)/2]))},
		Goals: []report.Goal{report.AtMost(250)}})
}
