package firewall

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"

	"github.com/hawser-ha/hawser/internal/needs"
)

const inNamespace = "HAWSER_TEST_FIREWALL"

// TestMain runs the tests in a network namespace of their own.
func TestMain(m *testing.M) {
	if os.Getenv(inNamespace) == "" && os.Geteuid() == 0 {
		cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
		cmd.Env = append(os.Environ(), inNamespace+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		_ = cmd.Run()
		os.Exit(cmd.ProcessState.ExitCode())
	}
	os.Exit(m.Run())
}

// The machine that is judged, and its neighbour.
var (
	here, there   = netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	here6, there6 = netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
)

const nic = "here0"

// wired makes the neighbour: a second network namespace at the other end of a cable.
func wired(t *testing.T) netns.NsHandle {
	t.Helper()
	needs.Root(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	require.NoError(t, err)
	defer func() { _ = home.Close() }()
	far, err := netns.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = far.Close() })
	require.NoError(t, netns.Set(home))
	require.NoError(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: nic}, PeerName: "there0", PeerNamespace: netlink.NsFd(far)}))
	t.Cleanup(func() {
		link, err := netlink.LinkByName(nic)
		if err == nil {
			_ = netlink.LinkDel(link)
		}
	})
	up(t, nic, here, here6)
	require.NoError(t, netns.Set(far))
	up(t, "there0", there, there6)
	require.NoError(t, netns.Set(home))
	return far
}

func up(t *testing.T, name string, addresses ...netip.Addr) {
	t.Helper()
	link, err := netlink.LinkByName(name)
	require.NoError(t, err)
	for _, a := range addresses {
		bits := 24
		if a.Is6() {
			bits = 64
		}
		require.NoError(t, netlink.AddrAdd(link, &netlink.Addr{
			IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, a.BitLen())}, Flags: syscall.IFA_F_NODAD,
		}))
	}
	require.NoError(t, netlink.LinkSetUp(link))
}

// inside runs f in a network namespace.
func inside(t *testing.T, ns netns.NsHandle, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := netns.Get()
	require.NoError(t, err)
	defer func() { _ = home.Close() }()
	require.NoError(t, netns.Set(ns))
	defer func() { require.NoError(t, netns.Set(home)) }()
	f()
}

func load(t *testing.T, rules string) *Ruleset {
	t.Helper()
	require.NoError(t, netlink.ConntrackTableFlush(netlink.ConntrackTable)) // what an earlier test has sent
	cmd := exec.Command(needs.Command(t, "nft"), "-f", "-")
	cmd.Stdin = strings.NewReader("flush ruleset\n" + rules)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	r, err := Read()
	require.NoError(t, err)
	return r
}

// soon is how long a packet that comes may take, and later how long to wait for one that does not.
const (
	soon  = 10 * time.Second
	later = 300 * time.Millisecond
)

// arrives tries it: a connection of TCP, or a datagram of UDP, from the neighbour.
func arrives(t *testing.T, far netns.NsHandle, p Packet, patience time.Duration) bool {
	t.Helper()
	from, to := there, here
	if p.IPv6 {
		from, to = there6, here6
	}
	at := netip.AddrPortFrom(to, p.Port)
	if p.Protocol == TCP {
		l, err := net.Listen("tcp", at.String())
		require.NoError(t, err)
		defer func() { _ = l.Close() }()
		var dialled error
		inside(t, far, func() {
			d := net.Dialer{Timeout: patience}
			c, err := d.Dial("tcp", at.String())
			if dialled = err; err == nil {
				_ = c.Close()
			}
		})
		return dialled == nil
	}
	mine, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	require.NoError(t, err)
	defer func() { _ = mine.Close() }()
	if p.Established { // as Corosync does, both have the same port
		_, err := mine.WriteToUDPAddrPort([]byte("first"), netip.AddrPortFrom(from, p.Port))
		require.NoError(t, err)
	}
	inside(t, far, func() {
		theirs, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, p.Port)))
		require.NoError(t, err)
		defer func() { _ = theirs.Close() }()
		_, err = theirs.WriteToUDPAddrPort([]byte("token"), at)
		require.NoError(t, err)
	})
	require.NoError(t, mine.SetReadDeadline(time.Now().Add(patience)))
	_, _, err = mine.ReadFromUDPAddrPort(make([]byte, 16))
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		require.NoError(t, err)
	}
	return err == nil
}

