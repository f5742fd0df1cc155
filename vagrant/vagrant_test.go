//go:build vagrant

package vagrant

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
)

// TestMachines plays everything through, in the order in which an operator meets it. HAWSER_VAGRANT_RUN is where the page about the run is
// written, HAWSER_VAGRANT_BEGAN (seconds since 1970) when bringing up the machines began, HAWSER_VAGRANT_UPGRADE a package of a later version.
func TestMachines(t *testing.T) {
	m := open(t)
	began := time.Now()
	if s, err := strconv.ParseInt(os.Getenv("HAWSER_VAGRANT_BEGAN"), 10, 64); err == nil {
		began = time.Unix(s, 0)
	}
	defer func() {
		if err := m.log.write(os.Getenv("HAWSER_VAGRANT_RUN"), time.Since(began)); err != nil {
			t.Error(err)
		}
	}()
	m.step(t, "The machines", m.versions)
	m.step(t, "The tutorial, word for word", m.tutorial)
	m.step(t, "HAProxy stopped", m.stops)
	m.step(t, "The active balancer rebooted, and back", m.reboots)
	m.step(t, "The active balancer's power cut, and back", m.cuts)
	m.step(t, "A haproxy.service that is enabled", m.enabledUnit)
	m.step(t, "hawser.yaml, applied", m.apply)
	m.step(t, "A reload under load", m.reload)
	m.step(t, "hawser protect with the plug qdisc and with nftables' queue", m.protect)
	m.step(t, "Pacemaker restarted", m.pacemakerRestarts)
	m.step(t, "What the documentation has typed on whole machines", m.documentation)
	m.step(t, "Watchdog fencing", m.watchdog)
	m.step(t, "The package removed and purged", m.remove)
}

func (m *machines) versions(t *testing.T, _ func(string, ...any)) {
	out := m.run(t, "lb-1", `uname -srv; . /etc/os-release; echo "$PRETTY_NAME"
		dpkg-query -W -f '${Package} ${Version}\n' pacemaker corosync haproxy systemd sbd hawser 2>/dev/null; systemd-detect-virt || true; nproc`)
	m.log.versions = strings.Split(out, "\n")
	for _, node := range balancers {
		require.Equal(t, "active", m.run(t, node, "systemctl is-active corosync pacemaker | sort -u"), node)
		conf := m.run(t, node, "cat /etc/corosync/corosync.conf")
		require.Regexp(t, `crypto_cipher:\s*aes256`, conf, "corosync's traffic is encrypted")
		require.Equal(t, "400 root", m.run(t, node, "stat -c '%a %U' /etc/corosync/authkey"))
	}
	m.online(t)
}

// tutorial types what the tutorial says.
func (m *machines) tutorial(t *testing.T, see func(string, ...any)) {
	m.erase(t)
	if m.emulated() { // the tutorial leaves HAProxy and the agents Pacemaker's 20 s
		const patient = "crm_attribute --type op_defaults --name timeout --update 90s"
		m.run(t, "lb-1", patient)
		see("on an emulated processor first: `%s`", patient)
	}
	token := m.run(t, "lb-1", "cat "+tokenFile)
	for _, line := range []string{
		"crm configure property stonith-enabled=false",
		"crm configure primitive FloatIP ocf:digitalocean:floatip params do_token=" + token + " floating_ip=" + floatingIP,
		"crm configure primitive haproxy ocf:heartbeat:haproxy op monitor interval=15s",
		"crm configure clone haproxy-clone haproxy",
		"crm configure colocation FloatIP-haproxy inf: FloatIP haproxy-clone",
	} {
		m.run(t, "lb-1", line)
		see("`%s`", strings.ReplaceAll(line, token, "TOKEN"))
	}
	m.serves(t)
	m.everywhere(t)
	answer, err := m.get()
	require.NoError(t, err)
	see("`curl %s` answers: %s", page, answer)
	see("%s", m.logsShow(t, m.mustHolder(t)))
}

// stops stops HAProxy as the tutorial does, and then in earnest.
func (m *machines) stops(t *testing.T, see func(string, ...any)) {
	holder := m.mustHolder(t)
	before := m.mustPID(t, holder)
	for _, command := range []string{"systemctl stop haproxy", "service haproxy stop"} {
		v := m.visit(t)
		m.run(t, holder, command)
		m.serves(t)
		report := v.leave(t)
		require.Zero(t, report.Failed, "%v", report)
		require.Equal(t, before, m.mustPID(t, holder), "the cluster's HAProxy is not the unit's")
		see("`%s` on %s: the unit is not what serves; %s", command, holder, report)
	}
	m.crash(t, see)
}

