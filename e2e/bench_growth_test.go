package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/plot"
	"github.com/hawser-ha/hawser/internal/report"
)

// populations are how many resources of others stand in the CIB.
var populations = []int{10, 100, 1000}

// populate gives the cluster so many stopped resources that are nothing to hawser, and on each node the history that the probe of each of
// them leaves, which is most of such a CIB. The probes themselves are not run: 3,000 of them take Pacemaker more than five minutes here.
func (c *cluster) populate(b *testing.B, n int) {
	b.Helper()
	c.run(b, "lb-1", "crm_attribute", "--name", "stonith-enabled", "--update", "false")
	c.run(b, "lb-1", "crm_attribute", "--name", "enable-startup-probes", "--update", "false")
	var resources, status strings.Builder
	resources.WriteString("<resources>\n")
	for i := range n {
		fmt.Fprintf(&resources, `<primitive id="other-%d" class="ocf" provider="pacemaker" type="Dummy"><meta_attributes id="other-%d-meta">`+
			`<nvpair id="other-%d-target-role" name="target-role" value="Stopped"/></meta_attributes><operations>`+
			`<op id="other-%d-monitor" name="monitor" interval="10s" timeout="20s"/></operations></primitive>`+"\n", i, i, i, i)
	}
	resources.WriteString("</resources>\n")
	status.WriteString("<status>\n")
	for _, node := range c.ids(b) {
		fmt.Fprintf(&status, `<node_state id="%s" uname="%s"><lrm id="%s"><lrm_resources>`+"\n", node.id, node.name, node.id)
		for i := range n {
			// The digest is that of no parameters; the rest is as a probe leaves it.
			fmt.Fprintf(&status, `<lrm_resource id="other-%d" type="Dummy" class="ocf" provider="pacemaker"><lrm_rsc_op id="other-%d_last_0" `+
				`operation_key="other-%d_monitor_0" operation="monitor" crm-debug-origin="do_update_resource" crm_feature_set="3.16.1" `+
				`transition-key="1:0:7:00000000-0000-0000-0000-000000000000" transition-magic="0:7;1:0:7:00000000-0000-0000-0000-000000000000" `+
				`exit-reason="" on_node="%s" call-id="%d" rc-code="7" op-status="0" interval="0" last-rc-change="1" exec-time="3" queue-time="0" `+
				`op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"/></lrm_resource>`+"\n", i, i, i, node.name, i+10)
		}
		status.WriteString("</lrm_resources></lrm></node_state>\n")
	}
	status.WriteString("</status>\n")
	c.write(b, "lb-1", "/tmp/resources.xml", resources.String())
	c.write(b, "lb-1", "/tmp/status.xml", status.String())
	c.run(b, "lb-1", "cibadmin", "--replace", "--scope", "resources", "--xml-file", "/tmp/resources.xml")
	c.run(b, "lb-1", "cibadmin", "--modify", "--scope", "status", "--xml-file", "/tmp/status.xml")
	c.run(b, "lb-1", "crm_attribute", "--name", "enable-startup-probes", "--delete")
	c.quiet(b)
}

type member struct{ name, id string }

// ids are the names and ids of the cluster's nodes.
func (c *cluster) ids(b *testing.B) (all []member) {
	b.Helper()
	doc := etree.NewDocument()
	require.NoError(b, doc.ReadFromString(c.run(b, "lb-1", "cibadmin", "--query", "--scope", "nodes")))
	for _, n := range doc.Root().SelectElements("node") {
		all = append(all, member{n.SelectAttrValue("uname", ""), n.SelectAttrValue("id", "")})
	}
	return all
}

// quiet waits until the cluster has nothing to do and its CIB has not changed for a second.
func (c *cluster) quiet(b *testing.B) {
	b.Helper()
	eventually(b, 3*time.Minute, "the cluster has settled", func() error {
		_, err := c.try("lb-1", "crm_resource", "--wait", "--timeout", "60s") // fails where the CIB's daemon is too busy to answer
		return err
	})
	last, since := "", time.Now()
	eventually(b, time.Minute, "the CIB is not written to any more", func() error {
		now := c.run(b, "lb-1", "cibadmin", "--query", "--xpath", "/cib", "--no-children")
		if now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) < time.Second {
			return errors.New("it was, within the last second")
		}
		return nil
	})
}

