package lan_test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/agents/floatip/floatiptest"
	"github.com/hawser-ha/hawser/agents/floatip/lan"
	"github.com/hawser-ha/hawser/internal/fault"
)

var (
	vip4 = netip.MustParseAddr("192.0.2.10")
	vip6 = netip.MustParseAddr("2001:db8:1::10")
)

// wait is long enough for two machines in namespaces of one busy host.
const wait = 60 * time.Millisecond

// stage is two machines on a network, and what the provider on the first one logged.
type stage struct {
	net  *floatiptest.LAN
	m, n *floatiptest.Machine
	a, b *floatiptest.OnMachine
	mu   sync.Mutex
	logs []string
}

func newStage(t *testing.T, change ...func(*lan.Config)) *stage {
	s := &stage{net: floatiptest.NewLAN(t)}
	s.m = s.net.Add(t, "192.0.2.1/24", "2001:db8:1::1/64")
	s.n = s.net.Add(t, "192.0.2.2/24", "2001:db8:1::2/64")
	c := lan.Config{Node: "a", ConflictWait: wait, Log: func(format string, args ...any) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.logs = append(s.logs, fmt.Sprintf(format, args...))
	}}
	for _, f := range change {
		f(&c)
	}
	s.a = s.m.On(t, c)
	c.Node = "b"
	s.b = s.n.On(t, c)
	return s
}

func TestConformance(t *testing.T) {
	for _, ip := range []netip.Addr{vip4, vip6} {
		t.Run(ip.String(), func(t *testing.T) {
			floatiptest.Conformance(t, func(t *testing.T) floatiptest.World {
				s := newStage(t)
				return floatiptest.World{
					IP: ip, A: s.a, B: s.b,
					Seen:   map[string]string{"a": s.m.MAC.String(), "b": s.n.MAC.String()},
					Outage: func(t *testing.T) func() { return s.net.Unplug(t, s.m) },
				}
			})
		})
	}
}

func addrs(t *testing.T, m *floatiptest.Machine) (all []string) {
	m.Do(t, func() {
		list, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
		require.NoError(t, err)
		for _, a := range list {
			all = append(all, a.IPNet.String())
		}
	})
	return all
}

func routes(t *testing.T, m *floatiptest.Machine) (all []string) {
	m.Do(t, func() {
		list, err := netlink.RouteList(nil, netlink.FAMILY_ALL)
		require.NoError(t, err)
		for _, r := range list {
			all = append(all, r.String())
		}
	})
	return all
}

func TestDerivedFromTheRoutingTable(t *testing.T) {
	s := newStage(t)
	for ip, want := range map[netip.Addr]string{vip4: "192.0.2.10/24", vip6: "2001:db8:1::10/64"} {
		before := routes(t, s.m)
		require.NoError(t, s.a.Assign(t.Context(), ip, "a"))
		require.Contains(t, addrs(t, s.m), want)
		require.ElementsMatch(t, before, routes(t, s.m),
			"the route to the network is somebody else's")
		require.NoError(t, s.a.Release(t.Context(), ip, "a"))
		require.NotContains(t, addrs(t, s.m), want)
		require.ElementsMatch(t, before, routes(t, s.m))
	}
	require.Contains(t, strings.Join(s.logs, "\n"),
		"192.0.2.10 goes to eth0 as /24; interface and prefix length derived from the routing "+
			"table")
}

func TestSmallestNetworkWins(t *testing.T) {
	s := newStage(t)
	s.m.Do(t, func() {
		require.NoError(t, netlink.LinkAdd(
			&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "wide"}}))
		link, err := netlink.LinkByName("wide")
		require.NoError(t, err)
		wide, err := netlink.ParseAddr("192.0.0.1/16")
		require.NoError(t, err)
		require.NoError(t, netlink.AddrAdd(link, wide))
		require.NoError(t, netlink.LinkSetUp(link))
	})
	require.NoError(t, s.a.Assign(t.Context(), vip4, "a"))
	require.Contains(t, strings.Join(s.logs, "\n"), "goes to eth0 as /24")
}

func TestGivenPlace(t *testing.T) {
	s := newStage(t, func(c *lan.Config) { c.NIC, c.Prefix = "eth0", 28 })
	ip := netip.MustParseAddr("198.51.100.7")
	require.NoError(t, s.a.Assign(t.Context(), ip, "a"))
	require.Contains(t, addrs(t, s.m), "198.51.100.7/28")
	require.Contains(t, strings.Join(routes(t, s.m), "\n"), "198.51.100.0/28",
		"a given prefix brings its route")
	require.NoError(t, s.a.Release(t.Context(), ip, "a"))
	require.NotContains(t, strings.Join(routes(t, s.m), "\n"), "198.51.100.0/28")
}