func tcp(port uint16) Packet {
	return Packet{Protocol: TCP, From: there, To: here, Port: port, Interface: nic}
}

func udp(port uint16) Packet {
	return Packet{Protocol: UDP, From: there, To: here, FromPort: port, Port: port, Interface: nic}
}

func over6(p Packet) Packet {
	p.IPv6, p.From, p.To = true, there6, here6
	return p
}

func answering(p Packet) Packet {
	p.Established = true
	return p
}

// input is a chain of the usual kind with these rules.
func input(policy string, rules ...string) string {
	return fmt.Sprintf("table inet filter {\n set peers { type ipv4_addr; elements = { 192.0.2.2, 192.0.2.3 } }\n"+
		" set nets { type ipv4_addr; flags interval; elements = { 192.0.2.0/30, 198.51.100.0/24 } }\n"+
		" set pairs { type ipv4_addr . inet_service; elements = { 192.0.2.2 . 5405 } }\n"+
		" set wide { type ipv4_addr . inet_service; flags interval; elements = { 192.0.2.0/24 . 5400-5410 } }\n"+
		" map verdicts { type inet_service : verdict; elements = { 80 : accept, 5405 : jump more } }\n"+
		" chain more { ip saddr @peers accept; return; }\n"+
		" chain input { type filter hook input priority 0; policy %s;\n  icmpv6 type { 135, 136 } accept\n  %s\n }\n}\n", policy, strings.Join(rules, "\n  "))
}

