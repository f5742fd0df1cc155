package lab_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/internal/load"
	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
	"github.com/hawser-ha/hawser/lab/cloud"
)

// upEnv makes the test binary bring a lab of that name up and do nothing else, so that it can be killed while at it.
const upEnv = "LAB_TEST_UP"

func TestMain(m *testing.M) {
	lab.Reexec()
	if name := os.Getenv(upEnv); name != "" {
		if _, err := lab.Up(context.Background(), lab.Options{Name: name}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestLab takes one lab through its life.
func TestLab(t *testing.T) {
	needs.Root(t)
	overlay := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(overlay, "usr/local/bin"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(overlay, "usr/local/bin/laid-over"), []byte("#!/bin/sh\necho laid over\n"), 0o755))
	const name = "life"
	require.NoError(t, lab.Down(t.Context(), name)) // what an earlier run that was killed has left
	before := machineState(t)

	begun := time.Now()
	l, err := lab.Up(t.Context(), lab.Options{Name: name, Overlay: overlay})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Down(context.Background())) })
	t.Logf("quorate with a DC after %s", time.Since(begun))
	require.Less(t, time.Since(begun), 15*time.Second)
	traces := tracesOf(t, name)
	s := &life{l}

	t.Run("a second one of the name is refused", s.refusesTwin)
	t.Run("nodes", s.nodes)
	t.Run("metadata and API", s.cloudServices)
	t.Run("application servers", s.applicationServers)
	t.Run("floating address", s.floatingAddress)
	t.Run("floating IPv6 address", s.floatingAddress6)
	t.Run("the same Ethernet", s.ethernet)
	t.Run("cut and heal", s.cutAndHeal)
	t.Run("a cut of the ring alone", s.ringAlone)
	t.Run("kill, boot, reboot", s.power)
	t.Run("the cloud's power actions", s.cloudPower)
	t.Run("status", s.status)

	begun = time.Now()
	require.NoError(t, l.Down(t.Context()))
	t.Logf("down after %s", time.Since(begun))
	traces.requireNone(t)
	require.Equal(t, before, machineState(t))
	require.NoError(t, l.Down(t.Context()), "down again")
	_, err = lab.Open(name)
	require.ErrorIs(t, err, lab.ErrNotFound)
}

type life struct{ *lab.Lab }

// sh runs a shell line in the node and returns what it printed.
func (s *life) sh(t *testing.T, node, line string) string {
	t.Helper()
	out, _, err := s.Exec(t.Context(), node, "sh", "-c", line)
	require.NoError(t, err)
	return strings.TrimSpace(out)
}

func (s *life) refusesTwin(t *testing.T) {
	_, err := lab.Up(t.Context(), lab.Options{Name: s.Name()})
	require.ErrorIs(t, err, lab.ErrExists)
	require.ErrorContains(t, err, "down")
	_, err = lab.Open(s.Name())
	require.NoError(t, err, "the refused one took nothing away")
}

