package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/contract"
)

const twoSites = `sites:
  main: {nodes: [lb-1, lb-2]}
  reserve: {nodes: [lb-3, lb-4]}
`

// placesAccepted are files about where the addresses are.
func placesAccepted() map[string]string {
	return map[string]string{
		"everything": twoSites + `quorum: {device: qnetd.example.org}
haproxy: {}
floating_ips:
  - {name: VIP, ip: 192.0.2.1, provider: lan, prefer: [main], failback: on, failback_after: 5m}
  - {name: VIP6, ip: "2001:db8::10", provider: lan}
  - {name: Other, ip: 192.0.2.2, interfaces: [ens192, bond0.7], provider: lan, prefer: {lb-3: 200, lb-1: 100, lb-2: 100}}
groups:
  - {name: edge, addresses: [VIP, VIP6]}
resources:
  - {id: dhcpd, with: VIP, after: VIP}
  - {id: mail, after: Other}
`,
		"said twice alike": `haproxy:
floating_ips:
  - {name: A, ip: 192.0.2.1, provider: lan, prefer: [lb-1, lb-2], failback: off}
  - {name: B, ip: 192.0.2.2, provider: lan, prefer: [lb-1, lb-2], failback: false}
groups: [{name: both, addresses: [B, A]}]
`,
		"nothing in the sections": "sites:\nquorum:\ngroups:\nresources:\nhaproxy: {}\nfloating_ips:\n",
		"a device's address":      "quorum: {device: 2001:db8::5}\nhaproxy: {}\n",
	}
}

