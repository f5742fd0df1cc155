package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

// upgradeYAML has monitors that come by the test's order only.
const upgradeYAML = `fencing: off
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 10min
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    token_file: /etc/hawser/token
`

// packaged is a cluster of its own whose nodes have hawser from packages, put in place by dpkg.
type packaged struct {
	*cluster
	debs map[string][]byte // by version
}

func newPackaged(t *testing.T, versions ...string) packaged {
	t.Helper()
	needs.Root(t)
	p := packaged{debs: map[string][]byte{}}
	for _, v := range versions {
		found, err := filepath.Glob(filepath.Join(needs.Packages(t, v, "NAMES=hawser", "FORMATS=deb"), "hawser_*.deb"))
		require.NoError(t, err)
		require.Len(t, found, 1)
		p.debs[v], err = os.ReadFile(found[0])
		require.NoError(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	l, err := bringUp(ctx, lab.Options{Name: labName() + "-dpkg", Progress: os.Stderr})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Down(context.Background())) })
	p.cluster = &cluster{l}
	p.explainFailure(t)
	p.allOnline(t)
	for _, n := range p.Nodes(lab.Balancer) {
		p.run(t, n.Name, "rm", "-f", "/var/lib/man-db/auto-update") // else dpkg reindexes every manual page
	}
	return p
}

// install has dpkg install, upgrade or downgrade the package.
func (p packaged) install(t *testing.T, node, version string) {
	t.Helper()
	file := "/root/hawser_" + version + ".deb"
	err := p.Run(t.Context(), node, lab.Command{Args: []string{"dd", "status=none", "of=" + file}, Stdin: bytes.NewReader(p.debs[version])})
	require.NoError(t, err)
	p.run(t, node, "dpkg", "--install", file)
	require.Contains(t, p.run(t, node, "hawser", "--version"), version)
}

// keeperOf is the process of the keeper, and whether its program has been replaced since it was started.
func (p packaged) keeperOf(t *testing.T, node string) (pid string, replaced bool) {
	t.Helper()
	p.guarded(t, node)
	pid = p.run(t, node, "pgrep", "--exact", "hawser-keeper")
	return pid, strings.HasSuffix(p.run(t, node, "readlink", "/proc/"+pid+"/exe"), " (deleted)")
}

// monitor is a recurring one, with the parameters that the cluster has. crm_resource --force-check would be a probe.
func (p packaged) monitor(t *testing.T, node string) {
	t.Helper()
	p.run(t, node, "env", "OCF_ROOT=/usr/lib/ocf", "OCF_RESOURCE_INSTANCE=haproxy", "OCF_RESKEY_max_crashes=20", "OCF_RESKEY_CRM_meta_on_node="+node,
		"OCF_RESKEY_CRM_meta_interval=600000", "OCF_RESKEY_CRM_meta_timeout=20000", "sh", "-c", "/usr/lib/ocf/resource.d/hawser/haproxy monitor || [ $? = 190 ]")
}

// crash kills HAProxy under load and waits until the keeper has brought it back.
func (p packaged) crash(t *testing.T, node string) {
	t.Helper()
	p.guarded(t, node)
	before, _ := p.crashes(node)
	finish := p.loaded(t)
	p.run(t, node, "killall", "--signal", "KILL", "haproxy")
	eventually(t, 20*time.Second, "HAProxy is back and the crash counted", func() error {
		if n, state := p.crashes(node); n != before+1 {
			return errors.New(state)
		}
		return nil
	})
	p.guarded(t, node)
	r := finish()
	require.Zero(t, r.Count(load.Refused, load.Unreachable, load.ConnectTimeout, load.AnswerTimeout), "%s", r)
	require.LessOrEqual(t, r.Failed, 4, "no more are lost than were in flight: %s", r)
}

// flawless is a load under which no request may fail.
func (p packaged) flawless(t *testing.T, do func()) {
	t.Helper()
	finish := p.loaded(t)
	do()
	r := finish()
	require.Zero(t, r.Failed, "%s", r)
	require.Zero(t, r.Count(load.Refused, load.Unreachable, load.ConnectTimeout, load.AnswerTimeout), "%s", r)
}

// reloads runs `hawser reload` on a node. Every node takes the configuration, and HAProxy's masters stay.
func (p packaged) reloads(t *testing.T, from string) {
	t.Helper()
	masters := map[string]string{}
	for _, n := range p.Nodes(lab.Balancer) {
		masters[n.Name] = p.haproxyPID(t, n.Name)
	}
	p.run(t, from, "hawser", "reload", "--yes")
	for node, pid := range masters {
		require.Equal(t, pid, p.haproxyPID(t, node), "a reload by %s restarted HAProxy on %s", from, node)
	}
}

