package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const tutorial = `# hawser.yaml of the tutorial
fencing: off                      # accepted on purpose
haproxy:
  config: /etc/haproxy/haproxy.cfg
  monitor: 15s
floating_ips:
  - name: FloatIP
    ip: 203.0.113.10
    provider: digitalocean        # or lan, with cidr_netmask and nic
    token_file: /etc/hawser/token
`

func TestParseTutorial(t *testing.T) {
	c, err := Parse("hawser.yaml", []byte(tutorial))
	require.NoError(t, err)
	require.Equal(t, FencingOff, c.Fencing.Way)
	require.Equal(t, "/etc/haproxy/haproxy.cfg", c.HAProxy.Config)
	require.Equal(t, "15s", c.HAProxy.Monitor)
	require.Len(t, c.Addresses, 1)
	require.Equal(t, "FloatIP", c.Addresses[0].Name)
	require.Equal(t, "203.0.113.10", c.Addresses[0].IP.String())
	require.Equal(t, DigitalOcean, c.Addresses[0].Provider)
	require.Equal(t, "/etc/hawser/token", c.Addresses[0].TokenFile)
	require.Equal(t, Position{10, 17}, c.Addresses[0].TokenFileAt)
}

func TestParseEverything(t *testing.T) {
	c, err := Parse("hawser.yaml", []byte(`
fencing: on
haproxy:
  config: /etc/haproxy/conf.d/
  binary: /opt/haproxy/haproxy
  extra: -m 512 -L "the node"
  monitor: 10
  check: {url: "http://${HAWSER_ANCHOR_IP}/health", timeout: 5s, every: 30s}
  min_servers: 1
  stop_grace: 2min
  anchor_ip: 10.0.0.1
  private_ip: fd00::1
floating_ips:
  - &one
    name: ip-1
    ip: 203.0.113.10
    token_file: &token /etc/hawser/token
    api_url: http://127.0.0.1:8080/
    metadata_url: http://169.254.169.254
  - name: ip-2
    ip: "2001:db8::10"
    token_file: *token
  - {name: ip-3, ip: 192.0.2.1, provider: lan, nic: eth0, cidr_netmask: 24, monitor: 5s}
`))
	require.NoError(t, err)
	require.Equal(t, FencingOn, c.Fencing.Way)
	h := c.HAProxy
	require.Equal(t, "/etc/haproxy/conf.d", h.Config)
	require.Equal(t, "/opt/haproxy/haproxy", h.Binary)
	require.Equal(t, `-m 512 -L "the node"`, h.Extra)
	require.Equal(t, "10s", h.Monitor)
	require.Equal(t, Check{"http://${HAWSER_ANCHOR_IP}/health", "5s", "30s"}, h.Check)
	require.Equal(t, 1, h.MinServers)
	require.Equal(t, "2min", h.StopGrace)
	require.Equal(t, "10.0.0.1", h.AnchorIP)
	require.Equal(t, "fd00::1", h.PrivateIP)
	require.Len(t, c.Addresses, 3)
	require.Equal(t, "http://127.0.0.1:8080", c.Addresses[0].APIURL)
	require.Equal(t, "http://169.254.169.254", c.Addresses[0].MetadataURL)
	require.Equal(t, "/etc/hawser/token", c.Addresses[1].TokenFile)
	require.Equal(t, "2001:db8::10", c.Addresses[1].IP.String())
	require.Equal(t, 24, c.Addresses[2].Netmask)
	require.Equal(t, "5s", c.Addresses[2].Monitor)
}

func TestParseFencing(t *testing.T) {
	for text, want := range map[string]FencingWay{
		"fencing: off": FencingOff, "fencing: false": FencingOff, "fencing: No": FencingOff, `fencing: "off"`: FencingOff,
		"fencing: existing": FencingOn, "fencing: sbd": FencingSBD, "fencing: {sbd: {}}": FencingSBD, "fencing: {sbd: }": FencingSBD,
		"fencing: {droplet: {token_file: /t}}": FencingDroplet, "fencing: on": FencingOn, "fencing: true": FencingOn, "": FencingUnset,
	} {
		c, err := Parse("f", []byte(text+"\nhaproxy:\n"))
		require.NoError(t, err, text)
		require.Equal(t, want, c.Fencing.Way, text)
	}
}