func TestNoPlace(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*lan.Config)
		ip     string
		want   string
	}{
		"no network": {func(*lan.Config) {}, "198.51.100.7",
			"no interface of this node is on a network that holds 198.51.100.7: correct ip, or give nic"},
		"the broadcast address": {func(*lan.Config) {}, "192.0.2.255",
			"it is the broadcast address of the network 192.0.2.0/24: correct ip"},
		"no such nic": {func(c *lan.Config) { c.NIC = "eth7" }, "192.0.2.10",
			"this node has no interface eth7 (it has lo, eth0): correct nic"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, test.change)
			ip := netip.MustParseAddr(test.ip)
			for _, err := range []error{s.a.Assign(t.Context(), ip, "a"),
				s.a.Check(t.Context(), ip)} {
				require.ErrorContains(t, err, test.want)
				require.Equal(t, fault.NotInstalled, fault.Of(err))
			}
			here, err := s.a.Here(t.Context(), ip)
			require.NoError(t, err, "it is certainly not here")
			require.False(t, here)
			require.NoError(t, s.a.Release(t.Context(), ip, "a"))
		})
	}
}

func TestConflictNamesTheOther(t *testing.T) {
	for _, ip := range []netip.Addr{vip4, vip6} {
		s := newStage(t)
		require.NoError(t, s.b.Assign(t.Context(), ip, "b"))
		err := s.a.Assign(t.Context(), ip, "a")
		require.ErrorContains(t, err,
			"is in use by another machine on the network of eth0, hardware address "+s.n.MAC.String())
		require.Equal(t, fault.Conflict, fault.Of(err))
		require.NotContains(t, strings.Join(addrs(t, s.m), " "), ip.String()+"/")
	}
}

// TestNotTheSourceOfThisNode: the node's own connections do not come from a floating address, which
// would break them when it moves.
func TestNotTheSourceOfThisNode(t *testing.T) {
	for ip, own := range map[netip.Addr]string{vip4: "192.0.2.1", vip6: "2001:db8:1::1"} {
		s := newStage(t)
		to := map[bool]string{false: "192.0.2.2", true: "2001:db8:1::2"}[ip.Is6()]
		source := func() (src string) {
			s.m.Do(t, func() {
				conn, err := net.Dial("udp", net.JoinHostPort(to, "9"))
				require.NoError(t, err)
				src = conn.LocalAddr().(*net.UDPAddr).IP.String()
				require.NoError(t, conn.Close())
			})
			return src
		}
		require.Equal(t, own, source())
		require.NoError(t, s.a.Assign(t.Context(), ip, "a"))
		require.Equal(t, own, source(), "%s is there as well", ip)
		// It can be bound, and it answers.
		s.m.Do(t, func() {
			l, err := net.Listen("tcp", net.JoinHostPort(ip.String(), "8080"))
			require.NoError(t, err)
			defer func() { _ = l.Close() }()
			s.n.Do(t, func() {
				conn, err := net.DialTimeout("tcp", l.Addr().String(), 5*time.Second)
				require.NoError(t, err)
				require.NoError(t, conn.Close())
			})
		})
		here, err := s.a.Here(t.Context(), ip)
		require.NoError(t, err)
		require.True(t, here)
	}
}

// Two machines that take the address at the same time, in a cluster that has split, see each
// other's probes.
func TestBothAtOnce(t *testing.T) {
	for _, ip := range []netip.Addr{vip4, vip6} {
		s := newStage(t, func(c *lan.Config) { c.ConflictWait = time.Second })
		var wg sync.WaitGroup
		errs := make([]error, 2)
		wg.Go(func() { errs[0] = s.a.Assign(t.Context(), ip, "a") })
		wg.Go(func() { errs[1] = s.b.Assign(t.Context(), ip, "b") })
		wg.Wait()
		require.False(t, errs[0] == nil && errs[1] == nil, "%s: both took it", ip)
	}
}

