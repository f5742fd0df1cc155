package lan

import (
	"encoding/hex"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vishvananda/netlink"
)

var (
	mac = net.HardwareAddr{0x52, 0x54, 0, 0x12, 0x34, 0x56}
	ip4 = netip.MustParseAddr("192.0.2.10")
	ip6 = netip.MustParseAddr("2001:db8::10")
)

func TestARPOnTheWire(t *testing.T) {
	require.Equal(t, "0001080006040001"+"525400123456"+"00000000"+"000000000000"+"c000020a",
		hex.EncodeToString(arpProbe(mac, ip4)))
	announced := gratuitousARP(mac, ip4)
	require.Equal(t, "0001080006040001"+"525400123456"+"c000020a"+"000000000000"+"c000020a",
		hex.EncodeToString(announced[0]))
	require.Equal(t, "0001080006040002"+"525400123456"+"c000020a"+"ffffffffffff"+"c000020a",
		hex.EncodeToString(announced[1]))
	for _, packet := range announced {
		a, ok := parseARP(append(packet, 0, 0, 0)) // with padding
		require.True(t, ok)
		require.Equal(t, packet, a.marshal())
		require.True(t, a.claims(ip4))
		require.False(t, a.claims(netip.MustParseAddr("192.0.2.11")))
	}
	question := arp{op: arpRequest, senderMAC: mac, senderIP: netip.MustParseAddr("192.0.2.1"),
		targetMAC: noMAC, targetIP: ip4}
	require.False(t, question.claims(ip4), "who asks for the address does not claim it")
	probe, ok := parseARP(arpProbe(mac, ip4))
	require.True(t, ok)
	require.True(t, probe.claims(ip4), "who probes for the address is about to take it")
}

func TestNeighbourDiscoveryOnTheWire(t *testing.T) {
	// The kernel checks the checksum, in TestNeighboursLearn.
	na := unsolicitedAdvertisement(mac, ip6, false)
	require.Equal(t, "6000000000203aff"+"20010db8000000000000000000000010"+"ff020000000000000000000000000001", hex.EncodeToString(na[:40]))
	require.Equal(t, byte(flagOverride), na[44])
	require.Equal(t, byte(flagOverride|flagRouter), unsolicitedAdvertisement(mac, ip6, true)[44])
	require.Equal(t, "ff02::1:ff00:10", solicitedNode(ip6).String())
	require.Equal(t, "33:33:ff:00:00:10", multicastMAC(solicitedNode(ip6)).String())
	for _, packet := range [][]byte{na, dadSolicitation(ip6)} {
		n, ok := parseNeighbour(packet)
		require.True(t, ok)
		require.Equal(t, packet, n.marshal())
		require.True(t, n.claims(ip6))
		require.False(t, n.claims(netip.MustParseAddr("2001:db8::11")))

		for name, i := range map[string]int{"version": 0, "next header": 6, "hop limit": 7,
			"type": 40, "code": 41, "checksum": 42, "target": 50} {
			broken := append([]byte(nil), packet...)
			broken[i] ^= 0xff
			_, ok := parseNeighbour(broken)
			require.False(t, ok, name)
		}
	}
	question := neighbour{typ: neighbourSolicitation, src: netip.MustParseAddr("2001:db8::1"),
		dst: solicitedNode(ip6), target: ip6}
	require.False(t, question.claims(ip6), "who asks for the address does not claim it")
}

func FuzzParseARP(f *testing.F) {
	f.Add(arpProbe(mac, ip4))
	f.Add(gratuitousARP(mac, ip4)[1])
	f.Add([]byte{0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, ok := parseARP(b); ok {
			require.Equal(t, b[:arpLen], a.marshal())
		}
	})
}

func FuzzParseNeighbour(f *testing.F) {
	f.Add(unsolicitedAdvertisement(mac, ip6, true))
	f.Add(dadSolicitation(ip6))
	f.Add(make([]byte, 70))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, ok := parseNeighbour(b); ok {
			require.True(t, n.target.Is6())
			again, ok := parseNeighbour(n.marshal())
			require.True(t, ok)
			require.Equal(t, n, again)
		}
	})
}

// TestRemoveFromAnInterfaceThatIsGone: an interface that vanished took its addresses with it.
func TestRemoveFromAnInterfaceThatIsGone(t *testing.T) {
	k, err := openKernel()
	require.NoError(t, err)
	defer k.Close()
	gone := &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: "gone", Index: 1 << 30}}
	require.NoError(t, New(Config{}).remove(k, spot{
		addr: netlink.Addr{IPNet: netlink.NewIPNet(ip4.AsSlice())}, link: gone,
	}))
}