func (s *life) nodes(t *testing.T) {
	require.Contains(t, s.sh(t, "lb-2", "crm_mon -1"), "Online: [ lb-1 lb-2 lb-3 ]")
	require.Equal(t, "lb-2", s.sh(t, "lb-2", "hostname"))
	require.Equal(t, "laid over", s.sh(t, "app-1", "laid-over"))
	require.Equal(t, "600", s.sh(t, "lb-1", "stat -c %a /etc/hawser/token"))
	require.Equal(t, s.Spec().Token, s.sh(t, "lb-1", "cat /etc/hawser/token"))
	require.Empty(t, s.sh(t, "lb-1", "HAWSER_ANCHOR_IP=10.17.0.11 haproxy -c -q -f /etc/haproxy/haproxy.cfg"))

	var exit *lab.ExitError
	_, stderr, err := s.Exec(t.Context(), "lb-1", "sh", "-c", "echo why >&2; exit 7")
	require.True(t, errors.As(err, &exit))
	require.Equal(t, 7, exit.Code)
	require.Equal(t, "why\n", stderr)
	require.ErrorContains(t, err, "why")
	_, _, err = s.Exec(t.Context(), "lb-1", "no-such-program")
	require.True(t, errors.As(err, &exit))
	require.Equal(t, 127, exit.Code)
	_, _, err = s.Exec(t.Context(), "lb-9", "true")
	require.ErrorContains(t, err, "lb-3")

	var out strings.Builder
	require.NoError(t, s.Run(t.Context(), "client", lab.Command{Args: []string{"cat"}, Stdin: strings.NewReader("through"), Stdout: &out}))
	require.Equal(t, "through", out.String())

	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, _, err = s.Exec(short, "client", "sh", "-c", "sleep 4711 & wait")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, s.sh(t, "client", "ps ax"), "sleep 4711", "the children of what was given up are gone too")

	// a node's files, processes and devices are its own
	s.sh(t, "lb-1", "echo mine > /root/mine; logger -t test hello || true")
	_, _, err = s.Exec(t.Context(), "lb-2", "test", "-e", "/root/mine")
	require.Error(t, err)
	require.NoFileExists(t, "/root/mine")
	require.NotContains(t, s.sh(t, "lb-2", "ps ax"), "nginx")
	require.Contains(t, s.sh(t, "lb-1", "cat /var/log/syslog"), "pacemakerd")
	s.sh(t, "lb-1", "test ! -e /proc/sysrq-trigger || test -c /proc/sysrq-trigger") // it is /dev/null: Pacemaker can reset nothing
	const rewrite = `f=/proc/sys/%s; v=$(cat $f); echo "$v" >$f`
	_, _, err = s.Exec(t.Context(), "lb-1", "sh", "-ec", fmt.Sprintf(rewrite, "fs/file-max"))
	require.ErrorContains(t, err, "Read-only file system", "the kernel's settings are the machine's")
	s.sh(t, "lb-1", fmt.Sprintf(rewrite, "net/ipv4/ip_nonlocal_bind")) // those of its network are the node's
	require.Equal(t, "true", s.sh(t, "lb-1", "script --quiet --return --command 'test -t 0 && echo true' /dev/null </dev/null | tr -d '\\r'"), "a terminal can be had")
}

func (s *life) cloudServices(t *testing.T) {
	const metadata = "curl -sS -m 5 http://169.254.169.254/metadata/v1/"
	for i, n := range s.Nodes(lab.Balancer) {
		require.Equal(t, fmt.Sprint(1001+i), s.sh(t, n.Name, metadata+"id"))
		require.Equal(t, n.Anchor.Addr().String(), s.sh(t, n.Name, metadata+"interfaces/public/0/anchor_ipv4/address"))
		require.Equal(t, n.Private.Addr().String(), s.sh(t, n.Name, metadata+"interfaces/private/0/ipv4/address"))
	}
	get := `curl -sS -m 5 -H "Authorization: Bearer $(cat /etc/hawser/token)" `
	require.Contains(t, s.sh(t, "lb-1", get+lab.APIOrigin+"/v2/reserved_ips/203.0.113.10"), `"droplet":null`)
	require.Contains(t, s.sh(t, "lb-1", get+"https://api.digitalocean.com/v2/droplets/1002"), `"lb-2"`)
	require.Contains(t, s.sh(t, "lb-1", "curl -sS -m 5 -H 'Authorization: Bearer wrong' "+lab.APIOrigin+"/v2/droplets"), "authenticate")

	c := s.Cloud()
	require.NoError(t, c.SetFault(t.Context(), cloud.Fault{Kind: cloud.Status, Status: 503, Count: 1}))
	require.Contains(t, s.sh(t, "lb-1", get+lab.APIOrigin+"/v2/droplets"), "Unavailable")
	require.Contains(t, s.sh(t, "lb-1", get+lab.APIOrigin+"/v2/droplets"), "lb-3")
}

