// Package booted runs hawser on a node that systemd has booted: what HAProxy's own unit gives, what becomes of HAProxy when Pacemaker's
// service stops, restarts or dies, in which order a node goes down, and where one reads what has happened.
package booted

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

func TestMain(m *testing.M) {
	lab.Reexec()
	os.Exit(m.Run())
}

// node is the one balancer of the laboratory.
type node struct{ *lab.Lab }

const lb = "lb-1"

// boot brings a laboratory up for one test, which runs beside others, and has the cluster run HAProxy there. before are shell lines that come first.
func boot(t *testing.T, before string) *node {
	t.Helper()
	needs.Root(t)
	overlay := os.Getenv("HAWSER_OVERLAY")
	if _, err := os.Stat(filepath.Join(overlay, "usr/sbin/hawser")); overlay == "" || err != nil {
		t.Fatal("HAWSER_OVERLAY holds no hawser: run `make test-cluster`, which installs it where the nodes find it")
	}
	t.Parallel()
	name := cmp.Or(os.Getenv("HAWSER_LAB"), "booted") + "-" + strings.ToLower(strings.TrimPrefix(t.Name(), "Test"))
	require.NoError(t, lab.Down(t.Context(), name))
	l, err := lab.Up(t.Context(), lab.Options{Name: name, Nodes: 1, Apps: 1, Systemd: true, Overlay: overlay})
	require.NoError(t, err)
	n := &node{l}
	t.Cleanup(func() {
		if t.Failed() {
			out, _, _ := n.Exec(context.Background(), lb, "sh", "-c", "crm_mon -1rf; systemd-cgls --no-pager; journalctl -b --no-pager | tail -60")
			t.Log(out)
		}
		require.NoError(t, n.Down(context.Background()))
	})
	n.sh(t, before+`
cat >hawser.yaml <<END
fencing: off
haproxy: {monitor: 2s}
floating_ips:
  - {name: FloatIP, ip: 203.0.113.10, token_file: /etc/hawser/token}
END
hawser apply --yes`)
	return n
}

// sh runs shell lines on the node and returns what they printed.
func (n *node) sh(t *testing.T, lines string) string {
	t.Helper()
	out, err := n.try(lines)
	require.NoError(t, err)
	return out
}

func (n *node) try(lines string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, _, err := n.Exec(ctx, lb, "sh", "-ec", lines)
	return strings.TrimSpace(out), err
}

// eventually waits until what it asks has no complaint.
func eventually(t *testing.T, what string, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		err := ask()
		if err == nil {
			return
		}
		require.True(t, time.Now().Before(deadline), "%s: %v", what, err)
		time.Sleep(50 * time.Millisecond)
	}
}

// started waits until the cluster runs HAProxy and the address, and a client is served through it.
func (n *node) started(t *testing.T) {
	t.Helper()
	eventually(t, "the cluster runs HAProxy and a client is served", func() error {
		out, err := n.try("crm_mon -1; crm_resource -r haproxy -W 2>&1")
		if err == nil && !strings.Contains(out, "is running on: "+lb) {
			err = errors.New(out)
		}
		if err == nil {
			err = n.serves(t)
		}
		return err
	})
}

// serves is whether the client gets an answer through the floating address.
func (n *node) serves(t *testing.T) error {
	_, complaint, err := n.Exec(t.Context(), "client", "curl", "-sSf", "-m", "2", "http://"+lab.FloatingIP.String()+"/")
	if err != nil {
		return fmt.Errorf("%w: %s", err, complaint)
	}
	return nil
}

// haproxies lists the processes of the cluster's HAProxy. The agent's file is called haproxy too, and it has HAProxy check configurations.
const haproxies = `pgrep -f '^/usr/sbin/haproxy .*/master\.sock'`

// master is HAProxy's main process, 0 if there is none.
func (n *node) master() int {
	out, _ := n.try("head -1 /run/hawser/haproxy/haproxy.pid")
	pid, _ := strconv.Atoi(out)
	if _, err := n.try(fmt.Sprintf("kill -0 %d", pid)); err != nil {
		return 0
	}
	return pid
}

// group is the control group of HAProxy's processes: all are in the same.
func (n *node) group(t *testing.T) string {
	t.Helper()
	return n.sh(t, "for p in $("+haproxies+"); do grep ^0:: /proc/$p/cgroup; done | sort -u")
}

// scopes are HAProxy's: the second while the first is still on its way out after a crash.
func scopes(slice string) []string {
	return []string{"0::/" + slice + "/hawser-haproxy.scope", "0::/" + slice + "/hawser-haproxy-again.scope"}
}