// withdraw deletes what hawser and crmsh write, and leaves the others.
func (c *cluster) withdraw(b *testing.B) {
	b.Helper()
	for _, xpath := range []string{"/cib/configuration/tags/*", "/cib/configuration/constraints/*", "//primitive[@id='FloatIP']", "//clone[@id='haproxy-clone']"} {
		c.run(b, "lb-1", "cibadmin", "--delete-all", "--force", "--xpath", xpath)
	}
	c.quiet(b)
}

// takes is the median of the command's times on the first balancer, each after the same preparation.
func (c *cluster) takes(b *testing.B, runs int, prepare func(), args ...string) time.Duration {
	b.Helper()
	var all []time.Duration
	for range runs {
		if prepare != nil {
			prepare()
		}
		l := c.launch(b, "lb-1", command{Args: args})
		all = append(all, time.Duration(l.Ended-l.Began))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// grown is what was measured beside so many other resources.
type grown struct {
	plan, write, apply time.Duration // of hawser; write is apply --no-wait
	query, patch       time.Duration // cibadmin's part of write
	verify, diff       time.Duration // Pacemaker's other tools that write runs, both at the same time
	simulate, status   time.Duration // what plan and the wait of apply run beside
	crmsh, crmshWait   time.Duration
	bytes              int
}

const (
	baseXML, newXML, patchXML = "/tmp/base.xml", "/tmp/new.xml", "/tmp/patch.xml"
	crmScript                 = "/tmp/set-up.crm"
)

// withoutStatus is how the configuration is compared: the status of two moments differs.
const withoutStatus = `cibadmin --query | sed '/<status>/,/<\/status>/d'`

// measureGrowth measures everything beside n resources of others. While resources are kept stopped, the cluster has nothing to do after a write but
// to probe what is new, so that one measurement does not disturb the next.
func (c *cluster) measureGrowth(b *testing.B, n int) (g grown) {
	b.Helper()
	runs := 7
	if n >= 1000 {
		runs = 5
	}
	c.populate(b, n)
	c.run(b, "lb-1", "crm_attribute", "--name", "stop-all-resources", "--update", "true")
	c.quiet(b)
	g.bytes = len(c.run(b, "lb-1", "cibadmin", "--query"))
	g.plan = c.takes(b, runs, nil, "hawser", "plan", "-f", yamlPath)
	g.query = c.takes(b, runs, nil, "cibadmin", "--query")

	withdraw := func() { c.withdraw(b) }
	g.write = c.takes(b, runs, withdraw, "hawser", "apply", "--yes", "--no-wait", "-f", yamlPath)
	c.quiet(b)
	c.run(b, "lb-1", "sh", "-c", withoutStatus+" >"+newXML)
	g.verify = c.takes(b, runs, nil, "crm_verify", "--live-check")
	g.simulate = c.takes(b, runs, nil, "crm_simulate", "--live-check", "--simulate", "--output-as=xml")
	g.status = c.takes(b, runs, nil, "crm_mon", "--one-shot", "--output-as=xml")
	g.patch = c.takes(b, runs, func() {
		c.withdraw(b)
		c.run(b, "lb-1", "sh", "-c", withoutStatus+" >"+baseXML)
		c.run(b, "lb-1", "sh", "-c", "crm_diff --no-version --original "+baseXML+" --new "+newXML+" >"+patchXML+"; [ $? = 1 ]")
	}, "cibadmin", "--patch", "--xml-file", patchXML)
	g.diff = c.takes(b, runs, nil, "sh", "-c", "crm_diff --original "+baseXML+" --new "+newXML+" >/dev/null; [ $? = 1 ]")
	// crmsh is slow, and one round is enough.
	g.crmsh = c.takes(b, 1, withdraw, "crm", "configure", "load", "update", crmScript)

	c.run(b, "lb-1", "crm_attribute", "--name", "stop-all-resources", "--delete")
	g.apply = c.takes(b, 1, withdraw, "hawser", "apply", "--yes", "-f", yamlPath)
	c.serves(b)
	g.crmshWait = c.takes(b, 1, withdraw, "sh", "-ec", "crm configure load update "+crmScript+"; crm_resource --wait --timeout 100s")
	c.serves(b)
	c.withdraw(b)
	return g
}

// BenchmarkGrowth has plan and apply work beside 10, 100 and 1,000 resources of others.
func BenchmarkGrowth(b *testing.B) {
	c := prepared(b)
	c.run(b, "lb-1", "crm_attribute", "--name", "stonith-enabled", "--update", "false")
	c.write(b, "lb-1", yamlPath, tutorialYAML)
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.write(b, "lb-1", crmScript, c.run(b, "lb-1", "hawser", "configure", "show")+"\n")
	c.withdraw(b)
	all := make([]grown, len(populations))
	for i, n := range populations {
		all[i] = c.measureGrowth(b, n)
		b.Logf("%d others: %+v", n, all[i])
	}
	recordGrowth(b, all)
	illustrateGrowth(b, all)
}

func recordGrowth(b *testing.B, all []grown) {
	b.Helper()
	few, many := all[0], all[len(all)-1]
	beside := fmt.Sprintf("beside %d other resources", populations[len(populations)-1])
	figure := func(name string, d time.Duration) report.Figure {
		return report.Figure{Name: name, Value: ms(d), Unit: "ms"}
	}
	// grew is what a command takes beside many, held against what it takes beside few, without the growth of cibadmin.
	grew := func(name string, of func(grown) time.Duration, cibadmin time.Duration, goals ...report.Goal) {
		ours := figure(name, of(many)-cibadmin)
		ours.More = []report.Figure{figure("with cibadmin's growth", of(many)), figure("cibadmin's growth", cibadmin)}
		report.Record(b, report.Row{Section: report.SectionGrowth, What: name + " " + beside + ", cibadmin's own growth subtracted", Ours: ours, Goals: goals,
			Theirs: []report.Figure{figure(fmt.Sprintf("the same beside %d", populations[0]), of(few))},
			Note: fmt.Sprintf("The CIB has %d kB instead of %d. cibadmin is what reads and writes it; its time is measured by itself in the same run.",
				many.bytes/1000, few.bytes/1000)})
	}
	query, patch := many.query-few.query, many.patch-few.patch
	grew("hawser plan", func(g grown) time.Duration { return g.plan }, query, report.RatioAtMost(3))
	grew("hawser apply --no-wait", func(g grown) time.Duration { return g.write }, query+patch, report.RatioAtMost(3))
	for i, n := range populations {
		g := all[i]
		report.Record(b, report.Row{Section: report.SectionGrowth, What: fmt.Sprintf("the tutorial's set-up written beside %d other resources", n),
			Ours:   figure("hawser apply --no-wait", g.write),
			Theirs: []report.Figure{figure("crm configure load update", g.crmsh)},
			Note: fmt.Sprintf("Of it cibadmin --query %.0f ms and --patch %.0f ms, crm_diff %.0f ms and beside it crm_verify %.0f ms. hawser plan takes %.0f ms.",
				ms(g.query), ms(g.patch), ms(g.diff), ms(g.verify), ms(g.plan))})
		report.Record(b, report.Row{Section: report.SectionGrowth, What: fmt.Sprintf("until all of it runs, beside %d other resources", n),
			Ours:   figure("hawser apply", g.apply),
			Theirs: []report.Figure{figure("crm configure load update; crm_resource --wait", g.crmshWait)},
			Note: fmt.Sprintf("Once each. Most of it is the cluster's own work: one look at what is left to do (crm_simulate) takes %.0f ms, crm_mon %.0f ms.",
				ms(g.simulate), ms(g.status))})
	}
}

func illustrateGrowth(b *testing.B, all []grown) {
	b.Helper()
	line := func(name string, of func(grown) time.Duration) plot.Series {
		s := plot.Series{Name: name}
		for i, n := range populations {
			s.X, s.Y = append(s.X, float64(n)), append(s.Y, ms(of(all[i])))
		}
		return s
	}
	svg, err := plot.Lines(plot.Labels{Title: "The tutorial's set-up written, beside others' resources", X: "other resources", Y: "ms", LogX: true, LogY: true},
		line("crm configure load update", func(g grown) time.Duration { return g.crmsh }),
		line("hawser apply --no-wait", func(g grown) time.Duration { return g.write }),
		line("hawser plan", func(g grown) time.Duration { return g.plan }),
		line("cibadmin, its part", func(g grown) time.Duration { return g.query + g.patch }),
		line("crm_verify, its part", func(g grown) time.Duration { return g.verify }))
	require.NoError(b, err)
	report.Illustrate(b, report.Plot{Section: report.SectionGrowth, File: "img/growth.svg",
		Caption: "How long a write takes as others' resources fill the CIB, and how much of it is Pacemaker's own tools."}, svg)
}