func TestParseDroplets(t *testing.T) {
	c, err := Parse("f", []byte(`fencing:
  droplet:
    token_file: /etc/hawser/fence-token
    droplets:
      lb-2: 1002
      lb-1: web.lb-1
    tag: env:prod
    delay: 0
    monitor: 1h
    api_url: http://127.0.0.1:1/
haproxy:
  keeper: off
  max_crashes: 5
  crash_window: 2min
`))
	require.NoError(t, err)
	d := c.Fencing.Droplet
	require.Equal(t, "/etc/hawser/fence-token", d.TokenFile)
	require.Equal(t, []NodeDroplet{{"lb-2", "1002", Position{5, 7}}, {"lb-1", "web.lb-1", Position{6, 7}}}, d.Droplets)
	require.Equal(t, []string{"env:prod", "", "1h", "http://127.0.0.1:1"}, []string{d.Tag, d.Delay, d.Monitor, d.APIURL})
	require.Equal(t, "false", c.HAProxy.Keeper)
	require.Equal(t, 5, c.HAProxy.MaxCrashes)
	require.Equal(t, "2min", c.HAProxy.CrashWindow)
}

// TestFaults has the messages word for word: they are what an operator works with.
func TestFaults(t *testing.T) {
	const keys = "name, ip, provider, token_file, nic, cidr_netmask, api_url, metadata_url, monitor"
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "f: configures nothing: accepted are haproxy, floating_ips, fencing"},
		{"only a comment", "# nothing\n", "f: configures nothing: accepted are haproxy, floating_ips, fencing"},
		{"no haproxy", "fencing: off", "f: the key haproxy is missing; it may be empty (`haproxy: {}`), HAProxy then runs with /etc/haproxy/haproxy.cfg"},
		{"a list", "- a", `f:1:1: the file is a list: accepted is a mapping with the keys haproxy, floating_ips, fencing`},
		{"two documents", "haproxy:\n---\nhaproxy:\n", "f:3:1: a second document begins here: accepted is one"},
		{"unknown key", "haproxy:\n  confg: /etc/x\n", "f:2:3: haproxy.confg is not a key that hawser knows: accepted are config, binary, extra, monitor, check, min_servers, stop_grace, keeper, max_crashes, crash_window, unit, anchor_ip, private_ip, metadata_url; did you mean config?"},
		{"the agent's word", "haproxy:\n  conffile: /etc/x\n", "f:2:3: haproxy.conffile: in hawser.yaml the key is config"},
		{"duplicate key", "haproxy:\nhaproxy:\n", "f:2:1: haproxy is given twice: the first is in line 1"},
		{"duplicate inner key", "haproxy:\n  monitor: 1s\n  monitor: 2s\n", "f:3:3: haproxy.monitor is given twice: the first is in line 2"},
		{"wrong types", "haproxy:\n  config: [a]\n  monitor: fast\n  min_servers: many\n  check: x\n",
			"f:2:11: haproxy.config is a list: accepted is an absolute path\n" +
				"f:3:12: haproxy.monitor is \"fast\": accepted is a length of time such as 500ms, 15s or 2min\n" +
				"f:4:16: haproxy.min_servers is the text \"many\": accepted is a whole number from 0 to 100000\n" +
				"f:5:10: haproxy.check is the text \"x\": accepted is a mapping with the keys url, timeout, every"},
		{"number out of range", "haproxy: {min_servers: -1}", "f:1:24: haproxy.min_servers is -1: accepted is a whole number from 0 to 100000"},
		{"relative path", "haproxy: {config: haproxy.cfg}", `f:1:19: haproxy.config is "haproxy.cfg": accepted is an absolute path, because it is used on every node`},
		{"open quote", "haproxy: {extra: \"-L 'x\"}", `f:1:18: haproxy.extra "-L 'x" has an opening quote that is never closed`},
		{"no time at all", "haproxy: {monitor: 0}", `f:1:20: haproxy.monitor is "0": accepted is from 1ms to 24h`},
		{"check without url", "haproxy: {check: {every: 10s}}", "f:1:18: haproxy.check has no url: accepted is the address that is asked for through the balancer, such as http://127.0.0.1/health"},
		{"check of a file", "haproxy: {check: {url: 'file:///x'}}", `f:1:24: haproxy.check.url is "file:///x": accepted is an http:// or https:// address`},
		{"fencing perhaps", "haproxy:\nfencing: perhaps", `f:2:10: fencing is "perhaps": accepted is ` + fencingAccepted},
		{"droplet without a token", "haproxy:\nfencing: droplet", "f:2:10: fencing is droplet, without the token_file that it needs: accepted is `fencing: {droplet: {token_file: /etc/hawser/fence-token}}`"},
		{"droplet with nothing", "haproxy:\nfencing: {droplet: {tag: a}}", `f:2:20: fencing.droplet has no token_file: accepted is the path of a file with an API token that may read droplets and switch them off and on, readable by root only`},
		{"fencing of two kinds", "haproxy:\nfencing:\n  sbd: {}\n  droplet: {token_file: /t}\n", `f:3:3: fencing has both sbd and droplet: accepted is one of them`},
		{"fencing of no kind", "haproxy:\nfencing: {}\n", `f:2:10: fencing says nothing: accepted is ` + fencingAccepted},
		{"fencing of another kind", "haproxy:\nfencing: {ipmi: {}}\n", `f:2:11: fencing.ipmi is not a key that hawser knows: accepted are sbd, droplet`},
		{"part of a second", "haproxy:\nfencing: {sbd: {watchdog_timeout: 2500ms}}\n", `f:2:35: fencing.sbd.watchdog_timeout is "2500ms": accepted are whole seconds, as SBD_WATCHDOG_TIMEOUT in /etc/default/sbd has them`},
		{"droplets", `haproxy:
fencing:
  droplet:
    token_file: fence-token
    droplets: {lb-1: 1001, lb-1: 1002, "lb;2": 7, lb-3: "a b", lb-4: 1001, lb-5: [1]}
    tag: "a b"
    delay: soon
    api_url: ftp://x
    token: secret
`, `f:4:17: fencing.droplet.token_file is "fence-token": accepted is an absolute path, because it is used on every node
f:5:28: fencing.droplet.droplets.lb-1 is given twice: the first is in line 5
f:5:40: fencing.droplet.droplets.lb;2 cannot be the name of a node: accepted are letters, digits, dots, dashes and underscores
f:5:57: fencing.droplet.droplets.lb-3 is "a b": accepted is the id or the name of a droplet: letters, digits, dots and dashes
f:5:70: fencing.droplet.droplets.lb-4 is the droplet 1001, which another node is already (line 5): fencing one of them would hit the other
f:5:82: fencing.droplet.droplets.lb-5 is a list: accepted is the id or the name of a droplet: letters, digits, dots and dashes
f:6:10: fencing.droplet.tag is "a b": accepted is the tag of droplets: letters, digits, colons, dashes and underscores
f:7:12: fencing.droplet.delay is "soon": accepted is a length of time such as 500ms, 15s or 2min
f:8:14: fencing.droplet.api_url is "ftp://x": accepted is scheme, host and port and nothing after them, such as https://api.digitalocean.com
f:9:5: fencing.droplet.token: a secret is not accepted here, everyone who may read the cluster would see it: write it to a file that only root can read and name that in token_file`},
		{"a list of droplets", "haproxy:\nfencing: {droplet: {token_file: /t, droplets: [1, 2]}}", `f:2:47: fencing.droplet.droplets is a list: accepted is a mapping, each entry node: droplet`},
		{"name of the device", "haproxy:\nfloating_ips: [{name: fence-droplet, ip: 203.0.113.1, token_file: /t}]", `f:2:23: the name fence-droplet is taken: it is hawser's own`},
		{"unit", "haproxy: {unit: haproxy}", `f:1:17: haproxy.unit is "haproxy": accepted is the whole name of a systemd service, such as haproxy.service, or none`},
		{"keeper", "haproxy: {keeper: perhaps, max_crashes: 21, crash_window: 0}", `f:1:19: haproxy.keeper is "perhaps": accepted is on or off
f:1:41: haproxy.max_crashes is 21: accepted is a whole number from 1 to 20
f:1:59: haproxy.crash_window is "0": accepted is from 1ms to 24h`},
		{"addresses", `haproxy:
floating_ips:
  - {name: a, ip: 203.0.113.300, token_file: /t}
  - {name: b, ip: 203.0.113.1/24, token_file: /t}
  - {name: c, ip: 127.0.0.1, token_file: /t}
  - {name: d, ip: 203.0.113.7, token_file: /t}
  - {name: e, ip: "::ffff:203.0.113.7", token_file: /t}
  - {name: f, ip: 1.5, token_file: /t}
`, `f:3:19: floating_ips[0].ip is "203.0.113.300", which is not an address: accepted is one IPv4 or IPv6 address such as 203.0.113.10
f:4:19: floating_ips[1].ip is "203.0.113.1/24": accepted is the address alone (the length of its prefix goes into cidr_netmask: 24)
f:5:19: floating_ips[2].ip is 127.0.0.1, which no client could reach: accepted is one IPv4 or IPv6 address such as 203.0.113.10
f:7:19: the address 203.0.113.7 is given twice: the first is in line 6
f:8:19: floating_ips[5].ip is the number 1.5: accepted is one IPv4 or IPv6 address such as 203.0.113.10`},
		{"names", `haproxy:
floating_ips:
  - {name: Float IP, ip: 203.0.113.1, token_file: /t}
  - {name: 1st, ip: 203.0.113.2, token_file: /t}
  - {name: haproxy, ip: 203.0.113.3, token_file: /t}
  - {name: x, ip: 203.0.113.4, token_file: /t}
  - {name: x, ip: 203.0.113.5, token_file: /t}
  - {name: x-haproxy, ip: 203.0.113.6, token_file: /t}
`, `f:3:12: floating_ips[0].name is "Float IP", which cannot be the id of an object of the cluster: accepted is a letter or _, then letters, digits, dots, dashes and underscores, as XML has it
f:4:12: floating_ips[1].name is "1st", which cannot be the id of an object of the cluster: accepted is a letter or _, then letters, digits, dots, dashes and underscores, as XML has it
f:5:12: the name haproxy is taken: it is hawser's own
f:7:12: the name x is given twice: the first is in line 6
f:8:12: the name x-haproxy is taken: it is the constraint of x`},
		{"missing", "haproxy:\nfloating_ips:\n  - provider: digitalocean\n", `f:3:5: floating_ips[0] has no name
f:3:5: floating_ips[0] has no ip
f:3:5: floating_ips[0] has no token_file: accepted is the path of a file with the API token, readable by root only (the provider is digitalocean; for an address of the local network write ` + "`provider: lan`)"},
		{"provider", "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, provider: aws}]", `f:2:53: floating_ips[0].provider is "aws": accepted is digitalocean or lan`},
		{"of the other provider", "haproxy:\nfloating_ips:\n - {name: a, ip: 203.0.113.1, nic: eth0, token_file: /t}\n - {name: b, ip: 203.0.113.2, provider: lan, token_file: /t, cidr_netmask: 64}\n",
			`f:3:36: floating_ips[0].nic means nothing to the provider digitalocean: leave it out
f:4:58: floating_ips[1].token_file means nothing to the provider lan: leave it out
f:4:76: floating_ips[1].cidr_netmask is 64: accepted is 1 to 32 for an IPv4 address`},
		{"secret", "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token: abc}]",
			"f:2:43: floating_ips[0].token: a secret is not accepted here, everyone who may read the cluster would see it: write it to a file that only root can read and name that in token_file"},
		{"unknown key of an address", "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token_file: /t, vlan: 3}]", "f:2:59: floating_ips[0].vlan is not a key that hawser knows: accepted are " + keys},
		{"interface", "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, provider: lan, nic: 'eth0:1'}]", `f:2:63: floating_ips[0].nic is "eth0:1": accepted is the name of a network interface, such as eth0`},
		{"path in an origin", "haproxy:\nfloating_ips: [{name: a, ip: 203.0.113.1, token_file: /t, api_url: 'https://x/v2'}]", `f:2:68: floating_ips[0].api_url is "https://x/v2": accepted is scheme, host and port and nothing after them, such as https://api.digitalocean.com`},
		{"control character", "haproxy: {config: \"/etc/\\x01\"}", `f:1:19: haproxy.config "/etc/\x01" has a character that the cluster's configuration cannot hold: accepted is an absolute path`},
		{"unknown anchor", "haproxy: {config: *x}", "f:1:19: *x refers to an anchor that is not defined above"},
		{"merge", "haproxy:\n  <<: {a: b}\n", "f:2:3: merging (<<) is not accepted: write the keys out"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse("f", []byte(tc.text))
			require.Error(t, err)
			require.Equal(t, tc.want, err.Error())
		})
	}
}