func (m *machines) reboots(t *testing.T, see func(string, ...any)) {
	for range 2 {
		holder := m.mustHolder(t)
		v := m.visit(t)
		boot := m.reboot(t, holder)
		to := m.moved(t, holder)
		line := m.logsShow(t, to)
		m.rebooted(t, holder, boot)
		m.everywhere(t)
		report := v.leave(t)
		see("`reboot` of %s: the address moved to %s; %s; %s", holder, to, line, report)
		m.leavesQuietly(t, holder, see)
		m.sendBackTo(t, to)
	}
}

// leavesQuietly looks into the journal of the boot before: the address left before HAProxy did, and systemd killed neither.
func (m *machines) leavesQuietly(t *testing.T, node string, see func(string, ...any)) {
	t.Helper()
	killed := m.run(t, node, `journalctl --boot=-1 --no-pager -o cat | grep -iE 'hawser.*(timed out|Killing process)' || true`)
	require.Empty(t, killed)
	out := m.run(t, node, `journalctl --boot=-1 --no-pager -o short-monotonic | grep -E 'Result of stop operation for|Stopped .*(Pacemaker|hawser|HAProxy)' | tail -8`)
	require.Regexp(t, `(?s)stop operation for FloatIP.*stop operation for haproxy.*Stopped pacemaker`, out)
	see("the end of %s, in its journal: `%s`", node, strings.ReplaceAll(out, "\n", "`, `"))
}

// sendBackTo makes sure that the address is at that balancer, so that the next one to fail is another.
func (m *machines) sendBackTo(t *testing.T, node string) {
	t.Helper()
	if m.mustHolder(t) != node {
		m.run(t, node, "hawser move FloatIP "+node+" --yes")
		m.serves(t)
	}
}

// cuts takes the power of the holder, and then of the other that took over. The second has had its haproxy.service enabled before, and is left
// as it boots with that: see enabledUnit.
func (m *machines) cuts(t *testing.T, see func(string, ...any)) {
	for _, last := range []bool{false, true} {
		holder := m.mustHolder(t)
		if last {
			m.run(t, holder, "systemctl enable haproxy.service 2>&1 && sync")
		}
		v := m.visit(t)
		m.cut(t, holder)
		to := m.moved(t, holder)
		line := m.logsShow(t, to)
		report := v.leave(t)
		see("power of %s cut: the address moved to %s; %s; %s", holder, to, line, report)
		m.power(t, holder)
		m.online(t)
		if !last {
			m.everywhere(t)
			m.sendBackTo(t, to)
		}
		see("%s is back, and serves nothing twice: FloatIP runs on %s", holder, m.mustHolder(t))
	}
}

// hawserYAML is the file of this cluster.
func hawserYAML(fencing string) string {
	return fmt.Sprintf(`fencing: %s
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 15s
floating_ips:
  - {name: FloatIP, ip: %s, token_file: %s}
`, fencing, floatingIP, tokenFile)
}

func (m *machines) apply(t *testing.T, see func(string, ...any)) {
	m.erase(t)
	m.write(t, "lb-1", "/etc/hawser/hawser.yaml", []byte(hawserYAML("off")))
	m.run(t, "lb-1", "hawser apply --yes --timeout 5m")
	m.everywhere(t)
	see("`hawser status` on lb-1:\n\n      %s\n", strings.ReplaceAll(m.run(t, "lb-1", "hawser status"), "\n", "\n      "))
	see("`hawser doctor; echo $?` on lb-2:\n\n      %s\n", strings.ReplaceAll(m.run(t, "lb-2", "hawser doctor; echo $?"), "\n", "\n      "))
}

func (m *machines) reload(t *testing.T, see func(string, ...any)) {
	v := m.visit(t)
	for range 2 {
		m.run(t, "lb-1", "hawser reload --yes --timeout 5m")
	}
	m.run(t, m.mustHolder(t), "sed -i 's/balance roundrobin/balance leastconn/' /etc/haproxy/haproxy.cfg")
	push := m.mustHolder(t)
	m.run(t, push, "hawser reload --yes --timeout 5m --push /etc/haproxy/haproxy.cfg")
	for _, node := range balancers {
		m.run(t, node, "grep -q leastconn /etc/haproxy/haproxy.cfg")
	}
	report := v.leave(t)
	require.Zero(t, report.Failed, "%v", report)
	see("twice `hawser reload` and once `--push` while visitors came: %s", report)
}

// protectedPort is the port of somebody else's daemon, whose reload closes its socket and opens it again.
const protectedPort = "8099"