func (s *life) applicationServers(t *testing.T) {
	require.Equal(t, "app-2 via 10.132.0.12", s.sh(t, "lb-2", "curl -sS -m 5 http://10.132.0.102/"))
	require.Equal(t, "403", s.sh(t, "app-1", "curl -sS -m 5 -o /dev/null -w %{http_code} http://10.132.0.102/"))
	_, _, err := s.Exec(t.Context(), "client", "curl", "-sS", "-m", "1", "http://10.132.0.102/")
	require.Error(t, err, "the client reached an application server")
}

// haproxy starts a HAProxy by hand on the balancers, as the agent would.
func (s *life) haproxy(t *testing.T, nodes ...string) {
	t.Helper()
	for _, n := range nodes {
		s.sh(t, n, `export HAWSER_ANCHOR_IP=$(curl -sS -m 5 http://169.254.169.254/metadata/v1/interfaces/public/0/anchor_ipv4/address)
			haproxy -D -f /etc/haproxy/haproxy.cfg`)
	}
}

func (s *life) eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	require.Eventually(t, f, 20*time.Second, 20*time.Millisecond, what)
}

// holder is who holds the address, by the cloud's own word.
func (s *life) holder(t *testing.T, ip netip.Addr) string {
	t.Helper()
	node, err := s.Cloud().Holder(t.Context(), ip)
	require.NoError(t, err)
	return node
}

// given waits until the node holds the address and the cloud has done all that belongs to that: until then, it refuses the next action.
func (s *life) given(t *testing.T, ip netip.Addr, node string) {
	t.Helper()
	s.eventually(t, node+" holds "+ip.String(), func() bool {
		state, err := s.Cloud().State(t.Context())
		require.NoError(t, err)
		i := slices.IndexFunc(state.Reserved, func(r cloud.ReservedIP) bool { return r.IP == ip })
		return s.holder(t, ip) == node && !state.Reserved[i].Locked
	})
}

// assign asks the API on the node to give the address to the droplet, as an agent does.
func (s *life) assign(t *testing.T, path string, droplet int) {
	t.Helper()
	out := s.sh(t, "lb-1", fmt.Sprintf(`curl -sS -m 5 -X POST -H "Authorization: Bearer $(cat /etc/hawser/token)" `+
		`-d '{"type":"assign","droplet_id":%d}' %s/v2/%s/actions`, droplet, lab.APIOrigin, path))
	require.Contains(t, out, "in-progress")
}

func (s *life) floatingAddress(t *testing.T) {
	url := "http://" + lab.FloatingIP.String() + "/"
	s.haproxy(t, "lb-1", "lb-2")
	require.NoError(t, s.Cloud().SetActionTime(t.Context(), 300*time.Millisecond))
	t.Cleanup(func() { require.NoError(t, s.Cloud().MoveTo(context.Background(), lab.FloatingIP, "")) })
	s.assign(t, "reserved_ips/203.0.113.10", 1001)
	s.given(t, lab.FloatingIP, "lb-1")

	probe, err := s.StartProbe(t.Context(), lab.ProbeOptions{URL: url})
	require.NoError(t, err)
	s.assign(t, "reserved_ips/203.0.113.10", 1002)
	s.given(t, lab.FloatingIP, "lb-2")
	moved := time.Now()
	s.eventually(t, "lb-2 serves", func() bool {
		log, err := s.AppLog("app-1")
		require.NoError(t, err)
		return len(log) > 0 && log[len(log)-1].Balancer == "lb-2" && log[len(log)-1].Client != "-"
	})
	r, err := probe.Stop()
	require.NoError(t, err)
	require.Positive(t, r.Balancers["lb-1"], "%+v", r)
	require.Positive(t, r.Balancers["lb-2"], "%+v", r)
	require.Positive(t, r.Servers["app-1"], "%+v", r)
	require.Positive(t, r.Servers["app-2"], "%+v", r)
	require.Len(t, r.First, r.Failures, "%+v", r)
	for _, f := range r.First { // what was under way to lb-1 meets lb-2, which knows nothing of it
		require.Less(t, f.Begun, moved.Sub(r.Began), "%+v", r)
	}
	require.Less(t, r.LongestGap, time.Second, "%+v", r)
	log, err := s.AppLog("app-2")
	require.NoError(t, err)
	require.Equal(t, "192.0.2.2", log[len(log)-1].Client, "the client's own address, from X-Forwarded-For")
	require.Regexp(t, `^app-\d via 10\.132\.0\.12$`, s.sh(t, "lb-3", "curl -sS -m 5 "+url), "a balancer's own request")

	// a load
	loading, err := s.StartLoad(t.Context(), "client", load.Plan{URL: url, Clients: 4})
	require.NoError(t, err)
	s.eventually(t, "500 answers", func() bool { return loading.Progress().OK >= 500 })
	seen, err := loading.Stop()
	require.NoError(t, err)
	require.GreaterOrEqual(t, seen.OK, 500, "%s", seen)
	require.Zero(t, seen.Failed, "%s", seen)
	_, err = s.Load(t.Context(), "client", load.Plan{URL: "ftp://nothing", Requests: 1})
	require.ErrorContains(t, err, "http://address/path")

	// nobody holds it: silence, and the probe says so
	require.NoError(t, s.Cloud().MoveTo(t.Context(), lab.FloatingIP, ""))
	r, err = s.Probe(t.Context(), lab.ProbeOptions{URL: url, Every: 50 * time.Millisecond, For: 300 * time.Millisecond, Timeout: 200 * time.Millisecond})
	require.NoError(t, err)
	require.Equal(t, r.Requests, r.Failures)
	require.Equal(t, map[string]int{string(load.ConnectTimeout): r.Requests}, r.Errors)
	require.GreaterOrEqual(t, r.LongestGap, 300*time.Millisecond)
}