// placed requires that everything of HAProxy's is where it belongs, and nothing with Pacemaker.
func (n *node) placed(t *testing.T, slice string) {
	t.Helper()
	require.Contains(t, scopes(slice), n.group(t))
	seen := map[string]int{}
	eventually(t, "keeper and standby are in their scope", func() error { // the keeper goes there by itself
		out, err := n.try("cat /sys/fs/cgroup/system.slice/hawser-keeper-haproxy.scope/cgroup.procs | xargs -n1 -I% cat /proc/%/comm | sort")
		if err == nil && out != "hawser-keeper\nhawser-standby" {
			err = errors.New(out)
		}
		return err
	})
	for pid := range strings.FieldsSeq(n.sh(t, "cat /sys/fs/cgroup/system.slice/pacemaker.service/cgroup.procs || true; "+haproxies+"; pgrep -f '^hawser-(keeper|standby)$'")) {
		if seen[pid]++; seen[pid] > 1 {
			t.Errorf("process %s is in pacemaker.service", n.sh(t, "tr '\\0' ' ' </proc/"+pid+"/cmdline"))
		}
	}
}

const dropIn = `
mkdir -p /etc/systemd/system/haproxy.service.d
cat >/etc/systemd/system/haproxy.service.d/site.conf <<END
[Service]
LimitNOFILE=5000:9999
LimitCORE=0
OOMScoreAdjust=77
Nice=3
UMask=0027
Slice=web.slice
MemoryMax=1G
TasksMax=123
CapabilityBoundingSet=~CAP_SYS_MODULE
NoNewPrivileges=yes
Environment=SITE=harbour
EnvironmentFile=/etc/default/site
PrivateTmp=yes
END
echo 'GREETING="hello there"' >/etc/default/site
systemctl daemon-reload
sed -i '/bind/a http-response set-header X-Site "\${SITE} \${GREETING}"' /etc/haproxy/haproxy.cfg
`

// requireUnitSettings is what dropIn makes of HAProxy's processes.
func (n *node) requireUnitSettings(t *testing.T) {
	t.Helper()
	n.placed(t, "web.slice")
	for pid := range strings.FieldsSeq(n.sh(t, haproxies)) {
		limits := n.sh(t, "cat /proc/"+pid+"/limits")
		require.Regexp(t, `Max open files +\d+ +9999 `, limits)
		require.Regexp(t, `Max core file size +0 +0 `, limits)
		require.Equal(t, "77", n.sh(t, "cat /proc/"+pid+"/oom_score_adj"))
		require.Equal(t, "3", n.sh(t, "ps -o ni= -p "+pid))
		status := n.sh(t, "cat /proc/"+pid+"/status")
		require.Regexp(t, `Umask:\s0027`, status)
		require.Regexp(t, `NoNewPrivs:\s1`, status)
		bounding, err := strconv.ParseUint(strings.TrimSpace(n.sh(t, "sed -n 's/CapBnd://p' /proc/"+pid+"/status")), 16, 64)
		require.NoError(t, err)
		const sysModule, netAdmin = 16, 12
		require.Zero(t, bounding>>sysModule&1)
		require.NotZero(t, bounding>>netAdmin&1)
	}
	scope := n.sh(t, "systemctl show "+filepath.Base(n.group(t))+" -p MemoryMax -p TasksMax -p Slice -p Before")
	require.Contains(t, scope, "MemoryMax=1073741824")
	require.Contains(t, scope, "TasksMax=123")
	require.Contains(t, scope, "Slice=web.slice")
	require.Contains(t, scope, "pacemaker.service")
	headers, _, err := n.Exec(t.Context(), "client", "curl", "-sSf", "-m", "2", "-D-", "-o", "/dev/null", "http://"+lab.FloatingIP.String()+"/")
	require.NoError(t, err)
	require.Contains(t, headers, "x-site: harbour hello there")
}