func TestNumbersAreDecimal(t *testing.T) {
	for _, number := range []string{"010", "0x10", "1_0", "0b11", "0o7", "+3"} {
		_, err := Parse("f.yaml", []byte("haproxy:\n  min_servers: "+number+"\n"))
		require.ErrorContains(t, err, "f.yaml:2:16: haproxy.min_servers is the number "+number+": accepted is a whole number from 0 to 100000")
	}
	c, err := Parse("f.yaml", []byte("haproxy:\n  min_servers: 0\n"))
	require.NoError(t, err)
	require.True(t, c.HAProxy.MinServersGiven)
}

func TestByteOrderMarkAndLineEnds(t *testing.T) {
	c, err := Parse("f.yaml", []byte("\xef\xbb\xbffencing: off\r\nhaproxy:\r\n  monitor: 20s\r\n"))
	require.NoError(t, err)
	require.Equal(t, FencingOff, c.Fencing.Way)
	require.Equal(t, "20s", c.HAProxy.Monitor)
}

func TestNotYAML(t *testing.T) {
	_, err := Parse("f", []byte("haproxy:\n  config: [unclosed\n"))
	require.ErrorContains(t, err, "f:2:")
	require.ErrorContains(t, err, "is not YAML: ")
	require.NotContains(t, err.Error(), "\n")
}

