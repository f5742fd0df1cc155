package nic_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/nic"
	"github.com/hawser-ha/hawser/internal/nic/nictest"
)

// says waits until the interface does not work for that reason; "" if it is to work.
func says(t *testing.T, name, why string) {
	t.Helper()
	var last error
	require.Eventually(t, func() bool {
		last = nic.Works(name)
		if why == "" || last == nil {
			return why == "" && last == nil
		}
		require.NotErrorIs(t, last, nic.ErrUnknown)
		return last.Error() == why
	}, 10*time.Second, 5*time.Millisecond, "%v", &last)
}

func TestWhichInterfacesWork(t *testing.T) {
	cable := nictest.New(t)
	name := cable.Name
	says(t, name, "")
	cable.Unplug()
	says(t, name, name+" has no carrier: check its cable, switch port or lower interface")
	cable.Plug()
	says(t, name, "")
	cable.Down()
	says(t, name, name+" is down: ip link set "+name+" up")
	cable.Up()
	says(t, name, "")
	says(t, "lo", "")

	cable.Remove()
	err := nic.Works(name)
	require.ErrorContains(t, err, "this node has no interface "+name+" (it has ")
	require.ErrorContains(t, err, "lo")
	require.NotErrorIs(t, err, nic.ErrUnknown)
}

// add adds an interface and switches it on.
func add(t *testing.T, link netlink.Link) string {
	t.Helper()
	require.NoError(t, netlink.LinkAdd(link), "an interface of the kind %s", link.Type())
	t.Cleanup(func() { _ = netlink.LinkDel(link) })
	require.NoError(t, netlink.LinkSetUp(link))
	return link.Attrs().Name
}

func attrs(cable *nictest.Cable, suffix string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = cable.Name[:len(cable.Name)-1] + suffix
	return a
}

func TestJudge(t *testing.T) {
	const good = unix.IFF_UP | unix.IFF_LOWER_UP
	require.NoError(t, nic.Judge("eth0", good))
	require.EqualError(t, nic.Judge("eth0", unix.IFF_LOWER_UP), "eth0 is down: ip link set eth0 up")
	require.ErrorContains(t, nic.Judge("eth0", unix.IFF_UP|unix.IFF_RUNNING), "eth0 has no carrier")
	require.ErrorContains(t, nic.Judge("eth0", good|unix.IFF_DORMANT), "802.1X")
}

// TestUnknownState: the operational state of some is not known, as of dummy and tun devices.
func TestUnknownState(t *testing.T) {
	link := &netlink.Ifb{LinkAttrs: attrs(nictest.New(t), "d")}
	name := add(t, link)
	now, err := netlink.LinkByName(name)
	require.NoError(t, err)
	require.EqualValues(t, netlink.OperUnknown, now.Attrs().OperState)
	says(t, name, "")
}

// TestBridge: it has a carrier while one of its ports has.
func TestBridge(t *testing.T) {
	cable := nictest.New(t)
	bridge := &netlink.Bridge{LinkAttrs: attrs(cable, "r")}
	name := add(t, bridge)
	port, err := netlink.LinkByName(cable.Name)
	require.NoError(t, err)
	require.NoError(t, netlink.LinkSetMaster(port, bridge))
	says(t, name, "")
	cable.Unplug()
	says(t, name, name+" has no carrier: check its cable, switch port or lower interface")
}

// TestUpperInterface: one that is on another, as a VLAN is, has a carrier while that has.
func TestUpperInterface(t *testing.T) {
	cable := nictest.New(t)
	lower, err := netlink.LinkByName(cable.Name)
	require.NoError(t, err)
	at := attrs(cable, "v")
	at.ParentIndex = lower.Attrs().Index
	name := add(t, &netlink.Macvlan{LinkAttrs: at, Mode: netlink.MACVLAN_MODE_BRIDGE})
	says(t, name, "")
	cable.Unplug()
	says(t, name, name+" has no carrier: check its cable, switch port or lower interface")
}
