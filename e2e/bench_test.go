package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/report"
	"github.com/hawser-ha/hawser/lab"
)

// race times two commands in turn inside the first balancer.
func (c *cluster) race(b *testing.B, of contest) outcome {
	b.Helper()
	self, err := os.Executable()
	require.NoError(b, err)
	spec, err := json.Marshal(of)
	require.NoError(b, err)
	var out, complaint strings.Builder
	err = c.Run(b.Context(), "lb-1", lab.Command{
		Args: []string{stopwatchPath}, Env: []string{measureEnv + "=" + string(spec)}, Stdout: &out, Stderr: &complaint,
	})
	require.NoError(b, err, "%s: %s", self, complaint.String())
	var result outcome
	require.NoError(b, json.Unmarshal([]byte(out.String()), &result))
	return result
}

// compared is what a contest showed, as a row of the report.
func compared(section, what, aName, bName string, o outcome, goals ...report.Goal) report.Row {
	return report.Row{Section: section, What: what, Ours: timesOf(aName, o.A, o.Runs), Theirs: []report.Figure{timesOf(bName, o.B, o.Runs)}, Goals: goals}
}

func timesOf(name string, f figures, runs int) report.Figure {
	return report.Figure{Name: name, Value: ms(f.Wall), Unit: "ms", Detail: fmt.Sprintf("median of %d", runs), More: []report.Figure{
		{Name: "CPU", Value: ms(f.CPU), Unit: "ms"}, {Name: "at most", Value: float64(f.RSS) / 1024, Unit: "MiB"},
	}}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// prepared is a fresh cluster whose first balancer has the stopwatch.
func prepared(b *testing.B) *cluster {
	b.Helper()
	c := fresh(b)
	c.equip(b, "lb-1")
	return c
}

// stopwatchPath is where a node that is equipped has this test binary, for what must be measured inside the node.
const stopwatchPath = "/usr/local/bin/stopwatch"

// equip gives a node the stopwatch.
func (c *cluster) equip(b testing.TB, node string) {
	b.Helper()
	self, err := os.Executable()
	require.NoError(b, err)
	binary, err := os.Open(self)
	require.NoError(b, err)
	defer func() { _ = binary.Close() }()
	for _, args := range [][]string{{"dd", "status=none", "bs=1M", "of=" + stopwatchPath}, {"chmod", "0755", stopwatchPath}} {
		require.NoError(b, c.Run(b.Context(), node, lab.Command{Args: args, Stdin: binary}))
	}
}

// ocfEnv is the environment in which Pacemaker runs a recurring monitor.
func ocfEnv(instance string, params ...string) []string {
	env := []string{
		"OCF_ROOT=/usr/lib/ocf", "OCF_RA_VERSION_MAJOR=1", "OCF_RA_VERSION_MINOR=1", "OCF_RESOURCE_INSTANCE=" + instance,
		"OCF_RESKEY_CRM_meta_timeout=20000", "OCF_RESKEY_CRM_meta_interval=10000", "HA_LOGFACILITY=none",
	}
	for _, p := range params {
		env = append(env, "OCF_RESKEY_"+p)
	}
	return env
}

// shellMonitor is the monitor that the agents are held against: a shell agent of resource-agents, with an address that is there.
var shellMonitor = command{
	Args: []string{"/usr/lib/ocf/resource.d/heartbeat/IPaddr2", "monitor"},
	Env:  ocfEnv("shell", "ip=127.0.0.1", "nic=lo", "cidr_netmask=8"),
}

const shellName = "IPaddr2 monitor"

func BenchmarkMonitor(b *testing.B) {
	for _, agent := range []struct {
		name, file string
		env        []string
	}{
		{"haproxy", "haproxy", ocfEnv("bench")},
		{"floatip-digitalocean", "floatip", ocfEnv("bench", "ip="+floatingIP, "token_file=/etc/hawser/token")},
		// As it is two minutes after a start, when the address is no longer announced with each monitor.
		{"floatip-lan", "floatip", ocfEnv("bench", "ip=198.51.100.201", "provider=lan", "announce_for=0s")},
	} {
		b.Run(agent.name, func(b *testing.B) {
			c := prepared(b)
			path := "/usr/lib/ocf/resource.d/hawser/" + agent.file
			act := func(action string) {
				err := c.Run(b.Context(), "lb-1", lab.Command{Args: []string{path, action}, Env: agent.env})
				require.NoError(b, err)
			}
			act("start")
			defer act("stop")
			o := c.race(b, contest{A: command{Args: []string{path, "monitor"}, Env: agent.env}, B: shellMonitor, Runs: 30})
			report.Record(b, compared(report.SectionMonitor, agent.name+": wall time", "hawser", shellName, o, report.RatioAtMost(0.25)))
			report.Record(b, report.Row{
				Section: report.SectionMonitor, What: agent.name + ": programs run by one monitor",
				Ours:   report.Figure{Name: "hawser", Value: c.programs(b, path, agent.env)},
				Theirs: []report.Figure{{Name: shellName, Value: c.programs(b, shellMonitor.Args[0], shellMonitor.Env)}},
				Goals:  []report.Goal{report.AtMost(1)},
			})
			report.Record(b, report.Row{
				Section: report.SectionMonitor, What: agent.name + ": memory",
				Ours:   report.Figure{Name: "hawser", Value: float64(o.A.RSS) / 1024, Unit: "MiB"},
				Theirs: []report.Figure{{Name: shellName, Value: float64(o.B.RSS) / 1024, Unit: "MiB", Detail: "its largest process"}},
				Goals:  []report.Goal{report.AtMost(24)},
			})
		})
	}
}

// programs counts the programs that a monitor runs, itself included.
func (c *cluster) programs(b *testing.B, agent string, env []string) float64 {
	b.Helper()
	err := c.Run(b.Context(), "lb-1", lab.Command{
		Args: []string{"strace", "-f", "-qq", "-e", "trace=execve", "-o", "/tmp/programs", agent, "monitor"}, Env: env,
	})
	require.NoError(b, err)
	return float64(strings.Count(c.run(b, "lb-1", "grep", "= 0$", "/tmp/programs"), "= 0"))
}

// erased is how the configuration is emptied before a timed write. The cluster is then left in peace for a while, as an operator finds
// it: while it still records what it has stopped, a versioned patch meets a newer status and has to be made again.
var erased = [][]string{
	{"cibadmin", "--replace", "--scope", "constraints", "--xml-text", "<constraints/>"},
	{"cibadmin", "--delete-all", "--force", "--xpath", "/cib/configuration/tags"},
	{"cibadmin", "--replace", "--scope", "resources", "--xml-text", "<resources/>"},
	{"sh", "-c", "crm_resource --wait --timeout 60s && sleep 2"},
}

func BenchmarkWriteTheSetUp(b *testing.B) {
	c := prepared(b)
	c.run(b, "lb-1", "crm_attribute", "--name", "stonith-enabled", "--update", "false")
	c.write(b, "lb-1", yamlPath, tutorialYAML)
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	shown := c.run(b, "lb-1", "hawser", "configure", "show", "--secrets")
	c.write(b, "lb-1", "/tmp/set-up.crm", shown)

	apply := command{Args: []string{"hawser", "apply", "--yes", "--no-wait", "-f", yamlPath}, Before: erased}
	plan := command{
		Args: []string{"hawser", "plan", "-f", yamlPath}, Before: slices.Concat(erased, [][]string{{"hawser", "apply", "--yes", "-f", yamlPath}, {"sleep", "1"}}),
	}
	crmsh := command{Args: []string{"crm", "configure", "load", "update", "/tmp/set-up.crm"}, Before: erased}
	const goal = 0.125
	b.Run("apply", func(b *testing.B) {
		row := compared(report.SectionWrite, "the tutorial's set-up written", "hawser apply --no-wait", "crm configure load update",
			c.race(b, contest{A: apply, B: crmsh, Runs: 9}), report.RatioAtMost(goal))
		withPcs := c.race(b, contest{A: apply, B: command{Args: []string{"sh", "-ec", pcsSetUp}, Before: erased}, Runs: 3})
		row.Theirs = append(row.Theirs, timesOf("pcs, three commands", withPcs.B, withPcs.Runs))
		row.Note = "hawser and crmsh write it as one transaction, pcs as three. pcs: `" + strings.ReplaceAll(pcsSetUp, "\n", "; ") + "`"
		report.Record(b, row)
	})
	b.Run("no-op", func(b *testing.B) {
		report.Record(b, compared(report.SectionWrite, "nothing to change", "hawser plan", "crm configure load update",
			c.race(b, contest{A: plan, B: crmsh, Runs: 9}), report.RatioAtMost(goal)))
	})
}

// pcsSetUp is the tutorial's set-up in the words of pcs.
const pcsSetUp = `pcs resource create haproxy ocf:hawser:haproxy op monitor interval=15s clone interleave=true
pcs resource create FloatIP ocf:hawser:floatip ip=203.0.113.10 provider=digitalocean token_file=/etc/hawser/token meta resource-stickiness=100
pcs constraint colocation add FloatIP with haproxy-clone INFINITY`

func BenchmarkStatus(b *testing.B) {
	c := prepared(b)
	c.write(b, "lb-1", yamlPath, tutorialYAML)
	c.run(b, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	c.serves(b)
	o := c.race(b, contest{
		A: command{Args: []string{"hawser", "status"}}, B: command{Args: []string{"crm_mon", "-1"}}, Runs: 30,
	})
	report.Record(b, compared(report.SectionStatus, "the whole cluster", "hawser status", "crm_mon -1", o, report.RatioAtMost(2)))
}