// An address that somebody else has too, although it is here, is found out by Holder.
func TestConflictAfterwards(t *testing.T) {
	s := newStage(t, func(c *lan.Config) { c.NIC = "eth0" })
	require.NoError(t, s.a.Assign(t.Context(), vip4, "a"))
	s.n.Do(t, func() { addByHand(t, "192.0.2.10/24") })
	_, err := s.a.Holder(t.Context(), vip4)
	require.Equal(t, fault.Conflict, fault.Of(err), "%v", err)
	here, err := s.a.Here(t.Context(), vip4)
	require.NoError(t, err)
	require.True(t, here)
}

func addByHand(t *testing.T, text string) {
	link, err := netlink.LinkByName("eth0")
	require.NoError(t, err)
	addr, err := netlink.ParseAddr(text)
	require.NoError(t, err)
	require.NoError(t, netlink.AddrAdd(link, addr))
}

func TestCarrier(t *testing.T) {
	s := newStage(t)
	plug := s.net.Unplug(t, s.m)
	err := s.a.Assign(t.Context(), vip4, "a")
	require.ErrorContains(t, err, "eth0 has no carrier")
	require.Equal(t, fault.Broken, fault.Of(err))
	plug()
	require.Eventually(t, func() bool {
		return s.a.Assign(t.Context(), vip4, "a") == nil
	}, 5*time.Second, 10*time.Millisecond)

	plug = s.net.Unplug(t, s.m)
	_, err = s.a.Here(t.Context(), vip4)
	require.ErrorContains(t, err, "192.0.2.10 cannot serve: eth0 has no carrier")
	require.Equal(t, fault.Broken, fault.Of(err))
	require.NoError(t, s.a.Release(t.Context(), vip4, "a"), "a release needs no carrier")
	plug()

	s.m.Do(t, func() {
		link, err := netlink.LinkByName("eth0")
		require.NoError(t, err)
		require.NoError(t, netlink.LinkSetDown(link))
	})
	require.ErrorContains(t, s.a.Assign(t.Context(), netip.MustParseAddr("192.0.2.11"), "a"),
		"no interface of this node is on a network",
		"an interface that is down has no routes")
}

func TestLinkDownWithNICGiven(t *testing.T) {
	s := newStage(t, func(c *lan.Config) { c.NIC, c.Prefix = "eth0", 24 })
	s.m.Do(t, func() {
		link, err := netlink.LinkByName("eth0")
		require.NoError(t, err)
		require.NoError(t, netlink.LinkSetDown(link))
	})
	require.ErrorContains(t, s.a.Assign(t.Context(), vip4, "a"),
		"eth0 is down: ip link set eth0 up")
}

// A network manager that takes the address away is noticed.
func TestRemovedBySomebodyElse(t *testing.T) {
	s := newStage(t)
	require.NoError(t, s.a.Assign(t.Context(), vip4, "a"))
	s.m.Do(t, func() {
		link, err := netlink.LinkByName("eth0")
		require.NoError(t, err)
		addr, err := netlink.ParseAddr("192.0.2.10/24")
		require.NoError(t, err)
		require.NoError(t, netlink.AddrDel(link, addr))
	})
	here, err := s.a.Here(t.Context(), vip4)
	require.NoError(t, err)
	require.False(t, here)
}

func TestOnTheWrongInterface(t *testing.T) {
	s := newStage(t, func(c *lan.Config) { c.NIC = "eth1"; c.Prefix = 24 })
	s.m.Do(t, func() {
		require.NoError(t, netlink.LinkAdd(
			&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "eth1"}}))
		addByHand(t, "192.0.2.10/24")
	})
	_, err := s.a.Here(t.Context(), vip4)
	require.ErrorContains(t, err, "192.0.2.10 is on eth0, and nic says eth1")
	require.NoError(t, s.a.Release(t.Context(), vip4, "a"))
	require.NotContains(t, addrs(t, s.m), "192.0.2.10/24")
}

// The address is exactly this one: another with the same beginning is none of ours.
func TestExactComparison(t *testing.T) {
	s := newStage(t)
	s.m.Do(t, func() { addByHand(t, "192.0.2.100/24") })
	here, err := s.a.Here(t.Context(), vip4)
	require.NoError(t, err)
	require.False(t, here)
}

func TestReleaseOfSeveralCopies(t *testing.T) {
	s := newStage(t)
	s.m.Do(t, func() { addByHand(t, "192.0.2.10/24"); addByHand(t, "192.0.2.10/32") })
	require.NoError(t, s.a.Release(t.Context(), vip4, "a"))
	require.NotContains(t, strings.Join(addrs(t, s.m), " "), "192.0.2.10/")
}

