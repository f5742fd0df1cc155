package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/report"
)

// departure is a way in which an address leaves its node, and how to undo what that left behind.
type departure struct {
	what      string
	leave     func(b *testing.B, c *cluster, holder, other string)
	afterward func(b *testing.B, c *cluster, holder, other string)
}

var (
	byMove = departure{
		what: "hawser move",
		leave: func(b *testing.B, c *cluster, _, other string) {
			c.run(b, other, "hawser", "move", "FloatIP", other, "--yes")
		},
	}
	byStandby = departure{
		what: "the active node put into standby",
		leave: func(b *testing.B, c *cluster, holder, other string) {
			c.run(b, other, "crm_attribute", "--node", holder, "--name", "standby", "--update", "on")
		},
		afterward: func(b *testing.B, c *cluster, holder, other string) {
			c.run(b, other, "crm_attribute", "--node", holder, "--name", "standby", "--delete")
		},
	}
	byShutdown = departure{
		what:  "the active node shut down",
		leave: func(b *testing.B, c *cluster, holder, _ string) { require.NoError(b, c.Shutdown(b.Context(), holder)) },
		afterward: func(b *testing.B, c *cluster, holder, _ string) {
			require.NoError(b, c.Boot(b.Context(), holder))
			c.allOnline(b)
		},
	}
	// What the keeper does when a restart in place does not help.
	byFailure = departure{
		what: "HAProxy's failure told to Pacemaker",
		leave: func(b *testing.B, c *cluster, holder, other string) {
			c.run(b, other, "crm_resource", "--fail", "--resource", "haproxy", "--node", holder)
		},
		afterward: func(b *testing.B, c *cluster, _, other string) {
			c.run(b, other, "crm_resource", "--cleanup", "--resource", "haproxy")
		},
	}
)

// outage is what a client saw of some departures.
type outage struct {
	gaps             []time.Duration
	requests, failed int
	refused          int
}

// depart lets the address leave its node some times, under a request every two milliseconds.
func (c *cluster) depart(b *testing.B, d departure, times int) outage {
	b.Helper()
	var o outage
	for range times {
		c.settled(b)
		holder, err := c.lanHolder()
		require.NoError(b, err)
		other := c.others(holder)[0]
		l, err := c.StartLoad(b.Context(), "client", load.Plan{URL: lanPage, Every: 2 * time.Millisecond, Timeout: 5 * time.Second})
		require.NoError(b, err)
		d.leave(b, c, holder, other)
		eventually(b, 30*time.Second, "the address leaves "+holder, func() error {
			at, err := c.lanHolder()
			if err == nil && at == holder {
				err = fmt.Errorf("it is still there")
			}
			return err
		})
		// A SYN that was lost is sent again after a second: what became of those clients belongs to the outage.
		time.Sleep(1500 * time.Millisecond)
		r, err := l.Stop()
		require.NoError(b, err)
		o.gaps = append(o.gaps, r.LongestGap)
		o.requests, o.failed, o.refused = o.requests+r.Requests, o.failed+r.Failed, o.refused+r.Count(load.Refused)
		if d.afterward != nil {
			d.afterward(b, c, holder, other)
		}
	}
	slices.Sort(o.gaps)
	return o
}

// figure is the longest of the gaps.
func (o outage) figure(name string) report.Figure {
	return report.Figure{Name: name, Value: ms(o.gaps[len(o.gaps)-1]), Unit: "ms",
		Detail: fmt.Sprintf("longest gap of %d, median %.0f ms", len(o.gaps), ms(o.gaps[len(o.gaps)/2])),
		More: []report.Figure{{Name: "requests", Value: float64(o.requests)}, {Name: "refused", Value: float64(o.refused)},
			{Name: "failed otherwise", Value: float64(o.failed - o.refused)}}}
}

// BenchmarkMove measures for how long a client on the LAN is without an answer when the address leaves its node on purpose, or because
// HAProxy's failure was told to Pacemaker.
func BenchmarkMove(b *testing.B) {
	c := onLAN(b, moveYAML)
	for name, d := range map[string]departure{"move": byMove, "standby": byStandby, "shutdown": byShutdown} {
		b.Run(name, func(b *testing.B) {
			report.Record(b, report.Row{Section: report.SectionMoves, What: d.what, Ours: c.depart(b, d, 5).figure("hawser"), Goals: []report.Goal{report.AtMost(150)},
				Note: "a request every 2 ms, each on a connection of its own; the longest time between two answers. Requests that were inside the old node when the address left fail on a LAN"})
		})
	}
	b.Run("failure", func(b *testing.B) {
		report.Record(b, report.Row{Section: report.SectionMoves, What: byFailure.what, Ours: c.depart(b, byFailure, 5).figure("crm_resource --fail"), Goals: []report.Goal{report.AtMost(300)}})
	})
}

// BenchmarkOrder compares what docs/decisions/0015 chose between: the orders in which the address and HAProxy may leave a node.
func BenchmarkOrder(b *testing.B) {
	c := onLAN(b, moveYAML)
	for name, d := range map[string]departure{"standby": byStandby, "failure": byFailure} {
		b.Run(name, func(b *testing.B) {
			row := report.Row{Section: report.SectionMoves, What: "order of leaving: " + d.what, Ours: c.depart(b, d, 3).figure("stop FloatIP before HAProxy, Optional")}
			c.run(b, "lb-1", "hawser", "configure", "delete", "--force", "FloatIP-leaves-first")
			row.Theirs = append(row.Theirs, c.depart(b, d, 3).figure("no order"))
			for _, kind := range []string{"Optional", "Mandatory"} {
				c.run(b, "lb-1", "hawser", "configure", "order", "other", kind+":", "haproxy-clone", "FloatIP")
				row.Theirs = append(row.Theirs, c.depart(b, d, 3).figure(kind+" haproxy-clone then FloatIP"))
				c.run(b, "lb-1", "hawser", "configure", "delete", "--force", "other")
			}
			report.Record(b, row)
			c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
		})
	}
}

// BenchmarkWhereServed compares where an address goes while HAProxy on the node that it left before still ends a connection that is open:
// with the constraint by which it prefers nodes whose HAProxy serves, and without.
func BenchmarkWhereServed(b *testing.B) {
	c := onLAN(b, moveYAML)
	inTurn := byStandby
	inTurn.leave = func(b *testing.B, c *cluster, holder, other string) {
		c.open(b, holder) // HAProxy's stop takes all of stop_grace
		byStandby.leave(b, c, holder, other)
	}
	const without = "without FloatIP-where-served"
	row := report.Row{Section: report.SectionMoves, What: "one node after the other put into standby, an open connection on each",
		Ours: c.depart(b, inTurn, 6).figure("hawser"), Goals: []report.Goal{report.AtMost(150)}}
	c.run(b, "lb-1", "hawser", "configure", "delete", "--force", "FloatIP-where-served")
	row.Theirs = append(row.Theirs, c.depart(b, inTurn, 6).figure(without))
	report.Record(b, row)
}