func (s *life) floatingAddress6(t *testing.T) {
	for _, n := range []string{"lb-1", "lb-2"} { // a reserved IPv6 address is the droplet's own: it has no anchor
		s.sh(t, n, "ip -6 address add 2001:db8:ff::10/128 dev lo")
	}
	at := netip.AddrPortFrom(lab.FloatingIP6, 9)
	require.False(t, s.refuses(t, "client", at), "nobody holds it")
	s.assign(t, "reserved_ipv6/2001:db8:ff::10", 1002)
	s.given(t, lab.FloatingIP6, "lb-2")
	s.eventually(t, "lb-2 answers", func() bool { return s.refuses(t, "client", at) })
	require.NoError(t, s.Cloud().MoveTo(t.Context(), lab.FloatingIP6, ""))
	require.False(t, s.refuses(t, "client", at), "nobody holds it any more")
}

func (s *life) ethernet(t *testing.T) {
	s.sh(t, "lb-1", "ip address add 198.51.100.100/24 dev eth0")
	s.eventually(t, "the client finds it by ARP", func() bool {
		return s.refuses(t, "client", netip.MustParseAddrPort("198.51.100.100:9"))
	})
	require.Contains(t, s.sh(t, "client", "ip neighbour show 198.51.100.100 dev eth1"), "lladdr")
}

// reaches says whether a packet of a gets to b's private address, and back.
func (s *life) reaches(t *testing.T, a, b string) bool {
	n, err := s.Node(b)
	require.NoError(t, err)
	return s.refuses(t, a, netip.AddrPortFrom(n.Private.Addr(), 9))
}

// refuses says whether a connection from the node to a port where nobody listens is refused: then somebody has the address, and
// the way there and back is open.
func (s *life) refuses(t *testing.T, from string, to netip.AddrPort) bool {
	t.Helper()
	_, _, err := s.Exec(t.Context(), from, "curl", "-g", "-sS", "-m", "1", "http://"+to.String())
	var exit *lab.ExitError
	require.True(t, errors.As(err, &exit), "%v", err)
	return exit.Code == 7 // curl: failed to connect; a time-out is 28
}