// TestJudge loads rules into the kernel, follows a packet through them, and sends such a packet.
func TestJudge(t *testing.T) {
	far := wired(t)
	for i, c := range []struct {
		rules  string
		packet Packet
		want   Answer
	}{
		{"", tcp(80), Open},
		{input("accept"), tcp(80), Open},
		{input("drop"), tcp(80), Blocked},
		{input("drop"), udp(5405), Blocked},
		{input("drop", "tcp dport 80 accept"), tcp(80), Open},
		{input("drop", "tcp dport 80 accept"), tcp(81), Blocked},
		{input("drop", "tcp dport 80 accept"), udp(80), Blocked},
		{input("drop", "tcp dport { 80, 443 } accept"), tcp(443), Open},
		{input("drop", "tcp dport { 80, 443 } accept"), tcp(444), Blocked},
		{input("drop", "tcp dport 8000-8100 accept"), tcp(8050), Open},
		{input("drop", "tcp dport 8000-8100 accept"), tcp(8101), Blocked},
		{input("drop", "tcp dport { 22, 8000-8100 } accept"), tcp(8050), Open},
		{input("drop", "tcp dport { 22, 8000-8100 } accept"), tcp(7999), Blocked},
		{input("accept", "tcp dport != 80 drop"), tcp(80), Open},
		{input("accept", "tcp dport != 80 drop"), tcp(81), Blocked},
		{input("accept", "tcp dport > 1024 reject"), tcp(8080), Blocked},
		{input("accept", "tcp dport > 1024 reject"), tcp(1024), Open},
		{input("drop", "ip saddr 192.0.2.2 udp dport 5405 accept"), udp(5405), Open},
		{input("drop", "ip saddr 192.0.2.3 udp dport 5405 accept"), udp(5405), Blocked},
		{input("drop", "ip saddr 192.0.2.0/24 udp dport 5405 accept"), udp(5405), Open},
		{input("drop", "ip saddr 198.51.100.0/24 udp dport 5405 accept"), udp(5405), Blocked},
		{input("drop", "ip saddr @peers accept"), udp(5405), Open},
		{input("drop", "ip saddr != @peers accept"), udp(5405), Blocked},
		{input("drop", "ip saddr @nets accept"), udp(5405), Open},
		{input("drop", "ip saddr . udp dport @pairs accept"), udp(5405), Open},
		{input("drop", "ip saddr . udp dport @pairs accept"), udp(5406), Blocked},
		{input("drop", "ip saddr . udp dport @wide accept"), udp(5407), Open},
		{input("drop", "ip saddr . udp dport @wide accept"), udp(5411), Blocked},
		{input("drop", "tcp dport vmap @verdicts"), tcp(80), Open},
		{input("drop", "tcp dport vmap @verdicts"), tcp(81), Blocked},
		{input("drop", "udp dport vmap @verdicts"), udp(5405), Open},
		{input("drop", "udp dport vmap { 5405 : accept, * : drop }"), udp(5406), Blocked},
		{input("drop", "iifname \"here0\" accept"), tcp(80), Open},
		{input("drop", "iifname \"lo\" accept"), tcp(80), Blocked},
		{input("drop", "iifname \"her*\" accept"), tcp(80), Open},
		{input("drop", "ct state established,related accept"), tcp(80), Blocked},
		{input("drop", "ct state vmap { established : accept, related : accept, invalid : drop }", "tcp dport 80 ct state new accept"), tcp(80), Open},
		{input("drop", "ct state established,related accept"), udp(5405), Blocked},
		{input("drop", "ct state established,related accept"), answering(udp(5405)), Open},
		{input("drop", "ct state new accept"), answering(udp(5405)), Blocked},
		{input("drop", "jump more"), udp(5405), Open},
		{input("accept", "goto more"), udp(5405), Open},
		{input("drop", "meta nfproto ipv6 accept"), tcp(80), Blocked},
		{input("drop", "meta nfproto ipv6 accept"), over6(tcp(80)), Open},
		{input("drop", "ip6 saddr 2001:db8::/32 tcp dport 80 accept"), over6(tcp(80)), Open},
		{input("drop", "ip6 saddr 2001:db9::/32 tcp dport 80 accept"), over6(tcp(80)), Blocked},
		{input("drop", "tcp flags & (fin|syn|rst|ack) == syn tcp dport 80 accept"), tcp(80), Open},
		{input("accept", "tcp flags syn / fin,syn,rst,ack drop"), tcp(80), Blocked},
		{input("drop", "counter log prefix \"x\" tcp dport 80 counter accept"), tcp(80), Open},
		{input("drop", "meta l4proto { tcp, udp } th dport 80 accept"), tcp(80), Open},
		{input("drop", "fib daddr type local accept"), tcp(80), Open},
		{input("drop", "meta mark 0 accept"), tcp(80), Open},
		{input("drop", "meta pkttype host accept"), tcp(80), Open},
		{input("accept") + "table ip raw { chain pre { type filter hook prerouting priority -300; tcp dport 80 drop; }; }\n", tcp(80), Blocked},
		{input("accept") + "table ip late { chain in { type filter hook input priority 10; policy drop; }; }\n", tcp(80), Blocked},
		{input("accept") + "table ip off { flags dormant; chain in { type filter hook input priority 10; policy drop; }; }\n", tcp(80), Open},
		{"table ip6 filter { chain in { type filter hook input priority 0; policy drop; }; }\n", tcp(80), Open},
		{"table netdev early { chain in { type filter hook ingress device here0 priority 0; ip protocol tcp drop; }; }\n", tcp(80), Blocked},

		{input("drop", "tcp dport 80 limit rate 10/second accept"), tcp(80), Doubtful},
		{input("drop", "tcp sport 1024-65535 tcp dport 80 accept"), tcp(80), Doubtful},
		{input("drop", "meta cpu 0 accept"), tcp(80), Doubtful},
		{input("drop", "ip ttl 64 accept"), tcp(80), Doubtful},
		{input("drop", "fib saddr . iif oif != 0 accept"), tcp(80), Doubtful},
		{input("accept", "meta mark set 1") + "table ip late { chain in { type filter hook input priority 10; meta mark 1 drop; }; }\n", tcp(80), Doubtful},
		{input("drop", "tcp option maxseg size 1-65535 accept"), tcp(80), Doubtful},
		{input("drop", "ct mark 7 accept"), tcp(80), Doubtful},
		{input("accept") + "table ip nat { chain pre { type nat hook prerouting priority -100; tcp dport 80 redirect to :81; }; }\n", tcp(80), Doubtful},
		{input("accept") + "table ip nat { chain pre { type nat hook prerouting priority -100; tcp dport 90 redirect to :81; }; }\n", tcp(80), Open},
		{input("drop", "ct status dnat accept"), tcp(80), Blocked},
	} {
		t.Run(fmt.Sprintf("%d %s", i, c.want), func(t *testing.T) {
			r := load(t, c.rules)
			got := r.Judge(c.packet)
			require.Equal(t, c.want, got.Answer, "%s\n%+v", c.rules, got)
			switch c.want {
			case Open:
				require.True(t, arrives(t, far, c.packet, soon), "%s", c.rules)
			case Blocked:
				require.False(t, arrives(t, far, c.packet, later), "%s", c.rules)
				require.NotEmpty(t, got.By.Chain)
			default:
				require.NotEmpty(t, got.Doubts)
			}
		})
	}
}