func (m *machines) protect(t *testing.T, see func(string, ...any)) {
	const node = "lb-3"
	address := m.address(t, node)
	conf := `global
  daemon
  pidfile /run/protected.pid
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
frontend f
  bind *:` + protectedPort + `
  http-request return status 200 content-type text/plain string served
`
	m.write(t, node, "/run/protected.cfg", []byte(conf))
	m.run(t, node, "haproxy -D -f /run/protected.cfg")
	t.Cleanup(func() { _, _ = m.try(node, "pkill -F /run/protected.pid; rm -f /run/protected.*") })

	// Restarted: the old process ends before the new one begins, so that without protection there is nobody.
	restart := `sh -c 'pkill -F /run/protected.pid; while pgrep -F /run/protected.pid >/dev/null 2>&1; do sleep 0.05; done; exec haproxy -D -f /run/protected.cfg'`
	for _, by := range []struct{ method, addresses, from, url string }{
		{"nfqueue", address, client, "http://" + address + ":" + protectedPort + "/"},
		{"plug", "127.0.0.1,::1", node, "http://127.0.0.1:" + protectedPort + "/"},
	} {
		v := m.loadFrom(t, by.from, load.Plan{URL: by.url, Every: 100 * time.Millisecond, Timeout: 20 * time.Second})
		out := ""
		for range 3 {
			out = m.run(t, node, "hawser protect --verbose --ports "+protectedPort+" --addresses "+by.addresses+" --max-hold 10s --method "+by.method+" -- "+restart+" 2>&1")
		}
		report := v.leave(t)
		require.Zero(t, report.Failed, "%s: %v", by.method, report)
		see("`--method %s`, three restarts of a daemon: %s; %s", by.method, report, strings.ReplaceAll(out, "\n", "; "))
	}
	require.Empty(t, m.run(t, node, "nft list tables | grep hawser || true"), "nothing is left")
	require.NotContains(t, m.run(t, node, "tc qdisc show dev lo"), "plug")
}

// crash kills the holder's HAProxy: its keeper, which an upgrade has replaced, brings it back.
func (m *machines) crash(t *testing.T, see func(string, ...any)) {
	holder := m.mustHolder(t)
	before := m.mustPID(t, holder)
	v := m.visit(t)
	m.run(t, holder, "pkill -KILL -x haproxy")
	eventually(t, time.Minute, "HAProxy is back on "+holder, func() error {
		now, err := m.haproxyPID(holder)
		if err != nil {
			return err
		}
		if now == before {
			return errors.New("still the old one")
		}
		_, err = m.get()
		return err
	})
	report := v.leave(t)
	require.Equal(t, holder, m.mustHolder(t), "a crash moves nothing")
	require.Zero(t, report.Count(load.Refused), "%v", report)
	see("`pkill -KILL -x haproxy` on %s: back on the same node, nobody refused; %s", holder, report)
}

// pacemakerRestarts restarts it where it manages, and where it does not.
func (m *machines) pacemakerRestarts(t *testing.T, see func(string, ...any)) {
	holder := m.mustHolder(t)
	before := m.mustPID(t, holder)
	v := m.visit(t)
	m.run(t, holder, "crm configure property maintenance-mode=true")
	m.run(t, holder, "systemctl restart pacemaker")
	m.online(t)
	m.run(t, holder, "crm configure property maintenance-mode=false")
	m.everywhere(t)
	report := v.leave(t)
	require.Zero(t, report.Failed, "%v", report)
	require.Equal(t, before, m.mustPID(t, holder))
	see("`systemctl restart pacemaker` on %s in maintenance mode: the same HAProxy serves; %s", holder, report)

	v = m.visit(t)
	m.run(t, holder, "systemctl restart pacemaker")
	m.everywhere(t)
	report = v.leave(t)
	require.NotEqual(t, before, m.mustPID(t, holder), "Pacemaker stops what it manages when it stops")
	see("the same without maintenance mode: the address moved to %s; %s", m.mustHolder(t), report)
}

// enabledUnit looks at the balancer that has booted with the distribution's unit enabled, which starts a HAProxy before the cluster does.
func (m *machines) enabledUnit(t *testing.T, see func(string, ...any)) {
	var node string
	for _, n := range others(m.mustHolder(t)) {
		if m.run(t, n, "systemctl is-enabled haproxy.service || true") == "enabled" {
			node = n
		}
	}
	require.NotEmpty(t, node, "none is enabled: the step before failed")
	m.settled(t)
	out, _ := m.try(node, "hawser doctor 2>&1")
	require.Contains(t, out, "systemctl disable --now haproxy", "doctor names the command that ends it")
	for line := range strings.Lines(out) {
		if strings.Contains(line, "haproxy.service") || strings.Contains(line, "systemctl disable") {
			see("`hawser doctor` on %s: %s", node, strings.TrimSpace(line))
		}
	}
	see("`systemctl is-active haproxy` after the boot: %s", m.run(t, node, "systemctl is-active haproxy || true"))
	m.run(t, node, "systemctl disable --now haproxy.service 2>&1")
	m.run(t, node, "crm_resource --cleanup")
	m.everywhere(t)
	see("after `systemctl disable --now haproxy.service` and `crm_resource --cleanup` the cluster's HAProxy runs on %s by itself", node)
}