func (s *life) cutAndHeal(t *testing.T) {
	require.True(t, s.reaches(t, "lb-1", "lb-2"))
	require.NoError(t, s.Cut("lb-1", "lb-2"))
	require.NoError(t, s.Cut("lb-2", "lb-1"), "again, the other way round")
	require.False(t, s.reaches(t, "lb-1", "lb-2"))
	require.False(t, s.reaches(t, "lb-2", "lb-1"))
	require.True(t, s.reaches(t, "lb-1", "app-1"))
	require.NoError(t, s.Cut("lb-1", "lb-3"))
	s.eventually(t, "lb-1 has lost quorum, the others have not", func() bool {
		alone, err := s.Cluster(t.Context(), "lb-1")
		require.NoError(t, err)
		rest, err := s.Cluster(t.Context(), "lb-3")
		require.NoError(t, err)
		return !alone.Quorate && rest.Quorate && len(rest.Online) == 2
	})
	require.NoError(t, s.Cut("lb-2", "cloud"))
	_, _, err := s.Exec(t.Context(), "lb-2", "curl", "-sS", "-m", "1", "http://169.254.169.254/metadata/v1/id")
	require.Error(t, err)
	require.Len(t, s.Status(t.Context()).Cuts, 3)

	require.NoError(t, s.Heal())
	require.True(t, s.reaches(t, "lb-1", "lb-2"))
	require.Equal(t, "1002", s.sh(t, "lb-2", "curl -sS -m 5 http://169.254.169.254/metadata/v1/id"))
	require.NoError(t, s.WaitCluster(t.Context()))
	require.ErrorContains(t, s.Cut("lb-1", "lb-1"), "two nodes")
	require.ErrorContains(t, s.Cut("client", "app-1"), "no network has both")
}

// ringAlone has a balancer lose sight of the others in the cluster, while everything else reaches them.
func (s *life) ringAlone(t *testing.T) {
	require.NoError(t, s.CutRing("lb-1", "lb-2"))
	require.NoError(t, s.CutRing("lb-2", "lb-1"), "again, the other way round")
	require.NoError(t, s.CutRing("lb-1", "lb-3"))
	require.Len(t, s.Status(t.Context()).RingCuts, 2)
	require.Empty(t, s.Status(t.Context()).Cuts)
	s.eventually(t, "lb-1 has lost quorum, the others have not", func() bool {
		alone, err := s.Cluster(t.Context(), "lb-1")
		require.NoError(t, err)
		rest, err := s.Cluster(t.Context(), "lb-3")
		require.NoError(t, err)
		return !alone.Quorate && rest.Quorate && len(rest.Online) == 2
	})
	require.True(t, s.reaches(t, "lb-1", "lb-2"))
	require.True(t, s.reaches(t, "lb-3", "lb-1"))
	require.NoError(t, s.Heal())
	require.Empty(t, s.Status(t.Context()).RingCuts)
	require.NoError(t, s.WaitCluster(t.Context()))
	require.ErrorContains(t, s.CutRing("lb-1", "app-1"), "no balancer")
	require.ErrorContains(t, s.CutRing("lb-1", "cloud"), "cloud")
}

func (s *life) power(t *testing.T) {
	s.sh(t, "lb-3", "echo kept > /root/kept; echo lost > /run/lost; echo lost > /dev/shm/lost; cat /proc/sys/kernel/random/boot_id")
	require.NoError(t, s.Kill("lb-3"))
	require.NoError(t, s.Kill("lb-3"), "again")
	require.False(t, s.Running("lb-3"))
	_, _, err := s.Exec(t.Context(), "lb-3", "true")
	require.ErrorIs(t, err, lab.ErrDown)
	require.ErrorContains(t, err, "boot lb-3")
	s.eventually(t, "the others notice", func() bool {
		c, err := s.Cluster(t.Context(), "lb-1")
		require.NoError(t, err)
		return c.Quorate && len(c.Online) == 2
	})
	require.NoError(t, s.Boot(t.Context(), "lb-3"))
	require.NoError(t, s.WaitCluster(t.Context()))
	require.Equal(t, "kept", s.sh(t, "lb-3", "cat /root/kept; ls /run/lost /dev/shm/lost 2>&- || true"))
	require.Error(t, s.Boot(t.Context(), "lb-3"), "it is running")

	// in order: Corosync has left the cluster, nobody had to find out
	require.NoError(t, s.Reboot(t.Context(), "lb-2"))
	require.NoError(t, s.WaitCluster(t.Context()))
	console, err := os.ReadFile(s.ConsoleLog("lb-2"))
	require.NoError(t, err)
	require.Contains(t, string(console), "pacemakerd ended: exit code 0")
	require.Contains(t, string(console), "corosync ended: exit code 0")

	require.NoError(t, s.Kill("app-1"))
	require.NoError(t, s.Boot(t.Context(), "app-1"))
	s.eventually(t, "app-1 serves again", func() bool {
		out, _, err := s.Exec(t.Context(), "lb-1", "curl", "-sS", "-m", "1", "http://10.132.0.101/")
		return err == nil && strings.HasPrefix(out, "app-1")
	})
}