// neighbour is the hardware address that the machine has for the address in its cache, "" if none.
func neighbour(t *testing.T, m *floatiptest.Machine, ip netip.Addr) (mac string) {
	m.Do(t, func() {
		link, err := netlink.LinkByName("eth0")
		require.NoError(t, err)
		family := unix.AF_INET
		if ip.Is6() {
			family = unix.AF_INET6
		}
		list, err := netlink.NeighList(link.Attrs().Index, family)
		require.NoError(t, err)
		for _, n := range list {
			if got, _ := netip.AddrFromSlice(n.IP); got.Unmap() == ip {
				mac = n.HardwareAddr.String()
			}
		}
	})
	return mac
}

// A neighbour that has cached the old holder learns of the new one at once.
func TestNeighboursLearn(t *testing.T) {
	for _, ip := range []netip.Addr{vip4, vip6} {
		s := newStage(t)
		client := s.net.Add(t, "192.0.2.3/24", "2001:db8:1::3/64")
		client.Do(t, func() {
			link, err := netlink.LinkByName("eth0")
			require.NoError(t, err)
			require.NoError(t, netlink.NeighSet(&netlink.Neigh{
				LinkIndex: link.Attrs().Index, State: netlink.NUD_REACHABLE, IP: ip.AsSlice(),
				HardwareAddr: s.n.MAC,
			}))
		})
		require.Equal(t, s.n.MAC.String(), neighbour(t, client, ip))
		require.NoError(t, s.a.Assign(t.Context(), ip, "a"))
		learnt := func() bool { return neighbour(t, client, ip) == s.m.MAC.String() }
		require.Eventually(t, learnt, 3*time.Second, 5*time.Millisecond, "%s: %s", ip,
			neighbour(t, client, ip))
	}
}

// TestNobodyWaitsForTheLog: a slow log does not delay the address.
func TestNobodyWaitsForTheLog(t *testing.T) {
	logged := make(chan struct{})
	s := newStage(t, func(c *lan.Config) {
		c.Log = func(string, ...any) { <-logged }
	})
	client := s.net.Add(t, "192.0.2.3/24")
	client.Do(t, func() {
		link, err := netlink.LinkByName("eth0")
		require.NoError(t, err)
		require.NoError(t, netlink.NeighSet(&netlink.Neigh{
			LinkIndex: link.Attrs().Index, State: netlink.NUD_REACHABLE, IP: vip4.AsSlice(),
			HardwareAddr: s.n.MAC,
		}))
	})
	done := make(chan error, 1)
	go func() { done <- s.a.Assign(t.Context(), vip4, "a") }()
	defer func() {
		close(logged)
		require.NoError(t, <-done)
	}()
	require.Eventually(t, func() bool {
		return neighbour(t, client, vip4) == s.m.MAC.String()
	}, 3*time.Second, 5*time.Millisecond)
	require.Empty(t, done, "the log was not waited for at all: this test proves nothing")
}

func TestNoProbeOnRequest(t *testing.T) {
	s := newStage(t, func(c *lan.Config) { c.ConflictWait = 0 })
	require.NoError(t, s.b.Assign(t.Context(), vip4, "b"))
	require.NoError(t, s.a.Assign(t.Context(), vip4, "a"), "nobody is asked")
}

func TestNotForOthers(t *testing.T) {
	s := newStage(t)
	require.ErrorContains(t, s.a.Assign(t.Context(), vip4, "b"),
		"each machine takes its addresses itself")
}

// TestReleaseLeavesTheOthers: the kernel removes the secondary addresses of a network together with
// the primary one, be they other floating addresses or the host's own.
func TestReleaseLeavesTheOthers(t *testing.T) {
	s := newStage(t, func(c *lan.Config) { c.NIC, c.Prefix = "eth0", 24 })
	first, second := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("198.51.100.8")
	require.NoError(t, s.a.Assign(t.Context(), first, "a"))
	require.NoError(t, s.a.Assign(t.Context(), second, "a"))
	s.m.Do(t, func() { addByHand(t, "198.51.100.9/24") })
	require.NoError(t, s.a.Release(t.Context(), first, "a"))
	require.NotContains(t, addrs(t, s.m), "198.51.100.7/24")
	require.Contains(t, addrs(t, s.m), "198.51.100.8/24")
	require.Contains(t, addrs(t, s.m), "198.51.100.9/24")
	require.Contains(t, strings.Join(routes(t, s.m), "\n"), "198.51.100.0/24",
		"they are still on their network")
	require.Contains(t, strings.Join(s.logs, "\n"), "promote_secondaries")
}