// Times of the watchdog. The machine is emulated, and must not be reset because it is slow.
const (
	watchdogTimeout  = "15"
	fencedAfter      = "25s"
	cutOffByNftables = `nft -f - <<'N'
table inet cutoff {
	chain in { type filter hook input priority -200; udp dport 5405 drop; }
	chain out { type filter hook output priority -200; udp dport 5405 drop; }
}
N`
)

// watchdog cuts the holder off from the other two. It resets itself, they take the address.
func (m *machines) watchdog(t *testing.T, see func(string, ...any)) {
	for _, node := range balancers {
		m.run(t, node, "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends sbd")
		m.run(t, node, "echo softdog >/etc/modules-load.d/softdog.conf; modprobe softdog")
		m.run(t, node, `sed -i -E '/^#?(SBD_WATCHDOG_DEV|SBD_WATCHDOG_TIMEOUT|SBD_PACEMAKER|SBD_STARTMODE|SBD_DELAY_START|SBD_DEVICE)=/d' /etc/default/sbd
			printf '%s\n' SBD_WATCHDOG_DEV=/dev/watchdog SBD_WATCHDOG_TIMEOUT=`+watchdogTimeout+` SBD_PACEMAKER=yes SBD_STARTMODE=always SBD_DELAY_START=no >>/etc/default/sbd
			systemctl enable sbd`)
	}
	// sbd starts with Corosync.
	m.run(t, "lb-1", "hawser destroy --yes")
	for _, node := range balancers {
		m.run(t, node, "systemctl stop pacemaker corosync")
	}
	for _, node := range balancers {
		m.run(t, node, "systemctl start corosync pacemaker && systemctl is-active sbd")
	}
	m.online(t)
	m.write(t, "lb-1", "/etc/hawser/hawser.yaml", []byte(hawserYAML("{sbd: {watchdog_timeout: "+fencedAfter+"}}")))
	plan := m.run(t, "lb-1", "hawser plan")
	require.Contains(t, plan, "stonith-watchdog-timeout")
	m.run(t, "lb-1", "hawser apply --yes --timeout 5m")
	m.everywhere(t)
	see("`fencing: {sbd: {watchdog_timeout: %s}}` applied; `crm_mon` and `hawser status`: %s", fencedAfter,
		m.run(t, "lb-1", "hawser status | grep -i -m1 fenc || true"))

	holder := m.mustHolder(t)
	boot := m.bootID(t, holder)
	v := m.visit(t)
	m.run(t, holder, cutOffByNftables)
	to := m.moved(t, holder)
	report := v.leave(t)
	m.rebooted(t, holder, boot)
	see("Corosync's packets of %s dropped: its watchdog reset it, the address moved to %s; %s", holder, to, report)
	m.everywhere(t)
	fenced := m.run(t, to, "stonith_admin --history "+holder+" 2>&1 | tail -3") // the one that was fenced does not know
	require.Contains(t, fenced, "of "+holder+" successful")
	see("it came back and joined; `stonith_admin --history %s`: %s", holder, fenced)
}

// remove is refused while the cluster uses the agents, and leaves nothing behind afterwards.
func (m *machines) remove(t *testing.T, see func(string, ...any)) {
	const node = "lb-3"
	out, err := m.try(node, "DEBIAN_FRONTEND=noninteractive apt-get remove -y hawser 2>&1")
	require.Error(t, err, "the agents of a running cluster are not taken away: %s", out)
	m.run(t, node, "test -x /usr/lib/ocf/resource.d/hawser/haproxy")
	for line := range strings.Lines(out) {
		if strings.Contains(line, "hawser:") || strings.Contains(line, "hawser destroy") {
			see("`apt-get remove hawser` with resources running: %s", strings.TrimSpace(line))
		}
	}
	m.run(t, "lb-1", "hawser destroy --yes")
	m.run(t, node, "DEBIAN_FRONTEND=noninteractive apt-get purge -y hawser")
	left := m.run(t, node, "ls -d /usr/lib/ocf/resource.d/hawser /usr/sbin/hawser /usr/lib/ocf/resource.d/heartbeat/haproxy /usr/share/hawser 2>/dev/null || true")
	require.Empty(t, left, "nothing is left")
	see("after `hawser destroy`, `apt-get purge hawser` leaves nothing; the operator's /etc/hawser: %s", m.run(t, node, "ls /etc/hawser 2>/dev/null | tr '\\n' ' ' || true"))
}
