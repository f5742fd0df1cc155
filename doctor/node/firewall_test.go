package node

import (
	"context"
	"net/netip"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netns"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/doctor"
	"github.com/hawser-ha/hawser/internal/firewall"
	"github.com/hawser-ha/hawser/internal/needs"
)

// walled gives this test's thread a network namespace of its own, with the kernel's real rules, and
// returns the checks of it.
func walled(t *testing.T) *Firewall {
	t.Helper()
	needs.Root(t)
	runtime.LockOSThread() // for good: the thread ends with the test, and the namespace with it
	ns, err := netns.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = ns.Close() })
	own, peer := netip.MustParseAddr("10.132.0.11"), netip.MustParseAddr("10.132.0.12")
	return &Firewall{
		Node:  "lb-1",
		Rules: firewall.Read,
		NICs: func() ([]NIC, error) {
			return []NIC{
				{Name: "lo", Index: 1, Loopback: true}, {Name: "eth0", Index: 2},
				{Name: "eth1", Index: 3, Addresses: []netip.Addr{own}},
			}, nil
		},
		Links: func(context.Context) (Links, error) {
			return Links{
				Own: []netip.Addr{own}, Ports: []uint16{5405},
				Peers: []Peer{{Name: "lb-2", Addresses: []netip.Addr{peer}}},
			}, nil
		},
		Listeners: func(context.Context) ([]inventory.Listener, error) {
			return []inventory.Listener{
				{At: netip.MustParseAddrPort("0.0.0.0:80"), Place: "/etc/haproxy/haproxy.cfg"},
				{At: netip.MustParseAddrPort("127.0.0.1:9999"), Place: "/etc/haproxy/haproxy.cfg"},
			}, nil
		},
	}
}

// shell runs a command in the test's network namespace.
func shell(t *testing.T, command string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", command)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", command, out)
}

func chainOf(policy, rules string) string {
	return "nft -f - <<'END'\ntable inet filter {\n chain input {\n type filter hook input " +
		"priority 0; policy " + policy + ";\n" + rules + "\n }\n}\nEND\n"
}