// TestIPTables does the same with rules that iptables-nft writes, among them those of its own extensions.
func TestIPTables(t *testing.T) {
	far := wired(t)
	iptables := needs.Command(t, "iptables-nft")
	for i, c := range []struct {
		rules  []string
		packet Packet
		want   Answer
	}{
		{[]string{"-P INPUT DROP"}, tcp(80), Blocked},
		{[]string{"-A INPUT -p tcp --dport 80 -j ACCEPT", "-P INPUT DROP"}, tcp(80), Open},
		{[]string{"-A INPUT -p tcp -m tcp --dport 80 --syn -m comment --comment web -j ACCEPT", "-P INPUT DROP"}, tcp(80), Open},
		{[]string{"-A INPUT -p tcp -m multiport --dports 80,443,8000:8100 -j ACCEPT", "-P INPUT DROP"}, tcp(8050), Open},
		{[]string{"-A INPUT -p tcp -m multiport --dports 80,443,8000:8100 -j ACCEPT", "-P INPUT DROP"}, tcp(8101), Blocked},
		{[]string{"-A INPUT -p tcp -m multiport ! --dports 80 -j REJECT"}, tcp(81), Blocked},
		{[]string{"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A INPUT -j REJECT"}, udp(5405), Blocked},
		{[]string{"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "-A INPUT -j REJECT"}, answering(udp(5405)), Open},
		{[]string{"-A INPUT -m conntrack ! --ctstate NEW -j ACCEPT", "-A INPUT -j REJECT"}, tcp(80), Blocked},
		{[]string{"-A INPUT -m state --state NEW,ESTABLISHED -j ACCEPT", "-A INPUT -j REJECT"}, tcp(80), Open},
		{[]string{"-A INPUT -m conntrack --ctstate INVALID -j DROP", "-A INPUT -m conntrack --ctstate DNAT -j DROP"}, tcp(80), Open},
		{[]string{"-A INPUT -m addrtype ! --dst-type LOCAL -j DROP"}, tcp(80), Open},
		{[]string{"-N web", "-A web -p tcp --dport 80 -j ACCEPT", "-A INPUT -i here0 -g web", "-P INPUT DROP"}, tcp(80), Open},
		{[]string{"-N web", "-A web -s 192.0.2.2 -j RETURN", "-A web -j ACCEPT", "-A INPUT -j web", "-A INPUT -j LOG", "-A INPUT -j DROP"}, tcp(80), Blocked},
		{[]string{"-A INPUT -p udp -m udp --sport 5405 --dport 5405 -j ACCEPT", "-P INPUT DROP"}, udp(5405), Open},
		{[]string{"-t raw -A PREROUTING -p udp --dport 5405 -j DROP"}, udp(5405), Blocked},
		{[]string{"-A INPUT -m limit --limit 10/s -j ACCEPT", "-P INPUT DROP"}, tcp(80), Doubtful},
		{[]string{"-A INPUT -m ttl --ttl-eq 64 -j ACCEPT", "-P INPUT DROP"}, tcp(80), Doubtful},
		{[]string{"-A INPUT -p tcp --dport 80 -j NFQUEUE --queue-num 7"}, tcp(80), Doubtful},
		{[]string{"-t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 81"}, tcp(80), Doubtful},
	} {
		t.Run(fmt.Sprintf("%d %s", i, c.want), func(t *testing.T) {
			load(t, "")
			for _, rule := range c.rules {
				out, err := exec.Command(iptables, strings.Fields(rule)...).CombinedOutput()
				require.NoError(t, err, "%s: %s", rule, out)
			}
			r, err := Read()
			require.NoError(t, err)
			got := r.Judge(c.packet)
			require.Equal(t, c.want, got.Answer, "%q\n%+v", c.rules, got)
			switch c.want {
			case Open:
				require.True(t, arrives(t, far, c.packet, soon), "%q", c.rules)
			case Blocked:
				require.False(t, arrives(t, far, c.packet, later), "%q", c.rules)
				require.True(t, got.By.IPTables(), "%+v", got)
			default:
				require.NotEmpty(t, got.Doubts)
			}
		})
	}
}

// TestRulesThatChangeMeanwhile reads them again, and says so where they never rest.
func TestRulesThatChangeMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		changes int // readings during which they change
		cut     int // readings that the kernel says it has interrupted
		fails   bool
	}{"never": {}, "once": {changes: 1}, "cut short once": {cut: 1}, "all the time": {changes: 100, fails: true}} {
		t.Run(name, func(t *testing.T) {
			var number uint32
			n := 0
			last := &Ruleset{}
			r, err := steadily(func() (uint32, error) { return number, nil }, func() (*Ruleset, error) {
				n++
				if n <= c.changes {
					number++
				}
				last = &Ruleset{}
				if n <= c.cut {
					return nil, fmt.Errorf("read: %w", nl.ErrDumpInterrupted)
				}
				return last, nil
			})
			if c.fails {
				require.ErrorContains(t, err, "while they were read")
				return
			}
			require.NoError(t, err)
			require.Same(t, last, r)
			require.Equal(t, max(c.changes, c.cut)+1, n)
		})
	}
	_, err := steadily(generation, func() (*Ruleset, error) { return nil, errors.New("no such table") })
	require.ErrorContains(t, err, "no such table")
	needs.Root(t)
	before, err := generation()
	require.NoError(t, err)
	load(t, input("accept"))
	after, err := generation()
	require.NoError(t, err)
	require.NotEqual(t, before, after)
}

// TestLegacy tells rules of the older ip_tables, which are not followed, from a table that is merely there.
func TestLegacy(t *testing.T) {
	needs.Root(t)
	iptables := needs.Command(t, "iptables-legacy")
	legacy := func() bool {
		r, err := Read()
		require.NoError(t, err)
		return r.Legacy
	}
	run := func(args ...string) {
		out, err := exec.Command(iptables, args...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run("--list-rules")
	require.False(t, legacy())
	run("--append", "INPUT", "--protocol", "udp", "--jump", "DROP")
	require.True(t, legacy())
	run("--flush", "INPUT")
	require.False(t, legacy())
	run("--policy", "INPUT", "DROP")
	require.True(t, legacy())
	run("--policy", "INPUT", "ACCEPT")
}
