package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/docrun"
	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/lab"
)

// The faults that docs/tutorials/two-datacentres.md says two data centres outlive, with that page's haproxy.cfg and hawser.yaml.

// siteFault happens to the site that has the address.
type siteFault struct {
	what string
	// from is the site at which the address is before, visitors the site of those who are not to be without it for long.
	from, visitors string
	happen         func(c *twoSites, b *testing.B, holder string)
	undo           func(c *twoSites, b *testing.B, holder string)
	goal           float64 // ms
}

func siteFaults() []siteFault {
	power := func(names func(c *twoSites) []string) (cut, back func(c *twoSites, b *testing.B, holder string)) {
		return func(c *twoSites, b *testing.B, _ string) {
				for _, n := range names(c) {
					require.NoError(b, c.Kill(n))
				}
			}, func(c *twoSites, b *testing.B, _ string) {
				for _, n := range names(c) {
					require.NoError(b, c.Boot(context.Background(), n))
				}
			}
	}
	one, oneBack := power(func(*twoSites) []string { return []string{"app-1"} })
	servers, serversBack := power(func(c *twoSites) []string { return c.siteNodes(lab.AppServer, "main") })
	site, siteBack := power(func(c *twoSites) []string { return c.siteNodes(lab.Balancer, "main") })
	third, thirdBack := power(func(*twoSites) []string { return []string{"qnetd"} })
	return []siteFault{
		{"a server", "main", "main", one, oneBack, 10000},
		{"all servers of the site that has the address", "main", "main", servers, serversBack, 8300},
		{"HAProxy", "main", "main", func(c *twoSites, b *testing.B, holder string) { c.killHAProxy(b, holder, "KILL") }, nil, 200},
		{"the balancer that has the address", "main", "main",
			func(c *twoSites, b *testing.B, holder string) { require.NoError(b, c.Kill(holder)) },
			func(c *twoSites, b *testing.B, holder string) {
				require.NoError(b, c.Boot(context.Background(), holder))
			}, 2000},
		{"the site that has the address", "main", "reserve", site, siteBack, 4000},
		{"the link, with the address where the vote is", "main", "main",
			func(c *twoSites, b *testing.B, _ string) { require.NoError(b, c.Cut("main", "reserve")) },
			func(c *twoSites, b *testing.B, _ string) { require.NoError(b, c.Heal()) }, 100},
		{"the link, with the address where the vote is not", "reserve", "main",
			func(c *twoSites, b *testing.B, _ string) { require.NoError(b, c.Cut("main", "reserve")) },
			func(c *twoSites, b *testing.B, _ string) { require.NoError(b, c.Heal()) }, 4000},
		{"corosync-qnetd", "main", "main", third, thirdBack, 100},
	}
}

// BenchmarkTwoSites has each fault happen to two data centres, and measures how long a visitor of the site that goes on is not served.
func BenchmarkTwoSites(b *testing.B) {
	const times = 3
	_, err := sharedLab() // which says what is missing
	require.NoError(b, err)
	sites, err := lab.ParseSites("2x2")
	require.NoError(b, err)
	l, err := bringUp(b.Context(), lab.Options{Name: labName() + "-sites", Overlay: os.Getenv("HAWSER_OVERLAY"), Progress: os.Stderr,
		Sites: sites, Qnetd: lab.QnetdVotes})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, l.Down(context.Background())) })
	c := &twoSites{&cluster{l}}
	page, err := docrun.Read("../docs/tutorials/two-datacentres.md")
	require.NoError(b, err)
	for _, s := range page.Steps {
		for _, n := range c.Nodes(lab.Balancer) {
			if s.Path != "" {
				c.run(b, n.Name, "mkdir", "-p", "/etc/hawser")
				c.write(b, n.Name, s.Path, s.Text)
			}
		}
	}
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", "/etc/hawser/hawser.yaml")
	for _, f := range siteFaults() {
		var gaps []time.Duration
		for range times {
			c.allOnline(b)
			c.settled(b)
			require.NoError(b, c.WaitVotes(b.Context()))
			holder := c.lanServed(b)
			if there := c.siteNodes(lab.Balancer, f.from); !slices.Contains(there, holder) {
				c.hold(b, there[0])
				holder = there[0]
			}
			visitors, err := c.StartLoad(b.Context(), c.clientOf(f.visitors), load.Plan{URL: lanPage, Every: 5 * time.Millisecond, Timeout: 500 * time.Millisecond})
			require.NoError(b, err)
			time.Sleep(500 * time.Millisecond) // a part of the measurement
			f.happen(c, b, holder)
			asked := visitors.Progress()
			eventually(b, time.Minute, "the visitors are served again", func() error {
				if now := visitors.Progress(); now.OK < asked.OK+1500 {
					return fmt.Errorf("%d good answers after the loss of %s", now.OK-asked.OK, f.what)
				}
				return nil
			})
			r, err := visitors.Stop()
			require.NoError(b, err)
			b.Logf("%s: %s", f.what, r)
			gaps = append(gaps, r.LongestGap)
			if f.undo != nil {
				f.undo(c, b, holder)
			}
		}
		slices.Sort(gaps)
		report.Record(b, report.Row{Section: report.SectionSites, What: "lost: " + f.what,
			Ours: report.Figure{Name: "hawser", Value: ms(gaps[len(gaps)/2]), Unit: "ms",
				Detail: fmt.Sprintf("longest gap, median of %d, %.0f–%.0f", len(gaps), ms(gaps[0]), ms(gaps[len(gaps)-1]))},
			Goals: []report.Goal{report.AtMost(f.goal)},
			Note:  "Seen by a visitor at the site " + f.visitors + "; the address was at " + f.from + "."})
	}
	c.run(b, "lb-1", "hawser", "destroy", "--yes")
	require.NotContains(b, strings.Join(c.lookAtHolders(), " "), "lb")
}
