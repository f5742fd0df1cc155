package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/plot"
	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/lab"
)

// sizes are the clusters' numbers of nodes. All their daemons share this machine's cores, so a larger one is given a longer token: what is
// measured here waits for no token, and a membership that flaps would be all that is measured.
var sizes = []struct {
	nodes int
	totem corosync.Timing
}{
	{3, corosync.LAN},
	{5, corosync.Timing{Token: 2 * time.Second}},
	{9, corosync.Timing{Token: 5 * time.Second}},
}

// sized is what was measured of a cluster of so many nodes.
type sized struct {
	apply, crmsh took
	reload       time.Duration
	crash        []load.Report
}

// BenchmarkClusters brings clusters of several sizes up, and measures how long it takes until all nodes do what one was told.
func BenchmarkClusters(b *testing.B) {
	all := make([]sized, len(sizes))
	how := ""
	for i, s := range sizes {
		b.Run(strconv.Itoa(s.nodes), func(b *testing.B) {
			c := ofSize(b, s.nodes, s.totem)
			how = c.reloadCommand()
			all[i] = c.measureSize(b)
			b.Logf("apply %v, crmsh %v, reload %v", all[i].apply, all[i].crmsh, all[i].reload)
		})
		if b.Failed() {
			return
		}
	}
	apply, reload, crash := plot.Series{Name: "apply, until all of it runs"}, plot.Series{Name: "every HAProxy reloaded"}, plot.Series{Name: "gap after a crash"}
	for i, s := range sizes {
		on := fmt.Sprintf("%d nodes: ", s.nodes)
		token := fmt.Sprintf("Corosync's token is %v; all nodes share this machine's cores.", s.totem.In(s.nodes).Token)
		report.Record(b, report.Row{Section: report.SectionGrowth, What: on + "apply, until all of it runs", Note: token,
			Ours: all[i].apply.figure("hawser apply"), Theirs: []report.Figure{all[i].crmsh.figure("crm configure load update; crm_resource --wait")}})
		report.Record(b, report.Row{Section: report.SectionGrowth, What: on + "reload of every HAProxy", Note: token,
			Ours: report.Figure{Name: how, Value: ms(all[i].reload), Unit: "ms", Detail: fmt.Sprintf("until the last new worker had started, median of %d", reloadRounds)}})
		gap := gapOf(hawserIs("hawser"), all[i].crash)
		report.Record(b, report.Row{Section: report.SectionGrowth, What: on + "HAProxy killed -9 where the address is", Ours: gap, Note: token})
		for _, p := range []struct {
			series *plot.Series
			value  float64
		}{{&apply, ms(all[i].apply.wall)}, {&reload, ms(all[i].reload)}, {&crash, gap.Value}} {
			p.series.X, p.series.Y = append(p.series.X, float64(s.nodes)), append(p.series.Y, p.value)
		}
	}
	svg, err := plot.Lines(plot.Labels{Title: "Clusters of several sizes on one machine", X: "nodes", Y: "ms", LogY: true}, apply, reload, crash)
	require.NoError(b, err)
	report.Illustrate(b, report.Plot{Section: report.SectionGrowth, File: "plots/clusters.svg",
		Caption: "What grows with the number of nodes. They share one machine's cores, which nodes of a real cluster do not."}, svg)
}

// ofSize brings up a cluster of its own beside the shared one.
func ofSize(b *testing.B, nodes int, t corosync.Timing) *cluster {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	l, err := bringUp(ctx, lab.Options{Name: fmt.Sprintf("%s-%d", labName(), nodes), Overlay: os.Getenv("HAWSER_OVERLAY"), Nodes: nodes, Totem: t, Progress: os.Stderr})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, l.Down(context.Background())) })
	c := &cluster{l}
	c.allOnline(b)
	c.run(b, "lb-1", "crm_attribute", "--name", "stonith-enabled", "--update", "false")
	c.lanConfigured(b)
	c.equip(b, "lb-1")
	return c
}

