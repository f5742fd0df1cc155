package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/lab"
)

// How long a client on the same LAN is not served when something dies: hawser next to keepalived,
// on the same nodes in the same run. The client makes a new connection every 2 ms, regardless of
// the earlier ones.

// lanConfigured gives every balancer a configuration of HAProxy that binds all addresses, so that the one on the LAN needs no mention.
func (c *cluster) lanConfigured(t testing.TB) {
	t.Helper()
	for _, n := range c.Nodes(lab.Balancer) {
		c.run(t, n.Name, "cp", "/etc/haproxy/haproxy.cfg", "/etc/haproxy/lan.cfg")
		c.edit(t, n.Name, "/etc/haproxy/lan.cfg", `bind "${HAWSER_ANCHOR_IP}:80"`, "bind :80")
	}
}

// killHAProxy sends a signal to HAProxy's master and workers at once, and to nothing else that is called haproxy.
func (c *cluster) killHAProxy(t testing.TB, node, signal string) {
	t.Helper()
	c.run(t, node, "sh", "-c", `found=
for exe in /proc/[0-9]*/exe; do
	case "$(readlink $exe)" in /usr/sbin/haproxy*) pid=${exe#/proc/}; found="$found ${pid%/exe}";; esac
done
[ -n "$found" ] || exit 1
for pid in $found; do kill -`+signal+` $pid 2>/dev/null; done; true`) // a check of the configuration may have ended meanwhile
}

const benchLANYAML = `fencing: off
haproxy:
  config: /etc/haproxy/lan.cfg
floating_ips:
  - name: VIP
    ip: 198.51.100.200
    provider: lan
`

// contender is one way of keeping the address.
type contender struct {
	name string
	up   func(c *cluster, b *testing.B)
	// repair restores a node to what up made of it.
	repair func(c *cluster, b *testing.B, node string)
}

func hawserIs(name string) contender { return hawserWith(name, benchLANYAML) }

// hawserWith has hawser apply a hawser.yaml whose only address on the LAN is VIP.
func hawserWith(name, yaml string) contender {
	return contender{
		name: name,
		up: func(c *cluster, b *testing.B) {
			c.write(b, "lb-1", yamlPath, yaml)
			c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
			c.lanServed(b)
		},
		repair: func(c *cluster, b *testing.B, _ string) {
			c.allOnline(b)
			// A failure that is recorded after it was to be forgotten keeps HAProxy off its node, so both are asked for until they are so.
			eventually(b, time.Minute, "failures are forgotten, and every HAProxy runs", func() error {
				if _, err := c.try("lb-1", "crm_resource", "--cleanup"); err != nil {
					return err
				}
				c.settled(b)
				return c.everyHAProxyRuns()
			})
			// Every time on another balancer: the third crash within a minute is one that the keeper hands over, and another case.
			nodes := c.others()
			c.hold(b, nodes[(slices.Index(nodes, c.lanServed(b))+1)%len(nodes)])
		},
	}
}

func keepalivedIs(k keepalived) contender {
	return contender{
		name: k.name,
		up:   func(c *cluster, b *testing.B) { k.everywhere(c, b) },
		repair: func(c *cluster, b *testing.B, node string) {
			c.allOnline(b)
			k.stop(c, b, node)
			k.start(c, b, node)
		},
	}
}

// everyHAProxyRuns is an error unless HAProxy answers on every balancer itself.
func (c *cluster) everyHAProxyRuns() error {
	for _, n := range c.Nodes(lab.Balancer) {
		if _, err := c.try(n.Name, "curl", "--silent", "--fail", "--max-time", "2", "--output", "/dev/null", "http://127.0.0.1/"); err != nil {
			return err
		}
	}
	return nil
}

// fault is something that happens to the balancer that has the address.
type fault struct {
	name string
	// prepare runs before the client asks.
	prepare func(c *cluster, b *testing.B, holder string)
	happen  func(c *cluster, b *testing.B, holder string)
	// after restores what the contender does not know about.
	after func(c *cluster, b *testing.B, holder string)
}