// TestWithSettingsOfTheUnit has HAProxy run with what the operator's drop-in to haproxy.service says, however it was started.
func TestWithSettingsOfTheUnit(t *testing.T) {
	n := boot(t, dropIn)
	n.started(t)
	n.requireUnitSettings(t)
	n.said(t, "-t hawser-haproxy -p warning", "haproxy.service sets PrivateTmp, which HAProxy does not get")

	n.sh(t, "hawser reload --yes")
	n.requireUnitSettings(t)

	before := n.master()
	n.sh(t, fmt.Sprintf("kill -9 %d", before))
	eventually(t, "the keeper has brought HAProxy back", func() error {
		if now := n.master(); now == 0 || now == before {
			return fmt.Errorf("HAProxy's process is %d", now)
		}
		return n.serves(t)
	})
	n.requireUnitSettings(t)
	n.said(t, "-t hawser-keeper", "brought back") // after it has done so

	n.sh(t, "pkill -9 -x hawser-keeper") // the standby becomes the keeper
	n.placed(t, "web.slice")

	// User= and Group= are the workers'.
	n.sh(t, "printf 'User=www-data\\n' >>/etc/systemd/system/haproxy.service.d/site.conf; systemctl daemon-reload; crm_resource --restart -r haproxy-clone")
	n.started(t)
	require.Equal(t, "root\nwww-data", n.sh(t, "ps -o user= -C haproxy | sort"))
	require.Equal(t, "www-data", n.sh(t, "ps -o group= -C haproxy | sort -u | grep -v root"))
	require.NotContains(t, n.sh(t, "journalctl -b -t hawser-haproxy -o cat"), "already specified")

	// A masked unit gives no settings, and does not prevent a start.
	n.sh(t, "rm -r /etc/systemd/system/haproxy.service.d; systemctl mask haproxy.service; crm_resource --restart -r haproxy-clone")
	n.started(t)
	n.placed(t, "system.slice")

	// A systemd that does not answer does not prevent a start either.
	n.sh(t, "mv /run/systemd/private /run/systemd/private.away; crm_resource --restart -r haproxy-clone; mv /run/systemd/private.away /run/systemd/private")
	n.started(t)
	require.Equal(t, "0::/system.slice/pacemaker.service", n.group(t))
	n.said(t, "-t hawser-haproxy -p warning", "it stays in the control group of whoever started it")
	n.sh(t, "pkill -9 -x hawser-keeper; pkill -9 -x hawser-standby || true") // and when the next keeper comes, systemd is there
	eventually(t, "HAProxy is moved out of pacemaker.service without being restarted", func() error {
		if group := n.group(t); !slices.Contains(scopes("system.slice"), group) {
			return errors.New(group)
		}
		return nil
	})
}

// TestPacemakersService stops, restarts and kills it.
func TestPacemakersService(t *testing.T) {
	n := boot(t, "")
	n.started(t)
	n.placed(t, "system.slice")

	first := n.master()
	n.sh(t, "systemctl restart pacemaker")
	n.started(t)
	require.NotEqual(t, first, n.master(), "what Pacemaker manages it stops when it is stopped")
	n.placed(t, "system.slice")

	served := n.master()
	same := func(what string) {
		t.Helper()
		require.Equal(t, served, n.master(), what)
		require.NoError(t, n.serves(t), what)
		n.placed(t, "system.slice")
	}
	n.sh(t, "kill -9 $(pidof pacemakerd)")
	eventually(t, "pacemakerd is back", func() error { _, err := n.try("crm_mon -1"); return err })
	same("pacemakerd was killed")
	n.sh(t, "systemctl kill --signal=KILL pacemaker")
	same("everything in pacemaker.service was killed")
	eventually(t, "Pacemaker is back", func() error { _, err := n.try("crm_mon -1"); return err })
	n.started(t)
	same("Pacemaker is back")

	n.sh(t, "crm_attribute -n maintenance-mode -v true")
	eventually(t, "maintenance", func() error { _, err := n.try("crm_mon -1 | grep -qE 'unmanaged|[(]maintenance'"); return err })
	n.sh(t, "systemctl stop pacemaker")
	same("in maintenance Pacemaker leaves HAProxy alone")
	n.sh(t, "systemctl start pacemaker")
	require.NoError(t, n.WaitCluster(t.Context()))
	n.sh(t, "crm_attribute -n maintenance-mode -v false")
	n.started(t)
	same("the cluster has taken HAProxy over as it is")
}

// order requires that the journal of the boot before has lines with these words, in this order.
func (n *node) order(t *testing.T, words ...string) {
	t.Helper()
	var lines []string
	eventually(t, "the journal is there", func() error {
		out, err := n.try("journalctl -b -1 -o cat")
		lines = strings.Split(out, "\n")
		return err
	})
	at := -1
	for _, w := range words {
		next := slices.IndexFunc(lines[at+1:], func(line string) bool { return strings.Contains(line, w) })
		require.GreaterOrEqual(t, next, 0, "%q does not come after the others in\n%s", w, strings.Join(lines[max(0, len(lines)-80):], "\n"))
		at += 1 + next
	}
}

// reboot has the node reboot itself.
func (n *node) reboot(t *testing.T) {
	t.Helper()
	n.sh(t, "systemctl reboot")
	eventually(t, "the node is down", func() error {
		if n.Running(lb) {
			return errors.New("it is running")
		}
		return nil
	})
	require.NoError(t, n.Boot(t.Context(), lb))
	require.NoError(t, n.WaitCluster(t.Context()))
}

