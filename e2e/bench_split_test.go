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

// split is one division of the cluster, as it was seen from outside.
type split struct {
	served time.Duration // from the division until the other side serves the address
	gap    time.Duration // the longest time in which the client got no answer
	twice  time.Duration // for how long two nodes had the address
}

// BenchmarkSplit cuts the node that has an address on a LAN off from the others, with the client and the cloud in reach of both sides: with
// fencing by fence_droplet, and with `fencing: off`.
func BenchmarkSplit(b *testing.B) {
	with, without := divisions(b, fencedYAML), divisions(b, benchLANYAML)
	figure := func(name string, all []split, of func(split) time.Duration) report.Figure {
		times := make([]time.Duration, len(all))
		for i, s := range all {
			times[i] = of(s)
		}
		return spread(name, times)
	}
	const ours, theirs = "fence_droplet", "fencing: off, no-quorum-policy=stop"
	served := func(s split) time.Duration { return s.served }
	report.Record(b, report.Row{Section: report.SectionLost, What: "the node with the address is cut off from the others, until they serve it",
		Ours: figure(ours, with, served), Theirs: []report.Figure{figure(theirs, without, served)},
		Note: "The simulated cloud takes 1 s for the power-off, which a real one takes longer for. Corosync's token is the laboratory's. " +
			"Without fencing the other side does not wait for the old holder to let go."})
	gap := func(s split) time.Duration { return s.gap }
	report.Record(b, report.Row{Section: report.SectionLost, What: "the same: longest gap that a client on the LAN sees",
		Ours: figure(ours, with, gap), Theirs: []report.Figure{figure(theirs, without, gap)}})
	twice := func(s split) time.Duration { return s.twice }
	report.Record(b, report.Row{Section: report.SectionLost, What: "the same: two nodes hold the address", Goals: []report.Goal{report.AtMost(0)},
		Ours: figure(ours, with, twice), Theirs: []report.Figure{figure(theirs, without, twice)},
		Note: fmt.Sprintf("Seen from the nodes' network namespaces, looked at every %s.", sampleEvery)})
}

// divisions divides the cluster again and again, and puts it together each time.
func divisions(b *testing.B, yaml string) (all []split) {
	c := fresh(b)
	c.lanConfigured(b)
	c.write(b, "lb-1", yamlPath, yaml)
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	for round := range rounds {
		c.settled(b)
		old := c.lanServed(b)
		clients, err := c.StartLoad(b.Context(), "client", load.Plan{URL: lanPage, Every: 2 * time.Millisecond, Timeout: 10 * time.Second})
		require.NoError(b, err)
		stop := c.watchHolders(b)
		began := time.Now()
		c.divide(b, old)
		eventually(b, time.Minute, "the other side serves the address", func() error {
			if now, err := c.lanHolder(); err != nil || now == old {
				return fmt.Errorf("it is on %q: %w", now, err)
			}
			return c.getFrom(lanPage)
		})
		r, err := clients.Stop()
		require.NoError(b, err)
		seen := stop()
		at := slices.IndexFunc(seen.changes, func(h holding) bool { return slices.ContainsFunc(h.nodes, func(n string) bool { return n != old }) })
		require.GreaterOrEqual(b, at, 0, "%s", seen)
		all = append(all, split{seen.changes[at].at.Sub(began), r.LongestGap, seen.twice()})
		b.Logf("round %d: %s; %s", round, seen, r)
		require.NoError(b, c.Heal())
		c.allOnline(b)
		eventually(b, time.Minute, "every HAProxy runs", func() error {
			if _, err := c.try("lb-1", "crm_resource", "--cleanup"); err != nil {
				return err
			}
			c.settled(b)
			return c.everyHAProxyRuns()
		})
	}
	return all
}