var haproxyKilled = fault{name: "HAProxy killed -9", happen: func(c *cluster, b *testing.B, holder string) { c.killHAProxy(b, holder, "KILL") }}

var haproxyHangs = fault{
	name:   "HAProxy hangs (SIGSTOP)",
	happen: func(c *cluster, b *testing.B, holder string) { c.killHAProxy(b, holder, "STOP") },
	after: func(c *cluster, _ *testing.B, holder string) {
		_, _ = c.try(holder, "sh", "-c", "kill -CONT $(pidof haproxy)") // replaced by now where it was noticed
	},
}

var nodeLost = fault{
	name:   "node lost",
	happen: func(c *cluster, b *testing.B, holder string) { require.NoError(b, c.Kill(holder)) },
	after: func(c *cluster, b *testing.B, holder string) {
		require.NoError(b, c.Boot(context.Background(), holder))
	},
}

var rebooted = fault{
	name: "planned reboot",
	happen: func(c *cluster, b *testing.B, holder string) {
		// keepalived is not the lab's own service: what systemd does at shutdown is done here.
		keepalived{}.terminate(c, b, holder)
		require.NoError(b, c.Shutdown(context.Background(), holder))
	},
	after: nodeLost.after,
}

// rounds is how often each is done; the moments of the faults are spread over the two seconds of the peer's script.
const rounds = 5

// outages has the fault happen to the contender, and returns what the client saw of each.
func (c *cluster) outages(b *testing.B, who contender, f fault) []load.Report {
	b.Helper()
	var all []load.Report
	for round := range rounds {
		holder := c.lanServed(b)
		if f.prepare != nil {
			f.prepare(c, b, holder)
			holder = c.lanServed(b)
		}
		clients, err := c.StartLoad(b.Context(), "client", load.Plan{URL: lanPage, Every: 2 * time.Millisecond, Timeout: 10 * time.Second})
		require.NoError(b, err)
		time.Sleep(500*time.Millisecond + time.Duration(round)*2*time.Second/rounds) // a part of the measurement
		f.happen(c, b, holder)
		asked := clients.Progress()
		eventually(b, time.Minute, "the client is served again", func() error {
			if now := clients.Progress(); now.OK < asked.OK+500 {
				return fmt.Errorf("%d good answers after %s, %d failures", now.OK-asked.OK, f.name, now.Failed-asked.Failed)
			}
			return nil
		})
		r, err := clients.Stop()
		require.NoError(b, err)
		b.Logf("%s, %s, round %d: %s", who.name, f.name, round, r)
		all = append(all, r)
		if f.after != nil {
			f.after(c, b, holder)
		}
		who.repair(c, b, holder)
	}
	return all
}

// gapOf is the figure of a contender: the median of the longest gaps, together with the worst.
func gapOf(who contender, all []load.Report) report.Figure {
	var gaps, waits []time.Duration
	var refused, lost int
	for _, r := range all {
		gaps, waits = append(gaps, r.LongestGap), append(waits, r.Max)
		refused += r.Count(load.Refused)
		lost += r.Count(load.ResetAfter, load.CutOff, load.AnswerTimeout)
	}
	slices.Sort(gaps)
	return report.Figure{
		Name: who.name, Value: ms(gaps[len(gaps)/2]), Unit: "ms",
		Detail: fmt.Sprintf("longest gap, median of %d, %.0f–%.0f", len(all), ms(gaps[0]), ms(gaps[len(gaps)-1])),
		More: []report.Figure{
			{Name: "worst gap", Value: ms(gaps[len(gaps)-1]), Unit: "ms"}, {Name: "refused", Value: float64(refused)},
			{Name: "lost after they had asked", Value: float64(lost)}, {Name: "longest wait", Value: ms(slices.Max(waits)), Unit: "ms"},
		},
	}
}

