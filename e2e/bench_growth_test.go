package e2e

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/internal/corosync"
	"github.com/hawser-ha/hawser/internal/plot"
	"github.com/hawser-ha/hawser/internal/report"
)

// populations are how many resources of others are in the CIB.
var populations = []int{10, 100, 1000}

// populate gives the cluster that many stopped resources that hawser does not own, and on each node
// the history that the probe of each of them leaves, which is most of such a CIB. The probes
// themselves are not run: 3,000 of them take Pacemaker more than five minutes here. So none are
// asked for (resource-discovery), even if a node has rejoined and the cluster has forgotten what it
// was told here.
func (c *cluster) populate(b *testing.B, n int) {
	b.Helper()
	nodes := c.ids(b)
	var resources, undiscovered strings.Builder
	undiscovered.WriteString("<constraints>\n")
	for _, node := range nodes {
		fmt.Fprintf(&undiscovered, `<rsc_location id="other-undiscovered-%s" rsc-pattern="^other-" node="%s" score="0" resource-discovery="never"/>`+"\n", node.id, node.name)
	}
	undiscovered.WriteString("</constraints>\n")
	resources.WriteString("<resources>\n")
	for i := range n {
		fmt.Fprintf(&resources, `<primitive id="other-%d" class="ocf" provider="pacemaker" type="Dummy"><meta_attributes id="other-%d-meta">`+
			`<nvpair id="other-%d-target-role" name="target-role" value="Stopped"/></meta_attributes><operations>`+
			`<op id="other-%d-monitor" name="monitor" interval="10s" timeout="20s"/></operations></primitive>`+"\n", i, i, i, i)
	}
	resources.WriteString("</resources>\n")
	c.write(b, "lb-1", "/tmp/constraints.xml", undiscovered.String())
	c.write(b, "lb-1", "/tmp/resources.xml", resources.String())
	c.insist(b, "cibadmin", "--replace", "--scope", "constraints", "--xml-file", "/tmp/constraints.xml")
	c.insist(b, "cibadmin", "--replace", "--scope", "resources", "--xml-file", "/tmp/resources.xml")
	c.quiet(b)
	// In portions: the daemons pass a change on to each other in messages of bounded size.
	const portion = 100
	for from := 0; from < n; from += portion {
		c.write(b, "lb-1", "/tmp/status.xml", probed(nodes, from, min(from+portion, n)))
		c.insist(b, "cibadmin", "--modify", "--scope", "status", "--xml-file", "/tmp/status.xml")
	}
	c.quiet(b)
	require.Equal(b, n*len(nodes), strings.Count(c.run(b, "lb-1", "cibadmin", "--query"), `<lrm_resource id="other-`), "histories are in the CIB")
}