// TestShutdown reads in the journal in which order a node goes down, and boots it with haproxy.service enabled.
func TestShutdown(t *testing.T) {
	n := boot(t, "")
	n.started(t)
	n.reboot(t)
	// Pacemaker stops HAProxy, and only after it nothing is left to be killed.
	n.order(t, "Stopping pacemaker.service", "Result of stop operation for haproxy", "Stopped pacemaker.service", "Stopping corosync.service")
	require.NotContains(t, n.sh(t, "journalctl -b -1 -o cat"), "Stopping hawser-haproxy.scope")
	n.started(t)

	// What is not managed ends when Pacemaker has, and before the network does.
	n.sh(t, "crm_attribute -n maintenance-mode -v true")
	eventually(t, "maintenance", func() error { _, err := n.try("crm_mon -1 | grep -qE 'unmanaged|[(]maintenance'"); return err })
	n.reboot(t)
	n.order(t, "Stopping pacemaker.service", "Stopped pacemaker.service", "Stopping hawser-haproxy.scope", "Stopped hawser-haproxy.scope")
	require.NotContains(t, n.sh(t, "journalctl -b -1 -t hawser-keeper -o cat"), "brought back", "the keeper knows a shutdown")

	// With the unit enabled, as the package leaves it, systemd's HAProxy is there first. It has no
	// anchor address in its environment and takes all addresses; the cluster's has a certain one, to
	// which the kernel gives what is for that, and says what is in its way.
	n.sh(t, "crm_attribute -n maintenance-mode -v false")
	n.started(t)
	require.Contains(t, n.sh(t, "systemctl enable haproxy 2>&1; OCF_ROOT=/usr/lib/ocf /usr/lib/ocf/resource.d/hawser/haproxy validate-all 2>&1; hawser plan 2>&1"),
		"systemctl disable --now haproxy.service")
	require.Equal(t, 2, strings.Count(n.sh(t, "OCF_ROOT=/usr/lib/ocf /usr/lib/ocf/resource.d/hawser/haproxy validate-all 2>&1; hawser plan 2>&1"), "systemctl disable --now haproxy.service"))
	n.reboot(t)
	const remedy = "systemd unit haproxy.service: systemctl disable --now haproxy.service"
	eventually(t, "the agent names the other HAProxy", func() error {
		out, err := n.try("journalctl -b -t hawser-haproxy -o cat")
		if err == nil && (!strings.Contains(out, "another HAProxy") || !strings.Contains(out, remedy)) {
			err = errors.New(out)
		}
		return err
	})
	n.started(t)
	require.Equal(t, "active", n.sh(t, "systemctl is-active haproxy"), "it is the operator's to end it")
	require.Equal(t, "enabled", n.sh(t, "systemctl is-enabled haproxy"))
	n.sh(t, "systemctl disable --now haproxy.service")
	n.started(t) // by itself
	require.NotZero(t, n.master())
}

// said waits until the journal of this boot has the words, by somebody of that identifier.
func (n *node) said(t *testing.T, by, words string) {
	t.Helper()
	eventually(t, by+" says "+words, func() error {
		out, err := n.try("journalctl -b -o cat " + by)
		if err == nil && !strings.Contains(out, words) {
			err = errors.New(out)
		}
		return err
	})
}

// TestJournal reads what happened by its identifiers.
func TestJournal(t *testing.T) {
	n := boot(t, `
cat >/etc/haproxy/hello.lua <<END
core.register_service("broken", "http", function(applet) error("on purpose") end)
END
sed -i '/^frontend/a http-request use-service lua.broken if { path /broken }' /etc/haproxy/haproxy.cfg
sed -i '/^global/a lua-load /etc/haproxy/hello.lua' /etc/haproxy/haproxy.cfg
printf 'backend unused\nmode tcp\noption httplog\n' >>/etc/haproxy/haproxy.cfg
`)
	n.started(t)
	n.said(t, "-t hawser", "apply by root: exit code 0")
	n.said(t, "-t hawser-floatip", "FloatIP: ")
	n.said(t, "-t hawser-haproxy -p warning", "[WARNING]") // what HAProxy found strange in its configuration
	n.said(t, "-t haproxy", `"GET / HTTP/1.1"`)            // HAProxy's own log, past its chroot
	_, _, _ = n.Exec(t.Context(), "client", "curl", "-s", "-m", "2", "http://"+lab.FloatingIP.String()+"/broken")
	n.said(t, "-t haproxy", "on purpose") // an error in Lua
	n.sh(t, fmt.Sprintf("kill -9 %d", n.master()))
	n.said(t, "-t hawser-keeper", "HAProxy was brought back")
	n.sh(t, "crm_resource --restart -r haproxy-clone")
	for _, identifier := range []string{"haproxy(haproxy)", "floatip(FloatIP)"} {
		require.Empty(t, n.sh(t, "journalctl -b -o cat -q -t '"+identifier+"'"))
	}
	require.Contains(t, n.sh(t, "cat /var/log/pacemaker/pacemaker.log"), "haproxy(haproxy)", "Pacemaker's own log is as ever")
}