func TestLoadConfig(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "my.yaml")
	require.NoError(t, os.WriteFile(file, []byte(tutorial), 0o600))
	c, err := Read(file)
	require.NoError(t, err)
	require.Equal(t, file, c.Path)

	_, err = Read(filepath.Join(dir, "other.yaml"))
	require.EqualError(t, err, filepath.Join(dir, "other.yaml")+" cannot be read: no such file or directory")
	_, err = Read(dir)
	require.ErrorContains(t, err, "is a directory")

	t.Chdir(dir)
	_, err = Read("")
	if _, statErr := os.Stat("/etc/hawser/hawser.yaml"); statErr != nil {
		require.EqualError(t, err, "there is no hawser.yaml and no /etc/hawser/hawser.yaml")
	}
	require.NoError(t, os.WriteFile("hawser.yaml", []byte(tutorial), 0o600))
	c, err = Read("")
	require.NoError(t, err)
	require.Equal(t, "hawser.yaml", c.Path)
}

// FuzzConfig looks for a file that is not answered with either a configuration or faults that have a place.
func FuzzConfig(f *testing.F) {
	f.Add(tutorial)
	f.Add("haproxy: {check: {url: x}}\nfloating_ips: [{}]")
	f.Add("a: &a [*a]\nhaproxy: *a")
	f.Add("haproxy: &x\n  check: *x\n")
	f.Add("? {a: b}\n: c\n")
	f.Add("haproxy: !!binary aGVsbG8=\n")
	f.Add("haproxy: |\n  text\nfencing: off\n--- \n")
	f.Add("%YAML 1.2\n---\nhaproxy:\n...\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("f", []byte(text))
		if err == nil {
			require.NotEmpty(t, c.HAProxy.Monitor)
			for _, ip := range c.Addresses {
				require.True(t, ip.IP.IsValid())
				require.Regexp(t, idPattern, ip.Name)
				require.NotContains(t, ip.TokenFile+ip.NIC+c.HAProxy.Config, "\x00")
			}
			return
		}
		var faults *Faults
		require.True(t, errors.As(err, &faults), "%v", err)
		require.NotEmpty(t, faults.List)
		for _, fault := range faults.List {
			require.NotEmpty(t, strings.TrimSpace(fault.Message))
		}
	})
}