func placesRefused() []refusal {
	address := "haproxy:\nfloating_ips:\n  - {name: A, ip: 192.0.2.1, provider: lan"
	two := address + "}\n  - {name: B, ip: 192.0.2.2, provider: lan"
	return []refusal{
		{name: "a site without nodes", text: "sites: {main: {nodes: []}, old: {}, x: 1}\nhaproxy: {}",
			want: `f:1:9: sites.main has no nodes: expected their names, such as [lb-1, lb-2]
f:1:33: sites.old has no nodes: expected the names of its nodes, such as [lb-1, lb-2]
f:1:40: sites.x is the number 1: expected a mapping with the keys nodes`},
		{name: "a node in two sites", beyondSchema: true,
			text: "sites: {main: {nodes: [lb-1]}, b: {nodes: [lb-2, lb-1]}}\nhaproxy: {}",
			want: "f:1:50: the node lb-1 is in the site b and in main (line 1): expected one site for each node"},
		{name: "a site like a node", beyondSchema: true,
			text: "sites: {main: {nodes: [lb-1]}, lb-1: {nodes: [lb-2]}}\nhaproxy: {}",
			want: "f:1:32: the site lb-1 has the name of a node (line 1): give it another name"},
		{name: "no name", text: "sites: {main: {nodes: ['lb 1']}}\nhaproxy: {}",
			want: `f:1:24: sites.main: "lb 1" cannot be the name of a node: write letters, digits, dots, dashes and underscores`},
		{name: "prefers nothing known", beyondSchema: true,
			text: twoSites + address + ", prefer: [mian, lb-9]}\n",
			want: `f:6:54: A prefers mian, which is neither a site nor a node of one: expected one of main, reserve, lb-1, lb-2, lb-3, lb-4
f:6:60: A prefers lb-9, which is neither a site nor a node of one: expected one of main, reserve, lb-1, lb-2, lb-3, lb-4`},
		{name: "prefers twice", beyondSchema: true, text: address + ", prefer: [lb-1, lb-2, lb-1]}\n",
			want: "f:3:66: A prefers lb-1 twice: the first is in line 3"},
		{name: "prefers a word", text: address + ", prefer: main}\n",
			want: `f:3:53: floating_ips[0].prefer is the text "main": expected a list of sites or nodes, best first, or a mapping of their scores, such as [main]`},
		{name: "a score that is none", text: address + ", prefer: {lb-1: 0, lb-2: -5}}\n",
			want: `f:3:60: floating_ips[0].prefer.lb-1 is 0: expected a whole number from 1 to 1000000, more for the better
f:3:69: floating_ips[0].prefer.lb-2 is -5: expected a whole number from 1 to 1000000, more for the better`},
		{name: "failback without prefer", beyondSchema: true, text: address + ", failback: on}\n",
			want: "f:3:55: A has failback, and prefers no node to which it could go back: expected prefer, such as `prefer: [lb-1]`"},
		{name: "failback_after without failback", beyondSchema: true,
			text: address + ", prefer: [lb-1], failback_after: 5m}\n",
			want: "f:3:77: A has failback_after without `failback: true`: it never goes back, so there is nothing to wait for"},
		{name: "failback_after of a moment", text: address + ", prefer: [lb-1], failback: on, failback_after: 100ms}\n",
			want: `f:3:91: floating_ips[0].failback_after: "100ms" is not a time in whole seconds`, beyondSchema: true},
		{name: "groups", beyondSchema: true, text: two + `}
groups:
  - {name: x, addresses: [A]}
  - {name: A, addresses: [A, B, C]}
  - {name: x, addresses: [B, B]}
`, want: `f:6:27: the group x has one address: expected two or more
f:7:12: the group A has the name of an address: give it another name
f:7:27: A is in the group A and in x (line 6): expected one group for each address
f:7:33: the group A has the address C, which is not one of floating_ips
f:8:12: the group x is given twice: the first is in line 6
f:8:27: B is in the group x and in A (line 7): expected one group for each address
f:8:30: B is in the group x and in A (line 7): expected one group for each address`},
		{name: "a group of none", text: address + "}\ngroups: [{name: x, addresses: []}, {addresses: [A]}]\n", beyondSchema: false,
			want: `f:4:10: the group x has no addresses: expected two or more
f:4:36: groups[1] has no name`},
		{name: "members that want to be elsewhere", beyondSchema: true,
			text: address + ", prefer: [lb-1], failback: on, failback_after: 60s}\n" +
				"  - {name: B, ip: 192.0.2.2, provider: lan, prefer: [lb-2], failback: off, failback_after: 5s}\n" +
				"groups: [{name: x, addresses: [A, B]}]\n",
			want: `f:4:54: B and A move together, as the group x says, and prefer different nodes: write prefer once
f:4:71: B and A move together, as the group x says, and only one of them has failback: write it once
f:4:92: B and A move together, as the group x says, and have different failback_after: write it once`},
		{name: "interfaces", beyondSchema: true, text: address + ", nic: eth0, interfaces: [eth1, eth0, eth1]}\n",
			want: `f:3:75: A is on eth0, whose carrier it needs anyway: remove it from interfaces
f:3:81: A needs the interface eth1 twice: the first is in line 3`},
		{name: "interfaces whose checks have one name", beyondSchema: true,
			text: address + ", interfaces: [bond0.1, bond0_1]}\n",
			want: `f:3:67: A needs the interface bond0_1, whose check would be called link-bond0_1, as that of ` +
				`bond0.1: write a check by interface into haproxy.checks instead`},
		{name: "an interface that is none", text: address + ", interfaces: ['a/b']}\n",
			want: `f:3:58: A needs the interface "a/b", which is not the name of a network interface`},
		{name: "the name of an interface's check", beyondSchema: true,
			text: "haproxy: {checks: [{name: link-eth1, tcp: 'h:1'}]}\nfloating_ips: [{name: A, ip: 192.0.2.1, " +
				"provider: lan, interfaces: [eth1]}]\n",
			want: `f:2:69: one of haproxy.checks has the name "link-eth1", which that of this interface needs: give it another name`},
		{name: "resources", beyondSchema: true, text: two + `}
resources:
  - {id: dhcpd}
  - {id: B, with: A}
  - {id: x, with: C, after: D}
  - {id: x, with: A}
  - {id: haproxy, with: A}
`, want: `f:6:5: resources[0] has neither with nor after: expected the address to which dhcpd belongs
f:7:10: B is one of floating_ips: addresses that move together are a group
f:8:19: x belongs to C, which is not one of floating_ips
f:8:29: x belongs to D, which is not one of floating_ips
f:9:10: the resource x is given twice: the first is in line 8
f:10:10: the resource haproxy belongs to no address: it is hawser's own`},
		{name: "no host", text: "quorum: {device: 'a b'}\nhaproxy: {}\n",
			want: `f:1:18: quorum.device: "a b" is neither the name of a host, such as qnetd.example.org, nor an address`},
		{name: "more than can be weighed", beyondSchema: true, text: `haproxy:
  checks: [{name: a, tcp: 'h:1'}, {name: b, tcp: 'h:1'}, {name: c, tcp: 'h:1'}, {name: d, tcp: 'h:1'}, {name: e, tcp: 'h:1'}]
floating_ips:
  - {name: A, ip: 192.0.2.1, provider: lan, failback: on,
     prefer: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s]}
`, want: "f:4:5: addresses prefer up to 19 nodes or sites (19 with failback), and have up to 5 checks: " +
			"together they weigh more than Pacemaker can count. Name fewer of them, or give nodes the same score"},
	}
}