// probed is the status of nodes on which those resources were looked for and not found.
func probed(nodes []member, from, to int) string {
	var status strings.Builder
	status.WriteString("<status>\n")
	for _, node := range nodes {
		fmt.Fprintf(&status, `<node_state id="%s" uname="%s"><lrm id="%s"><lrm_resources>`+"\n", node.id, node.name, node.id)
		for i := from; i < to; i++ {
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
	return status.String()
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
	eventually(b, 3*time.Minute, "the CIB is not written to any more", func() error {
		now, err := c.try("lb-1", "cibadmin", "--query", "--xpath", "/cib", "--no-children")
		if err != nil {
			return err
		}
		if now != last {
			last, since = now, time.Now()
		}
		if time.Since(since) < time.Second {
			return errors.New("it was, within the last second")
		}
		return nil
	})
}

// insist runs a command until it succeeds: a daemon that has just been given a thousand resources may be too busy to answer.
func (c *cluster) insist(b *testing.B, args ...string) {
	b.Helper()
	eventually(b, 3*time.Minute, strings.Join(args, " "), func() error {
		_, err := c.try("lb-1", args...)
		return err
	})
}

// withdraw deletes what hawser and crmsh write, and leaves the others.
func (c *cluster) withdraw(b *testing.B) {
	b.Helper()
	for _, xpath := range []string{"/cib/configuration/tags/*", "/cib/configuration/constraints/*[not(starts-with(@id,'other-'))]", "//primitive[@id='FloatIP']", "//clone[@id='haproxy-clone']"} {
		c.insist(b, "cibadmin", "--delete-all", "--force", "--xpath", xpath)
	}
	c.quiet(b)
}

// took is how long a command took, and the CPU time of it and of the programs that it waited for.
type took struct{ wall, cpu time.Duration }

// takes is the median of what the command takes on the first balancer, each time after the same preparation.
func (c *cluster) takes(b *testing.B, runs int, prepare func(), args ...string) took {
	b.Helper()
	var wall, cpu []time.Duration
	for range runs {
		if prepare != nil {
			prepare()
		}
		l := c.launch(b, "lb-1", command{Args: args})
		wall, cpu = append(wall, time.Duration(l.Ended-l.Began)), append(cpu, l.CPU)
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	return took{wall[len(wall)/2], cpu[len(cpu)/2]}
}

func (t took) minus(u took) took { return took{t.wall - u.wall, t.cpu - u.cpu} }
func (t took) plus(u took) took  { return took{t.wall + u.wall, t.cpu + u.cpu} }

func (t took) figure(name string) report.Figure {
	return report.Figure{Name: name, Value: ms(t.wall), Unit: "ms", More: []report.Figure{{Name: "CPU", Value: ms(t.cpu), Unit: "ms"}}}
}

// grown is what was measured next to that many other resources.
type grown struct {
	plan, write, apply took // of hawser; write is apply --no-wait
	query              took // cibadmin: all of the CIB, which plan reads
	read, patch        took // cibadmin's part of write
	verify, diff       took // Pacemaker's other tools that write runs, both at the same time; verify here with the status, which hawser leaves out
	simulate, status   took // what the wait of apply runs beside
	crmsh, crmshWait   took
	bytes              int
}

const (
	baseXML, newXML, patchXML, wholeXML = "/tmp/base.xml", "/tmp/new.xml", "/tmp/patch.xml", "/tmp/whole.xml"

	crmScript = "/tmp/set-up.crm"
)

// withoutStatus is how the configuration is compared: the status of two moments differs.
const withoutStatus = `cibadmin --query | sed '/<status>/,/<\/status>/d'`

// large says whether hawser reads the configuration without the status where it needs no more.
func (c *cluster) large(b *testing.B) bool {
	b.Helper()
	text := c.run(b, "lb-1", "stat", "--format=%s", "/var/lib/pacemaker/cib/cib.xml")
	size, err := strconv.Atoi(strings.TrimSpace(text))
	require.NoError(b, err)
	return size >= crm.Large
}

// measureGrowth measures everything next to n resources of others. While resources are kept
// stopped, the cluster has nothing to do after a write but to probe what is new, so that one
// measurement does not disturb the next.
func (c *cluster) measureGrowth(b *testing.B, n int) (g grown) {
	b.Helper()
	const runs = 5
	c.populate(b, n)
	c.insist(b, "crm_attribute", "--name", "stop-all-resources", "--update", "true")
	c.quiet(b)
	g.bytes = len(c.run(b, "lb-1", "cibadmin", "--query"))
	g.plan = c.takes(b, runs, nil, "hawser", "plan", "-f", yamlPath)
	g.query = c.takes(b, runs, nil, "cibadmin", "--query")
	if g.read = g.query; c.large(b) {
		g.read = c.takes(b, runs, nil, "sh", "-ec",
			"cibadmin --query --xpath /cib --no-children; cibadmin --query --scope configuration")
	}

	withdraw := func() { c.withdraw(b) }
	g.write = c.takes(b, runs, withdraw, "hawser", "apply", "--yes", "--no-wait", "-f", yamlPath)
	c.quiet(b)
	c.run(b, "lb-1", "sh", "-c", withoutStatus+" >"+newXML)
	c.run(b, "lb-1", "sh", "-c", "cibadmin --query >"+wholeXML)
	g.verify = c.takes(b, runs, nil, "crm_verify", "--verbose", "--xml-file", wholeXML)
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

	c.insist(b, "crm_attribute", "--name", "stop-all-resources", "--delete")
	g.apply = c.takes(b, 1, withdraw, "hawser", "apply", "--yes", "-f", yamlPath)
	c.serves(b)
	g.crmshWait = c.takes(b, 1, withdraw, "sh", "-ec", "crm configure load update "+crmScript+"; crm_resource --wait --timeout 100s")
	c.serves(b)
	c.withdraw(b)
	return g
}

// BenchmarkGrowth runs plan and apply next to 10, 100 and 1,000 resources of others.
func BenchmarkGrowth(b *testing.B) {
	// A lab of its own with a patient membership: a node that rejoins makes the cluster do work
	// that nobody asked for.
	c := ofSize(b, 3, corosync.Timing{Token: 5 * time.Second})
	c.write(b, "lb-1", yamlPath, tutorialYAML)
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.write(b, "lb-1", crmScript, c.run(b, "lb-1", "hawser", "configure", "show", "--secrets")+"\n")
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
	// grew compares a command's time next to many resources with that next to few, without the
	// growth of cibadmin.
	grew := func(name string, of func(grown) took, cibadmin took, goals ...report.Goal) {
		ours := of(many).minus(cibadmin).figure(name)
		ours.More = append(ours.More, report.Figure{Name: "with cibadmin's growth", Value: ms(of(many).wall), Unit: "ms"},
			report.Figure{Name: "cibadmin's growth", Value: ms(cibadmin.wall), Unit: "ms"})
		report.Record(b, report.Row{Section: report.SectionGrowth, What: name + " " + beside + ", cibadmin's own growth subtracted", Ours: ours, Goals: goals,
			Theirs: []report.Figure{of(few).figure(fmt.Sprintf("the same beside %d", populations[0]))},
			Note: fmt.Sprintf("The CIB has %d kB instead of %d. cibadmin is what reads and writes it; its time is measured by itself in the same run. "+
				"Pacemaker's other tools grow too: crm_verify takes %.0f ms instead of %.0f, crm_simulate, of plan alone, %.0f ms instead of %.0f.",
				many.bytes/1000, few.bytes/1000, ms(many.verify.wall), ms(few.verify.wall), ms(many.simulate.wall), ms(few.simulate.wall))})
	}
	query, read := many.query.minus(few.query), many.read.minus(few.read)
	patch := many.patch.minus(few.patch)
	const outlier = "cibadmin alone took longer than the command that runs it: something else was at work on this machine; measure again"
	require.Less(b, query.wall, many.plan.wall, outlier)
	require.Less(b, read.plus(patch).wall, many.write.wall, outlier)
	grew("hawser plan", func(g grown) took { return g.plan }, query)
	grew("hawser apply --no-wait", func(g grown) took { return g.write }, read.plus(patch), report.RatioAtMost(3))
	for i, n := range populations {
		g := all[i]
		report.Record(b, report.Row{Section: report.SectionGrowth, What: fmt.Sprintf("the tutorial's set-up written beside %d other resources", n),
			Ours:   g.write.figure("hawser apply --no-wait"),
			Theirs: []report.Figure{g.crmsh.figure("crm configure load update")},
			Note: fmt.Sprintf("Of it cibadmin --query %.0f ms and --patch %.0f ms, crm_diff %.0f ms and beside it crm_verify %.0f ms. hawser plan takes %.0f ms.",
				ms(g.read.wall), ms(g.patch.wall), ms(g.diff.wall), ms(g.verify.wall), ms(g.plan.wall))})
		report.Record(b, report.Row{Section: report.SectionGrowth, What: fmt.Sprintf("until all of it runs, beside %d other resources", n),
			Ours:   g.apply.figure("hawser apply"),
			Theirs: []report.Figure{g.crmshWait.figure("crm configure load update; crm_resource --wait")},
			Note: fmt.Sprintf("Once each. Most of it is the cluster's own work: one look at what is left to do (crm_simulate) takes %.0f ms, crm_mon %.0f ms.",
				ms(g.simulate.wall), ms(g.status.wall))})
	}
}

func illustrateGrowth(b *testing.B, all []grown) {
	b.Helper()
	line := func(name string, of func(grown) took) plot.Series {
		s := plot.Series{Name: name}
		for i, n := range populations {
			s.X, s.Y = append(s.X, float64(n)), append(s.Y, ms(of(all[i]).wall))
		}
		return s
	}
	svg, err := plot.Lines(plot.Labels{Title: "The tutorial's set-up written, beside others' resources", X: "other resources", Y: "ms", LogX: true, LogY: true},
		line("crm configure load update", func(g grown) took { return g.crmsh }),
		line("hawser apply --no-wait", func(g grown) took { return g.write }),
		line("hawser plan", func(g grown) took { return g.plan }),
		line("cibadmin, its part", func(g grown) took { return g.read.plus(g.patch) }),
		line("crm_verify, its part", func(g grown) took { return g.verify }))
	require.NoError(b, err)
	report.Illustrate(b, report.Plot{Section: report.SectionGrowth, File: "plots/growth.svg",
		Caption: "How long a write takes as others' resources fill the CIB, and how much of it is Pacemaker's own tools."}, svg)
}