// beside measures the same fault with keepalived in both its configurations.
func (c *cluster) beside(b *testing.B, f fault) []report.Figure {
	b.Helper()
	var figures []report.Figure
	for _, k := range []keepalived{keepalivedUsual, keepalivedTuned} {
		measured := b.Run("keepalived", func(b *testing.B) { // its cleanup makes room for the next
			who := keepalivedIs(k)
			who.up(c, b)
			figures = append(figures, gapOf(who, c.outages(b, who, f)))
		})
		if !measured {
			b.FailNow() // it has said why
		}
	}
	return figures
}

// worst is a row about the worst figure of that name, which the promises are about.
func worst(section, what, name string, ours report.Figure, goal float64) report.Row {
	for _, f := range ours.More {
		if f.Name == name {
			return report.Row{Section: section, What: what + ": " + name, Ours: report.Figure{Name: ours.Name, Value: f.Value, Unit: f.Unit}, Goals: []report.Goal{report.AtMost(goal)}}
		}
	}
	panic("no figure " + name)
}

// controller is the node of Pacemaker's designated controller.
func (c *cluster) controller() (string, error) {
	out, err := c.try(c.others()[0], "crm_mon", "-1", "--output-as=xml")
	if err != nil {
		return "", err
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromString(out); err != nil {
		return "", err
	}
	if dc := doc.FindElement("//current_dc"); dc != nil {
		if name := dc.SelectAttrValue("name", ""); name != "" {
			return name, nil
		}
	}
	return "", errors.New("there is no DC")
}

// holdOn has the address on the controller's node, or on another one.
func (c *cluster) holdOn(b testing.TB, controller bool) {
	b.Helper()
	dc, err := c.controller()
	require.NoError(b, err)
	holder := c.lanServed(b)
	if (holder == dc) == controller {
		return
	}
	if controller {
		c.hold(b, dc)
	} else {
		c.hold(b, c.others(dc)[0])
	}
}

// hold has the address on a node.
func (c *cluster) hold(b testing.TB, target string) {
	b.Helper()
	c.run(b, "lb-1", "crm_resource", "--resource", "VIP", "--move", "--node", target)
	eventually(b, 30*time.Second, "the address is on "+target, func() error {
		now, err := c.lanHolder()
		if err == nil && now != target {
			err = fmt.Errorf("it is on %s", now)
		}
		return err
	})
	c.run(b, "lb-1", "crm_resource", "--resource", "VIP", "--clear")
	c.settled(b)
}

// keeperKilled has the keeper killed a moment before HAProxy.
var keeperKilled = fault{
	name: "keeper killed -9, then HAProxy",
	happen: func(c *cluster, b *testing.B, holder string) {
		c.run(b, holder, "pkill", "-KILL", "-x", "hawser-keeper")
		c.killHAProxy(b, holder, "KILL")
	},
}

// keepersKilled leaves only the recurring monitor to notice.
var keepersKilled = fault{
	name: "keeper and standby killed -9 at once, then HAProxy",
	happen: func(c *cluster, b *testing.B, holder string) {
		c.run(b, holder, "pkill", "-KILL", "hawser-(keeper|standby)")
		c.killHAProxy(b, holder, "KILL")
	},
}

// restartFails has HAProxy killed where it cannot be started again.
var restartFails = fault{
	name: "HAProxy killed -9, its binary gone",
	prepare: func(c *cluster, b *testing.B, holder string) {
		c.run(b, holder, "mv", "/usr/sbin/haproxy", "/usr/sbin/haproxy.gone")
	},
	happen: haproxyKilled.happen,
	after: func(c *cluster, b *testing.B, holder string) {
		c.run(b, holder, "mv", "/usr/sbin/haproxy.gone", "/usr/sbin/haproxy")
	},
}

// BenchmarkHAProxyKilled kills HAProxy's master and workers on the balancer that has the address, under load.
func BenchmarkHAProxyKilled(b *testing.B) {
	c := fresh(b)
	c.lanConfigured(b)
	peers := c.beside(b, haproxyKilled)
	ours := c.ours(b, haproxyKilled)
	report.Record(b, report.Row{
		Section: report.SectionCrash, What: haproxyKilled.name, Ours: ours, Theirs: peers, Goals: []report.Goal{report.AtMost(200), report.RatioAtMost(1. / 8)},
	})
	report.Record(b, worst(report.SectionCrash, haproxyKilled.name, "longest wait", ours, 200))
	report.Record(b, worst(report.SectionCrash, haproxyKilled.name, "refused", ours, 0))
	const alone = "The peers' figures are those of HAProxy killed: nobody starts it again there."
	for _, f := range []fault{keeperKilled, restartFails} {
		report.Record(b, report.Row{
			Section: report.SectionCrash, What: f.name, Ours: c.ours(b, f), Theirs: peers, Goals: []report.Goal{report.AtMost(300), report.RatioAtMost(1. / 8)}, Note: alone,
		})
	}
	report.Record(b, report.Row{
		Section: report.SectionCrash, What: keepersKilled.name, Ours: c.ours(b, keepersKilled), Theirs: peers,
		Note: alone + " Only the recurring monitor is left, every 15 s.",
	})
}

// ours is hawser's figure for a fault.
func (c *cluster) ours(b *testing.B, f fault) (figure report.Figure) {
	b.Helper()
	measured := b.Run("hawser", func(b *testing.B) {
		who := hawserIs("hawser")
		who.up(c, b)
		figure = gapOf(who, c.outages(b, who, f))
	})
	if !measured {
		b.FailNow() // it has said why
	}
	return figure
}

// BenchmarkHAProxyHangs stops HAProxy's processes, so that the kernel keeps accepting connections
// that nobody answers.
func BenchmarkHAProxyHangs(b *testing.B) {
	c := fresh(b)
	c.lanConfigured(b)
	peers := c.beside(b, haproxyHangs)
	ours := c.ours(b, haproxyHangs)
	report.Record(b, report.Row{Section: report.SectionCrash, What: haproxyHangs.name, Ours: ours, Theirs: peers, Goals: []report.Goal{report.AtMost(4000)}})
}

// BenchmarkNodeLost cuts the power of the balancer that has the address: once where it is the cluster's controller, once where it is
// not.
func BenchmarkNodeLost(b *testing.B) {
	c := fresh(b)
	c.lanConfigured(b)
	peers := c.beside(b, nodeLost)
	for _, controller := range []bool{false, true} {
		who := hawserIs("hawser, the lost node not the DC")
		if controller {
			who = hawserIs("hawser, the lost node the DC")
		}
		f := nodeLost
		f.prepare = func(c *cluster, b *testing.B, _ string) { c.holdOn(b, controller) }
		b.Run(strings.ReplaceAll(who.name, " ", "-"), func(b *testing.B) {
			who.up(c, b)
			ours := gapOf(who, c.outages(b, who, f))
			report.Record(b, report.Row{
				Section: report.SectionLost, What: "power cut, " + who.name, Ours: ours, Theirs: peers,
				Goals: []report.Goal{report.AtMost(2000), report.RatioAtMost(1)},
			})
		})
	}
}

// BenchmarkPlannedReboot shuts the balancer down that has the address.
func BenchmarkPlannedReboot(b *testing.B) {
	c := fresh(b)
	c.lanConfigured(b)
	peers := c.beside(b, rebooted)
	ours := c.ours(b, rebooted)
	report.Record(b, report.Row{Section: report.SectionMoves, What: "reboot of the active node, new connections", Ours: ours, Theirs: peers, Goals: []report.Goal{report.AtMost(150)}})
}