// order has lb-1 order an action on the power of lb-3, and returns what the API answered.
func (s *life) order(t *testing.T, action string) string {
	t.Helper()
	return s.sh(t, "lb-1", fmt.Sprintf(`curl -sS -m 5 -X POST -H "Authorization: Bearer $(cat /etc/hawser/token)" `+
		`-d '{"type":"%s"}' %s/v2/droplets/1003/actions`, action, lab.APIOrigin))
}

// reads waits until the API says that lb-3 is so, with nothing under way. It asks less than twice a second: the cloud allows a token so many
// requests a minute.
func (s *life) reads(t *testing.T, status string) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		ask := func(of string) string {
			return s.sh(t, "lb-1", `curl -sS -m 5 -H "Authorization: Bearer $(cat /etc/hawser/token)" `+lab.APIOrigin+"/v2/droplets/1003"+of)
		}
		assert.Contains(c, ask(""), `"status":"`+status+`"`)
		assert.NotContains(c, ask("/actions"), "in-progress")
	}, 20*time.Second, 600*time.Millisecond, "the API says %s", status)
}

func (s *life) cloudPower(t *testing.T) {
	s.sh(t, "lb-3", "sleep 1000 >/dev/null 2>&1 & echo kept > /root/switched")
	require.Contains(t, s.order(t, "power_off"), "in-progress")
	s.reads(t, "off")
	require.False(t, s.Running("lb-3"), "the node has no power")
	require.Contains(t, s.order(t, "power_off"), "already powered off")
	require.Contains(t, s.order(t, "power_on"), "in-progress")
	s.reads(t, "active")
	require.Equal(t, "kept", s.sh(t, "lb-3", "cat /root/switched; pgrep -x sleep || true"))

	// What is switched here reads so there, and the other way round.
	require.NoError(t, s.Kill("lb-3"))
	s.reads(t, "off")
	require.Contains(t, s.order(t, "power_on"), "in-progress")
	s.eventually(t, "lb-3 runs", func() bool { return s.Running("lb-3") })
	s.reads(t, "active")
	require.NoError(t, s.WaitCluster(t.Context())) // Pacemaker that is told to stop while it joins takes its time
	require.Contains(t, s.order(t, "reboot"), "in-progress")
	s.eventually(t, "lb-3 is rebooted", func() bool {
		console, err := os.ReadFile(s.ConsoleLog("lb-3"))
		require.NoError(t, err)
		return strings.Contains(string(console), "corosync ended: exit code 0") && s.Running("lb-3")
	})
	s.reads(t, "active")
	require.NoError(t, s.WaitCluster(t.Context()))
}

func (s *life) status(t *testing.T) {
	st := s.Status(t.Context())
	require.Equal(t, s.Name(), st.Name)
	require.Empty(t, st.ClusterError)
	require.Empty(t, st.CloudError)
	require.True(t, st.Cluster.Quorate)
	require.Equal(t, map[string]string{"203.0.113.10": "", "2001:db8:ff::10": ""}, st.Floating)
	for _, n := range st.Nodes {
		require.True(t, n.Running, n.Name)
	}
	require.Empty(t, st.Cuts)
}
