package floatiptest

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/hawser-ha/hawser/agents/floatip/lan"
	"github.com/hawser-ha/hawser/internal/needs"
)

// LAN is a network of machines in network namespaces of their own, joined by a bridge in another
// one. Nothing of it is in the test's own namespace, and all of it is removed at the end of the
// test.
type LAN struct {
	bridge   netns.NsHandle
	machines int
}

// Machine is a machine of a LAN. Its interface to the LAN is called eth0.
type Machine struct {
	// MAC is the hardware address of eth0.
	MAC net.HardwareAddr

	ns netns.NsHandle
}

// NewLAN makes a network without machines. It needs root.
func NewLAN(t *testing.T) *LAN {
	needs.Root(t)
	l := &LAN{bridge: newNamespace(t)}
	l.in(t, l.bridge, func() {
		require.NoError(t, netlink.LinkAdd(
			&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "switch"}}))
		up(t, "switch")
	})
	return l
}

// Add adds a machine with these addresses, each with its network's prefix length.
func (l *LAN) Add(t *testing.T, addresses ...string) *Machine {
	l.machines++
	m := &Machine{ns: newNamespace(t)}
	port := "port" + string(rune('0'+l.machines))
	l.in(t, l.bridge, func() {
		require.NoError(t, netlink.LinkAdd(&netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: port}, PeerName: "eth0",
			PeerNamespace: netlink.NsFd(m.ns),
		}))
		bridge, err := netlink.LinkByName("switch")
		require.NoError(t, err)
		plug, err := netlink.LinkByName(port)
		require.NoError(t, err)
		require.NoError(t, netlink.LinkSetMaster(plug, bridge))
		up(t, port)
	})
	m.Do(t, func() {
		up(t, "lo")
		up(t, "eth0")
		link, err := netlink.LinkByName("eth0")
		require.NoError(t, err)
		m.MAC = link.Attrs().HardwareAddr
		for _, text := range addresses {
			addr, err := netlink.ParseAddr(text)
			require.NoError(t, err)
			if addr.IP.To4() == nil {
				addr.Flags |= 0x02 // IFA_F_NODAD: a test does not wait for it
			}
			require.NoError(t, netlink.AddrAdd(link, addr))
		}
	})
	return m
}

// Do runs the function on the machine. It must not start goroutines that use the network.
func (m *Machine) Do(t testing.TB, do func()) {
	t.Helper()
	within(t, m.ns, do)
}

func (l *LAN) in(t testing.TB, ns netns.NsHandle, do func()) {
	t.Helper()
	within(t, ns, do)
}

// Unplug pulls out the machine's cable, until the returned function is called.
func (l *LAN) Unplug(t *testing.T, m *Machine) (plug func()) {
	port := ""
	l.in(t, l.bridge, func() {
		links, err := netlink.LinkList()
		require.NoError(t, err)
		var peer int
		m.Do(t, func() {
			eth0, err := netlink.LinkByName("eth0")
			require.NoError(t, err)
			peer = eth0.Attrs().ParentIndex
		})
		for _, link := range links {
			if link.Attrs().Index == peer {
				port = link.Attrs().Name
				require.NoError(t, netlink.LinkSetDown(link))
			}
		}
	})
	require.NotEmpty(t, port)
	return func() { l.in(t, l.bridge, func() { up(t, port) }) }
}

// On returns a lan provider that always acts on the machine, whichever thread calls it.
func (m *Machine) On(t testing.TB, c lan.Config) *OnMachine {
	return &OnMachine{t: t, machine: m, Provider: lan.New(c)}
}

// OnMachine is a lan.Provider that acts on a Machine.
type OnMachine struct {
	*lan.Provider
	t       testing.TB
	machine *Machine
}

// Check is lan.Provider's, on the machine.
func (o *OnMachine) Check(ctx context.Context, ip netip.Addr) (err error) {
	o.machine.Do(o.t, func() { err = o.Provider.Check(ctx, ip) })
	return err
}

// Holder is lan.Provider's, on the machine.
func (o *OnMachine) Holder(ctx context.Context, ip netip.Addr) (holder string, err error) {
	o.machine.Do(o.t, func() { holder, err = o.Provider.Holder(ctx, ip) })
	return holder, err
}

// Here is lan.Provider's, on the machine.
func (o *OnMachine) Here(ctx context.Context, ip netip.Addr) (here bool, err error) {
	o.machine.Do(o.t, func() { here, err = o.Provider.Here(ctx, ip) })
	return here, err
}

// Assign is lan.Provider's, on the machine.
func (o *OnMachine) Assign(ctx context.Context, ip netip.Addr, server string) (err error) {
	o.machine.Do(o.t, func() { err = o.Provider.Assign(ctx, ip, server) })
	return err
}

// Release is lan.Provider's, on the machine.
func (o *OnMachine) Release(ctx context.Context, ip netip.Addr, server string) (err error) {
	o.machine.Do(o.t, func() { err = o.Provider.Release(ctx, ip, server) })
	return err
}

// Announce is lan.Provider's, on the machine.
func (o *OnMachine) Announce(ctx context.Context, ip netip.Addr) (err error) {
	o.machine.Do(o.t, func() { err = o.Provider.Announce(ctx, ip) })
	return err
}

func up(t testing.TB, name string) {
	t.Helper()
	link, err := netlink.LinkByName(name)
	require.NoError(t, err)
	require.NoError(t, netlink.LinkSetUp(link))
}

// newNamespace makes a namespace without a name, which ends with its last handle.
func newNamespace(t *testing.T) netns.NsHandle {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := netns.Get()
	require.NoError(t, err)
	defer func() { _ = before.Close() }()
	ns, err := netns.New()
	require.NoError(t, err)
	t.Cleanup(func() { _ = ns.Close() })
	require.NoError(t, netns.Set(before))
	return ns
}

// within runs the function on a thread that is in the namespace.
func within(t testing.TB, ns netns.NsHandle, do func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := netns.Get()
	require.NoError(t, err)
	defer func() { _ = before.Close() }()
	require.NoError(t, netns.Set(ns))
	defer func() { require.NoError(t, netns.Set(before)) }()
	do()
}