// TestUpgradeUnderLoad replaces the package on one node after the other, as dpkg does, and back.
// The keeper and the agents of two versions work side by side: HAProxy keeps running, is brought
// back by a keeper of the old version and of the new, is reloaded by either command.
func TestUpgradeUnderLoad(t *testing.T) {
	const old, next = "1.0.0", "1.1.0"
	t.Parallel()
	p := newPackaged(t, old, next)
	for _, n := range p.Nodes(lab.Balancer) {
		p.install(t, n.Name, old)
	}
	p.write(t, "lb-1", yamlPath, upgradeYAML)
	p.run(t, "lb-1", "hawser", "apply", "--yes", "-f", yamlPath)
	p.serves(t)
	p.run(t, "lb-1", "crm_resource", "-r", "haproxy", "--set-parameter", "max_crashes", "--parameter-value", "20")
	p.settled(t)
	holder := p.holder(t)
	other := p.others(holder)[0]

	for _, step := range []struct{ name, to string }{{"upgrade", next}, {"downgrade", old}} {
		require.True(t, t.Run(step.name, func(t *testing.T) {
			master := p.haproxyPID(t, holder)
			before, replaced := p.keeperOf(t, holder)
			require.False(t, replaced)
			p.flawless(t, func() { p.install(t, holder, step.to) })
			require.Equal(t, master, p.haproxyPID(t, holder), "dpkg leaves HAProxy alone")
			kept, replaced := p.keeperOf(t, holder)
			require.Equal(t, before, kept, "dpkg leaves the keeper alone")
			require.True(t, replaced)
			p.crash(t, holder)
			kept, replaced = p.keeperOf(t, holder)
			require.Equal(t, before, kept, "the keeper of before has brought HAProxy back")
			require.True(t, replaced)

			p.flawless(t, func() {
				p.monitor(t, holder)
				kept, replaced = p.keeperOf(t, holder)
				require.NotEqual(t, before, kept, "a monitor of the new version replaces the keeper")
				require.False(t, replaced)
				p.reloads(t, other)
				p.reloads(t, holder)
			})
			p.crash(t, holder)
			require.Equal(t, holder, p.holder(t), "nothing moved")
			status, _ := p.try(other, "hawser", "status") // 8: it tells of the crash
			require.Contains(t, status, "back after")
			require.NotContains(t, status, "failed")
			require.NotContains(t, p.run(t, "lb-1", "crm_mon", "-1f"), "fail-count")
		}))
	}

	t.Run("reload by the new agent of what an old keeper keeps", func(t *testing.T) {
		before, _ := p.keeperOf(t, other)
		p.install(t, other, next)
		_, replaced := p.keeperOf(t, other)
		require.True(t, replaced)
		p.reloads(t, holder) // whose command and agent are of the old version
		kept, replaced := p.keeperOf(t, other)
		require.NotEqual(t, before, kept)
		require.False(t, replaced)
	})

	t.Run("removal", func(t *testing.T) {
		master := p.haproxyPID(t, holder)
		var said string
		p.flawless(t, func() { said = p.fails(t, 1, holder, "dpkg", "--remove", "hawser") })
		const first = "hawser standby $(crm_node -n) --yes"
		for _, want := range []string{"in use on node " + holder, "FloatIP (ocf:hawser:floatip)", "haproxy (ocf:hawser:haproxy)", first, "HAWSER_REMOVE=anyway"} {
			require.Contains(t, said, want)
		}
		require.Equal(t, "installed", p.run(t, holder, "dpkg-query", "-W", "-f", "${db:Status-Status}", "hawser"))
		require.Equal(t, master, p.haproxyPID(t, holder))
		p.crash(t, holder)

		p.run(t, holder, "sh", "-c", first) // the words of the refusal
		p.run(t, holder, "dpkg", "--remove", "hawser")
		p.moved(t, holder)
		p.flawless(t, func() {
			p.fails(t, 2, holder, "ls", "/usr/lib/ocf/resource.d/hawser", "/usr/lib/ocf/resource.d/heartbeat/haproxy", "/usr/lib/ocf/resource.d/digitalocean")
			p.run(t, holder, "ls", "/usr/lib/ocf/resource.d/heartbeat/IPaddr2")
			p.install(t, holder, next)
			p.run(t, holder, "sh", "-c", "crm_standby --node $(crm_node -n) --delete")
			p.settled(t)
		})
		p.guarded(t, holder)
	})

	p.run(t, holder, "hawser", "destroy", "--yes")
	for _, n := range p.Nodes(lab.Balancer) {
		out, err := p.try(n.Name, "pgrep", "--list-name", "haproxy|hawser")
		require.Error(t, err, "a stop by version %s leaves nothing: %s", fmt.Sprint(p.run(t, n.Name, "hawser", "--version")), out)
	}
}