func (c *cluster) measureSize(b *testing.B) (s sized) {
	b.Helper()
	c.write(b, "lb-1", yamlPath, benchLANYAML)
	began := func() {
		c.lanServed(b)
		eventually(b, time.Minute, "HAProxy answers on every balancer", c.everyHAProxyRuns)
	}
	s.apply = c.takes(b, 1, func() { c.quiet(b) }, "hawser", "apply", "--yes", "-f", yamlPath)
	began()
	c.write(b, "lb-1", crmScript, c.run(b, "lb-1", "hawser", "configure", "show", "--secrets")+"\n")
	c.erase(b)
	c.run(b, "lb-1", "crm_attribute", "--name", "stonith-enabled", "--update", "false")
	s.crmsh = c.takes(b, 1, func() { c.quiet(b) }, "sh", "-ec", "crm configure load update "+crmScript+"; crm_resource --wait --timeout 100s")
	began()
	// From here on with hawser's own configuration, which the repair after outages expects.
	c.erase(b)
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	began()
	s.reload = c.reloadsEverywhere(b)
	s.crash = c.outages(b, hawserIs("hawser"), haproxyKilled)
	return s
}

// reloadRounds is how often every HAProxy is reloaded.
const reloadRounds = 5

// reloadCommand is how a reload of every node is requested: by the command if there is one,
// otherwise the way it does it.
func (c *cluster) reloadCommand() string {
	if _, err := c.try("lb-1", "hawser", "reload", "--help"); err == nil {
		return "hawser reload"
	}
	return "crm_resource --set-parameter generation"
}

// reloadsEverywhere has every HAProxy reload, and returns the median of the times from the launch of the command until the last new worker had started.
func (c *cluster) reloadsEverywhere(b *testing.B) time.Duration {
	b.Helper()
	var all []time.Duration
	for i := range reloadRounds {
		args := []string{"hawser", "reload", "--yes"}
		if c.reloadCommand() != "hawser reload" {
			args = []string{"crm_resource", "--resource", "haproxy", "--set-parameter", "generation", "--parameter-value", fmt.Sprintf("bench-%d", i)}
		}
		c.quiet(b)
		before := sinceBoot(b)
		c.run(b, "lb-1", args...)
		var last time.Duration
		for _, n := range c.Nodes(lab.Balancer) {
			eventually(b, time.Minute, "HAProxy is reloaded on "+n.Name, func() error {
				at := c.newestWorker(b, n.Name)
				if at <= before {
					return fmt.Errorf("the newest worker is %v old", sinceBoot(b)-at)
				}
				last = max(last, at-before)
				return nil
			})
		}
		all = append(all, last)
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// sinceBoot is the clock by which the kernel tells when a process began. All nodes have the same.
func sinceBoot(b *testing.B) time.Duration {
	b.Helper()
	var now unix.Timespec
	require.NoError(b, unix.ClockGettime(unix.CLOCK_BOOTTIME, &now))
	return time.Duration(now.Nano())
}

// newestWorker is when the node's youngest worker of HAProxy began, to the hundredth of a second. A worker is a child of another HAProxy, which
// the agent's check of a configuration is not.
func (c *cluster) newestWorker(b *testing.B, node string) (newest time.Duration) {
	b.Helper()
	out := c.run(b, node, "sh", "-c", `for exe in /proc/[0-9]*/exe; do
	case "$(readlink $exe)" in /usr/sbin/haproxy*) cat ${exe%exe}stat 2>/dev/null;; esac
done; true`)
	began, parent := map[string]time.Duration{}, map[string]string{}
	for line := range strings.Lines(out) {
		// proc(5): the name, which may hold spaces and brackets, is followed by the state, the parent …; starttime is field 22.
		pid, _, _ := strings.Cut(line, " ")
		fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
		require.Greater(b, len(fields), 19, line)
		ticks, err := strconv.ParseInt(fields[19], 10, 64)
		require.NoError(b, err, line)
		began[pid], parent[pid] = time.Duration(ticks)*(time.Second/100), fields[1] // USER_HZ
	}
	for pid, at := range began {
		if _, ok := began[parent[pid]]; ok {
			newest = max(newest, at)
		}
	}
	return newest
}