// TestSteps: sites stand for their nodes, a node that is named itself stands where it is named, and of
// scores only the order counts.
func TestSteps(t *testing.T) {
	for prefer, want := range map[string][][]string{
		"[main]":                               {{"lb-1", "lb-2"}},
		"[lb-2, main]":                         {{"lb-2"}, {"lb-1"}},
		"[main, lb-2]":                         {{"lb-1"}, {"lb-2"}},
		"[main, lb-1, lb-2]":                   {{"lb-1"}, {"lb-2"}},
		"[reserve, main]":                      {{"lb-3", "lb-4"}, {"lb-1", "lb-2"}},
		"{lb-4: 7, main: 3, lb-3: 7}":          {{"lb-4", "lb-3"}, {"lb-1", "lb-2"}},
		"{lb-1: 101, lb-2: 100}":               {{"lb-1"}, {"lb-2"}},
		"{lb-1: 100, lb-2: 100}":               {{"lb-1", "lb-2"}},
		"[]":                                   nil,
		"{main: 1, reserve: 1000000, lb-2: 2}": {{"lb-3", "lb-4"}, {"lb-2"}, {"lb-1"}},
	} {
		c, err := Parse("f", []byte(twoSites+"haproxy:\nfloating_ips: [{name: A, ip: 192.0.2.1, provider: lan, prefer: "+
			prefer+"}]"))
		require.NoError(t, err, prefer)
		var got [][]string
		for _, s := range c.Steps(&c.Addresses[0]) {
			got = append(got, s.Nodes)
		}
		require.Equal(t, want, got, prefer)
	}
}

// TestPlaces: what holds for a group may be given at any of its addresses, and the agents get what
// follows from it.
func TestPlaces(t *testing.T) {
	c, err := Parse("f", []byte(placesAccepted()["everything"]+
		"  - {id: a, with: VIP6}\n"))
	require.NoError(t, err)
	vip, vip6, other := &c.Addresses[0], &c.Addresses[1], &c.Addresses[2]
	require.Same(t, vip, c.Leader(vip6))
	require.Same(t, other, c.Leader(other))
	require.Equal(t, []*Address{vip, other}, c.Leaders())
	require.Equal(t, c.Steps(vip), c.Steps(vip6))
	require.Equal(t, []string{"main"}, c.Steps(vip)[0].Sites)
	after, yes := c.GoesBack(vip6)
	require.True(t, yes)
	require.Equal(t, 5*time.Minute, after)
	_, yes = c.GoesBack(other)
	require.False(t, yes)
	var names []string
	for _, c := range c.ChecksOf(other) {
		names = append(names, c.Name+" "+c.Interface)
	}
	require.Equal(t, []string{"link-ens192 ens192", "link-bond0_7 bond0.7"}, names)
	require.Empty(t, c.ChecksOf(vip), "another's interfaces")
	require.Equal(t, []Param{
		{contract.ParamChecks, "link-ens192 interface=ens192 ; link-bond0_7 interface=bond0.7"},
		{contract.ParamSites, "main=lb-1,lb-2 reserve=lb-3,lb-4"}, {contract.ParamWellAfter, "300s"},
	}, c.HAProxy.Params())
	require.Equal(t, "qnetd.example.org", c.Quorum.Device)
	s := c.Scores()
	require.Greater(t, s.Prefer, s.Apart)
}