// TestFirewallChecks provokes each finding with rules in a real kernel, and fixes it with the
// finding's own commands.
func TestFirewallChecks(t *testing.T) {
	needs.Command(t, "nft")
	const corosync, listeners = "firewall-corosync", "firewall-listeners"
	for _, c := range []struct {
		name, rules string
		check       string // "" for nothing found
		want        doctor.Severity
		says, fix   string
		reading     bool // the commands inspect, and fix nothing
	}{
		{"no rules", "true", "", "", "", "", false},
		{"all let in", chainOf("accept", ""), "", "", "", "", false},
		{
			"what is needed let in",
			chainOf("drop", "udp dport 5405-5412 accept\ntcp dport { 80, 443 } accept"), "", "", "",
			"", false,
		},
		{
			"Corosync kept out", chainOf("drop", "tcp dport 80 accept"), corosync, doctor.Error,
			"from lb-2 (10.132.0.12, UDP 5405) are dropped by the chain inet filter input",
			"nft insert rule inet filter input ip saddr 10.132.0.12 udp dport 5405 accept", false,
		},
		{
			"Corosync let in as an answer",
			chainOf("drop", "ct state established,related accept\ntcp dport 80 accept"), corosync,
			doctor.Warning, "only as answers", "nft insert rule", false,
		},
		{
			"Corosync kept in",
			"nft add table ip out; nft add chain ip out o '{ type filter hook output priority 0; " +
				"}'; nft add rule ip out o udp dport 5405 drop",
			corosync, doctor.Error, "messages to lb-2",
			"nft insert rule ip out o ip daddr 10.132.0.12 udp dport 5405 accept", false,
		},
		{
			"Corosync in doubt",
			chainOf("drop", "udp dport 5405 limit rate 100/second accept\ntcp dport 80 accept"),
			corosync, doctor.Unknown, "a rate limit", "nft list ruleset", true,
		},
		{
			"Corosync kept in, perhaps",
			"nft add table ip out; nft add chain ip out o '{ type filter hook output priority 0; " +
				"}'; nft add rule ip out o udp dport 5405 limit rate over 100/second drop",
			corosync, doctor.Unknown, "messages to lb-2 (10.132.0.12, UDP 5405): it is not clear",
			"nft list ruleset", true,
		},
		{
			"Corosync kept out by iptables",
			"iptables-nft -A INPUT -p tcp -j ACCEPT; iptables-nft -P INPUT DROP", corosync,
			doctor.Error, "ip filter INPUT",
			"iptables --table filter --insert INPUT --protocol udp --source 10.132.0.12 --dport " +
				"5405 --jump ACCEPT",
			true,
		},
		{
			"older rules", "iptables-legacy -A INPUT -p udp -j DROP", corosync, doctor.Unknown,
			"older ip_tables", "iptables-legacy --list-rules", true,
		},
		{
			"clients kept out", chainOf("drop", "udp dport 5405 accept"), listeners, doctor.Error,
			"TCP port 80, which HAProxy binds",
			"nft insert rule inet filter input tcp dport 80 accept", false,
		},
		{
			"clients kept out by ufw",
			chainOf("drop", "udp dport 5405 accept") + "nft add chain inet filter ufw-user-input",
			listeners, doctor.Error, "80", "ufw allow 80/tcp", true,
		},
		{
			"clients kept out by firewalld",
			"nft add table inet firewalld; nft add chain inet firewalld filter_INPUT '{ type " +
				"filter hook input priority 10; }'; nft add rule inet firewalld filter_INPUT " +
				"meta l4proto tcp reject",
			listeners, doctor.Error, "firewalld filter_INPUT",
			"firewall-cmd --permanent --add-port=80/tcp", true,
		},
		{
			"some clients kept out",
			chainOf("drop", "udp dport 5405 accept\nip saddr 198.51.100.0/24 tcp dport 80 accept"),
			listeners, doctor.Note, "who sends the packet", "nft list ruleset", true,
		},
		{
			"clients by one interface only",
			chainOf("drop", "udp dport 5405 accept\niifname eth0 tcp dport 80 accept"), listeners,
			doctor.Note, "interface", "nft list ruleset", true,
		},
		{
			"a rule that is not read",
			chainOf("drop",
				"udp dport 5405 accept\ntcp option maxseg size 500-1500 tcp dport 80 accept"),
			listeners, doctor.Unknown, "exthdr", "nft list ruleset", true,
		},
		{
			"answers kept in",
			"nft add table ip out; nft add chain ip out o '{ type filter hook output priority 0; " +
				"}'; nft add rule ip out o tcp sport 80 drop",
			listeners, doctor.Error, "answers from TCP port 80",
			"nft insert rule ip out o tcp sport 80 accept", false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := walled(t)
			shell(t, c.rules)
			// Not by Run, whose goroutines have other threads.
			findings := func() (all []doctor.Finding) {
				for _, check := range f.Checks() {
					found, err := check.Run(t.Context())
					require.NoError(t, err)
					for i := range found {
						found[i].Check = check.Name
					}
					all = append(all, found...)
				}
				return all
			}
			found := findings()
			if c.check == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1, "%+v", found)
			require.Equal(t, c.check, found[0].Check, "%+v", found)
			require.Equal(t, c.want, found[0].Severity, "%+v", found)
			require.Equal(t, "lb-1", found[0].Node)
			require.Contains(t, found[0].What, c.says)
			require.Contains(t, strings.Join(found[0].Fix, "\n"), c.fix)
			require.NotEmpty(t, found[0].Why)
			if c.reading {
				return
			}
			for _, command := range found[0].Fix {
				shell(t, command)
			}
			require.Empty(t, findings(), "after %v", found[0].Fix)
		})
	}
}

// A socket of IPv6 has IPv4's connections too: what keeps those out is not hidden by what lets IPv6
// in, nor the other way round.
func TestFirewallOfASocketForBoth(t *testing.T) {
	needs.Command(t, "nft")
	const v4, v6 = "meta nfproto ipv4 tcp dport 80 accept", "meta nfproto ipv6 tcp dport 80 accept"
	for name, c := range map[string]struct {
		rules string
		want  doctor.Severity
		says  string
	}{
		"both let in":   {v4 + "\n" + v6, "", ""},
		"IPv4 kept out": {v6, doctor.Error, "connections to TCP port 80"},
		"IPv6 kept out": {v4, doctor.Warning, "IPv6: connections to TCP port 80"},
	} {
		t.Run(name, func(t *testing.T) {
			f := walled(t)
			f.Listeners = func(context.Context) ([]inventory.Listener, error) {
				return []inventory.Listener{
					{
						At: netip.MustParseAddrPort("[::]:80"), Place: "/etc/haproxy/haproxy.cfg",
						Both: true,
					},
				}, nil
			}
			shell(t, chainOf("drop", c.rules))
			found, err := f.checkListeners(t.Context())
			require.NoError(t, err)
			if c.want == "" {
				require.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			require.Equal(t, c.want, found[0].Severity)
			require.True(t, strings.HasPrefix(found[0].What, c.says), found[0].What)
		})
	}
}
