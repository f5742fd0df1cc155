package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// addressAccepted are accepted lists.
func addressAccepted() map[string]string {
	return map[string]string{
		"all keys": `
  - &one
    name: ip-1
    ip: 203.0.113.10
    provider: digitalocean
    token_file: &token /etc/hawser/token
    monitor: 20s
    api_url: http://127.0.0.1:8080/
    metadata_url: http://169.254.169.254
  - name: _ip.2
    ip: "2001:db8::10"
    token_file: *token
  - {name: ip-3, ip: 192.0.2.1, provider: lan, nic: eth0.100, cidr_netmask: 24, monitor: 5}
`,
		"of the local network":     "  - {name: a, ip: 192.0.2.1, provider: lan}",
		"whole prefix":             "  - {name: a, ip: 192.0.2.1, provider: lan, cidr_netmask: 32}",
		"whole prefix of IPv6":     "  - {name: a, ip: '2001:db8::1', provider: lan, cidr_netmask: 128, nic: br-0}",
		"address in another form":  "  - {name: a, ip: '2001:0db8:0::1', token_file: /t}",
		"IPv4 in the form of IPv6": "  - {name: a, ip: '::ffff:203.0.113.10', token_file: /t}",
	}
}

func addressRefusals() []refusal {
	const known = "name, ip, provider, token_file, nic, cidr_netmask, monitor, needs, interfaces, prefer, failback, failback_after, api_url, metadata_url"
	return []refusal{
		{name: "addresses", text: `haproxy:
floating_ips:
  - {name: a, ip: 203.0.113.300, token_file: /t}
  - {name: b, ip: 203.0.113.1/24, token_file: /t}
  - {name: c, ip: 127.0.0.1, token_file: /t}
  - {name: d, ip: 203.0.113.7, token_file: /t}
  - {name: e, ip: "::ffff:203.0.113.7", token_file: /t}
  - {name: f, ip: 1.5, token_file: /t}
  - {name: g, ip: "fe80::1%eth0", token_file: /t}
`, want: `f:3:19: floating_ips[0].ip: "203.0.113.300" is not an IPv4 or IPv6 address
f:4:19: floating_ips[1].ip: "203.0.113.1/24" has the length of its prefix: write the address alone (the length goes into cidr_netmask: 24)
f:5:19: floating_ips[2].ip: "127.0.0.1" is an address by which a machine reaches only itself
f:7:19: the address 203.0.113.7 is given twice: the first is in line 6
f:8:19: floating_ips[5].ip is the number 1.5: expected one IPv4 or IPv6 address such as 203.0.113.10
f:9:19: floating_ips[6].ip: "fe80::1%eth0" has a zone: give the address alone, and the interface in its own parameter`},
		{
			name:         "unreachable",
			text:         "haproxy:\nfloating_ips: [{name: a, ip: 169.254.1.1, token_file: /t}]",
			want:         `f:2:30: floating_ips[0].ip: "169.254.1.1" is an address that no client can reach`,
			beyondSchema: true,
		},
		{
			name: "no host's", text: `haproxy:
floating_ips:
  - {name: a, ip: 192.0.2.255, provider: lan, nic: eth0, cidr_netmask: 24}
  - {name: b, ip: 192.0.2.0, provider: lan, nic: eth0, cidr_netmask: 24}
  - {name: c, ip: 255.255.255.255, provider: lan}
  - {name: d, ip: 0.0.0.0, provider: lan}
  - {name: e, ip: "ff02::1", provider: lan}
`, want: `f:3:19: floating_ips[0].ip: "192.0.2.255" is no host's address: it is the broadcast address of the network 192.0.2.0/24
f:4:19: floating_ips[1].ip: "192.0.2.0" is no host's address: it is that of the network 192.0.2.0/24
f:5:19: floating_ips[2].ip: "255.255.255.255" is no host's address: it is the broadcast address of every network
f:6:19: floating_ips[3].ip: "0.0.0.0" is no host's address: it stands for any
f:7:19: floating_ips[4].ip: "ff02::1" is no host's address: it is that of a multicast group`,
			beyondSchema: true,
		},
		{name: "names", text: `haproxy:
floating_ips:
  - {name: Float IP, ip: 203.0.113.1, token_file: /t}
  - {name: 1st, ip: 203.0.113.2, token_file: /t}
`, want: `f:3:12: floating_ips[0].name: "Float IP" cannot be the id of an object of the cluster: write a letter or _, then letters, digits, dots, dashes and underscores
f:4:12: floating_ips[1].name: "1st" cannot be the id of an object of the cluster: write a letter or _, then letters, digits, dots, dashes and underscores`},
		{name: "the same name", text: `haproxy:
floating_ips:
  - {name: x, ip: 203.0.113.4, token_file: /t}
  - {name: x, ip: 203.0.113.5, token_file: /t}
`, want: "f:4:12: the name x is given twice: the first is in line 3", beyondSchema: true},
		{name: "missing", text: "haproxy:\nfloating_ips:\n  - provider: digitalocean\n",
			want: "f:3:5: floating_ips[0] has no name\nf:3:5: floating_ips[0] has no ip"},
		{
			name: "no token",
			text: "haproxy:\nfloating_ips:\n  - {name: a, ip: 203.0.113.1}\n",
			want: "f:3:5: floating_ips[0] has no token_file: expected the path of a file with the API token, readable by root only " +
				"(the provider is digitalocean; for an address of the local network write `provider: lan`)",
		},
		{name: "not a list", text: "haproxy:\nfloating_ips: {name: a}",
			want: "f:2:15: floating_ips is a mapping: expected a list, each element after a dash"},
		{
			name: "a list of texts",
			text: "haproxy:\nfloating_ips: [203.0.113.1]",
			want: `f:2:16: floating_ips[0] is the text "203.0.113.1": expected a mapping with the keys ` + known,
		},
		{
			name: "provider",
			text: "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, provider: aws}]",
			want: `f:2:53: floating_ips[0].provider: "aws" is not one of digitalocean, lan`,
		},
		{name: "of the other provider", text: `haproxy:
floating_ips:
 - {name: a, ip: 203.0.113.1, nic: eth0, token_file: /t}
 - {name: b, ip: 203.0.113.2, provider: lan, token_file: /t, cidr_netmask: 64}
`, want: `f:3:36: floating_ips[0].nic has no meaning for the provider digitalocean: remove it
f:4:58: floating_ips[1].token_file has no meaning for the provider lan: remove it
f:4:76: floating_ips[1].cidr_netmask is 64: expected 1 to 32 for an IPv4 address`},
		{
			name:         "a long prefix",
			text:         "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, provider: lan, cidr_netmask: 33}]",
			want:         "f:2:72: floating_ips[0].cidr_netmask is 33: expected 1 to 32 for an IPv4 address",
			beyondSchema: true,
		},
		{
			name: "secret",
			text: "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token: abc}]",
			want: "f:2:43: floating_ips[0].token: a secret does not belong here, everyone who may read the cluster's configuration would see it: " +
				"write it to a file that only root can read and name that in token_file",
		},
		{
			name: "secret in the place of its file",
			text: "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token_file: dop_v1_abc}]",
			want: "f:2:55: floating_ips[0].token_file is not an absolute path: begin with /",
		},
		{
			name: "unknown key of an address",
			text: "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token_file: /t, vlan: 3}]",
			want: "f:2:59: floating_ips[0].vlan is not a known key: known are " + known,
		},
		{name: "interfaces", text: `haproxy:
floating_ips:
  - {name: a, ip: 203.0.113.1, provider: lan, nic: "eth0:1"}
  - {name: b, ip: 203.0.113.2, provider: lan, nic: "."}
  - {name: c, ip: 203.0.113.3, provider: lan, nic: ".."}
  - {name: d, ip: 203.0.113.4, provider: lan, nic: an-interface-too-long}
  - {name: e, ip: 203.0.113.5, provider: lan, nic: "a b"}
`, want: `f:3:52: floating_ips[0].nic: "eth0:1" is not the name of a network interface
f:4:52: floating_ips[1].nic: "." is not the name of a network interface
f:5:52: floating_ips[2].nic: ".." is not the name of a network interface
f:6:52: floating_ips[3].nic: "an-interface-too-long" is not the name of a network interface
f:7:52: floating_ips[4].nic: "a b" is not the name of a network interface`},
		{
			name: "tab in an interface",
			text: "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, provider: lan, nic: \"a\\tb\"}]",
			want: `f:2:63: floating_ips[0].nic has the character "\t", which the cluster's configuration cannot hold`,
		},
		{
			name: "a token in clear text",
			text: "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token_file: /t, api_url: 'http://127.0.0.1.example.com'}]",
			want: `f:2:68: floating_ips[0].api_url: "http://127.0.0.1.example.com" would get the token in clear text: write https://, or http:// with a loopback address`,
		},
		{
			name: "path in an origin",
			text: "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token_file: /t, api_url: 'https://x/v2'}]",
			want: `f:2:68: floating_ips[0].api_url: "https://x/v2" continues after the host: write https://x, the path is added`,
		},
	}
}

func TestAddresses(t *testing.T) {
	c, err := Parse("f", []byte("haproxy:\nfloating_ips:\n"+addressAccepted()["all keys"]))
	require.NoError(t, err)
	require.Len(t, c.Addresses, 3)
	require.Equal(t, []Param{
		{"ip", "203.0.113.10"}, {"provider", "digitalocean"}, {"token_file", "/etc/hawser/token"},
		{"api_url", "http://127.0.0.1:8080"},
	}, c.Addresses[0].Params())
	require.Equal(t, []Param{
		{"ip", "2001:db8::10"}, {"provider", "digitalocean"}, {"token_file", "/etc/hawser/token"},
	}, c.Addresses[1].Params())
	require.Equal(t, []Param{
		{"ip", "192.0.2.1"}, {"provider", "lan"}, {"nic", "eth0.100"}, {"cidr_netmask", "24"},
	}, c.Addresses[2].Params())
	require.Equal(t, []string{"20s", "15s", "5s"},
		[]string{c.Addresses[0].Monitor, c.Addresses[1].Monitor, c.Addresses[2].Monitor})
	require.Equal(t, Position{5, 11}, c.Addresses[0].NameAt)
	require.Equal(t, Position{8, 17}, c.Addresses[0].TokenFileAt)
}
